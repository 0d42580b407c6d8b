/** What every Disk must do. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DiskError, readFile, readFileIfThere, replaceFile } from '../disk.ts'
import type { Disk } from '../disk.ts'

export interface DiskHarness {
  readonly disk: Disk
  /** An empty directory for this test alone. */
  readonly directory: string
}

const hasCode = (code: string) => (error: unknown) =>
  error instanceof DiskError && error.code === code

export function diskContract(name: string, create: () => DiskHarness): void {
  describe(`the disk contract, ${name}`, () => {
    filesContract(create)
    namesContract(create)
    lockContract(create)
  })
}

function filesContract(create: () => DiskHarness): void {
  test('bytes written are read back, at once and off the loop', async () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.write(Buffer.from('-hello-'), 1, 6, 0)
    file.write(Buffer.from('J'), 0, 1, 0)
    const now = Buffer.alloc(7)
    assert.equal(file.readNow(now, 1, 5, 0), 5)
    assert.equal(now.toString('latin1'), '\0Jello\0')
    const later = Buffer.alloc(3)
    assert.equal(await file.read(later, 0, 3, 2), 3)
    assert.equal(later.toString(), 'llo')
    file.close()
  })

  test('a read at the end gives what is there, behind it nothing', async () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.write(Buffer.from('abc'), 0, 3, 0)
    const target = Buffer.alloc(8)
    assert.equal(file.readNow(target, 0, 8, 1), 2)
    assert.equal(file.readNow(target, 0, 8, 3), 0)
    assert.equal(file.readNow(target, 0, 8, 99), 0)
    assert.equal(await file.read(target, 0, 8, 1), 2)
    assert.equal(await file.read(target, 0, 8, 99), 0)
    file.close()
  })

  test('several buffers are written one after another, more than one system call takes', () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    const pieces = Array.from({ length: 2500 }, (_, index) => Buffer.from(`${index},`))
    file.writeMany([Buffer.from('x'), ...pieces, Buffer.alloc(0)], 3)
    file.close()
    const text = readFile(disk, `${directory}/a`).toString('latin1')
    assert.equal(text, `\0\0\0x${pieces.join('')}`)
  })

  test('a gap and an extension read as zeroes, and a cut removes what was behind it', () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.write(Buffer.from('end'), 0, 3, 4)
    assert.equal(file.size(), 7)
    file.truncate(5)
    file.truncate(8)
    assert.equal(file.size(), 8)
    file.close()
    assert.equal(readFile(disk, `${directory}/a`).toString('latin1'), '\0\0\0\0e\0\0\0')
  })

  test('the modes: read wants a file, readWrite keeps its bytes, replace empties it', () => {
    const { disk, directory } = create()
    const path = `${directory}/a`
    assert.throws(() => disk.open(path, 'read'), hasCode('ENOENT'))
    assert.throws(() => disk.open(`${directory}/none/a`, 'readWrite'), hasCode('ENOENT'))
    const first = disk.open(path, 'readWrite')
    first.write(Buffer.from('abc'), 0, 3, 0)
    first.close()
    disk.open(path, 'readWrite').close()
    assert.equal(readFile(disk, path).toString(), 'abc')
    const reading = disk.open(path, 'read')
    assert.throws(() => reading.write(Buffer.from('x'), 0, 1, 0), DiskError)
    reading.close()
    disk.open(path, 'replace').close()
    assert.equal(readFile(disk, path).length, 0)
    assert.throws(() => readFile(disk, directory), hasCode('EISDIR'))
  })

  test('a closed file refuses every call, and closing twice is harmless', async () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.close()
    file.close()
    assert.throws(() => file.size(), hasCode('EBADF'))
    assert.throws(() => file.readNow(Buffer.alloc(1), 0, 1, 0), hasCode('EBADF'))
    assert.throws(() => file.write(Buffer.alloc(1), 0, 1, 0), hasCode('EBADF'))
    assert.throws(() => file.syncNow(), hasCode('EBADF'))
    await assert.rejects(file.sync(), hasCode('EBADF'))
    await assert.rejects(file.read(Buffer.alloc(1), 0, 1, 0), hasCode('EBADF'))
  })

  test('closing while a sync and a read are under way lets them end', async () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.write(Buffer.from('abc'), 0, 3, 0)
    const target = Buffer.alloc(3)
    const both = Promise.all([file.sync(), file.read(target, 0, 3, 0)])
    file.close()
    await both
    assert.equal(target.toString(), 'abc')
  })

  test('syncing, at once and off the loop, changes nothing that is visible', async () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.write(Buffer.from('abc'), 0, 3, 0)
    await file.sync()
    file.syncNow()
    disk.syncDirectory(directory)
    assert.equal(file.size(), 3)
    file.close()
  })

  test('replaceFile leaves the new content and nothing beside it', () => {
    const { disk, directory } = create()
    const path = `${directory}/checkpoint`
    assert.equal(readFileIfThere(disk, path), undefined)
    replaceFile(disk, path, 'one')
    replaceFile(disk, path, Buffer.from('two'))
    assert.equal(readFileIfThere(disk, path)?.toString(), 'two')
    assert.deepEqual(disk.list(directory), [{ name: 'checkpoint', kind: 'file' }])
  })
}

function namesContract(create: () => DiskHarness): void {
  test('directories are made with their parents, listed by kind, and removed with their content', async () => {
    const { disk, directory } = create()
    disk.makeDirectory(`${directory}/a/b/c`)
    disk.makeDirectory(`${directory}/a/b`)
    disk.open(`${directory}/a/f`, 'readWrite').close()
    const entries = disk.list(`${directory}/a`).toSorted((x, y) => (x.name < y.name ? -1 : 1))
    assert.deepEqual(entries, [
      { name: 'b', kind: 'directory' },
      { name: 'f', kind: 'file' },
    ])
    await disk.removeTree(`${directory}/a`)
    await disk.removeTree(`${directory}/a`)
    assert.deepEqual(disk.list(directory), [])
    assert.throws(() => disk.list(`${directory}/a`), hasCode('ENOENT'))
    assert.throws(() => disk.syncDirectory(`${directory}/a`), hasCode('ENOENT'))
  })

  test('a file in the place of a directory is an error that says so', () => {
    const { disk, directory } = create()
    disk.open(`${directory}/f`, 'readWrite').close()
    assert.throws(() => disk.list(`${directory}/f`), hasCode('ENOTDIR'))
    assert.throws(() => disk.open(`${directory}/f/x`, 'readWrite'), hasCode('ENOTDIR'))
    assert.throws(() => disk.makeDirectory(`${directory}/f`), hasCode('EEXIST'))
    assert.equal(disk.stat(`${directory}/f/x`), undefined)
  })

  test('status tells kind and size, and the same inode through a rename and an open file', () => {
    const { disk, directory } = create()
    assert.equal(disk.stat(`${directory}/a`), undefined)
    assert.equal(disk.stat(directory)?.kind, 'directory')
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.write(Buffer.from('abc'), 0, 3, 0)
    const before = disk.stat(`${directory}/a`)
    assert.equal(before?.kind, 'file')
    assert.equal(before.size, 3)
    disk.rename(`${directory}/a`, `${directory}/b`)
    assert.equal(disk.stat(`${directory}/a`), undefined)
    assert.equal(disk.stat(`${directory}/b`)?.inode, before.inode)
    assert.equal(file.status().inode, before.inode)
    const other = disk.open(`${directory}/a`, 'readWrite')
    assert.notEqual(other.status().inode, before.inode)
    other.close()
    file.close()
  })

  test('a rename replaces a file, and moves a directory with what is in it', () => {
    const { disk, directory } = create()
    replaceFile(disk, `${directory}/a`, 'a')
    replaceFile(disk, `${directory}/b`, 'b')
    disk.rename(`${directory}/a`, `${directory}/b`)
    assert.equal(readFile(disk, `${directory}/b`).toString(), 'a')
    disk.makeDirectory(`${directory}/t-0`)
    replaceFile(disk, `${directory}/t-0/log`, 'bytes')
    disk.rename(`${directory}/t-0`, `${directory}/t-0.1234-delete`)
    assert.equal(readFile(disk, `${directory}/t-0.1234-delete/log`).toString(), 'bytes')
    assert.throws(() => disk.rename(`${directory}/none`, `${directory}/c`), hasCode('ENOENT'))
    assert.throws(() => disk.rename(`${directory}/b`, `${directory}/none/b`), hasCode('ENOENT'))
  })

  test('a removed file stays readable where it is open, and removing nothing is harmless', () => {
    const { disk, directory } = create()
    const file = disk.open(`${directory}/a`, 'readWrite')
    file.write(Buffer.from('abc'), 0, 3, 0)
    disk.remove(`${directory}/a`)
    disk.remove(`${directory}/a`)
    const target = Buffer.alloc(3)
    assert.equal(file.readNow(target, 0, 3, 0), 3)
    assert.equal(target.toString(), 'abc')
    file.close()
    assert.deepEqual(disk.list(directory), [])
  })
}

function lockContract(create: () => DiskHarness): void {
  test('a lock file is held once, and again after its release', () => {
    const { disk, directory } = create()
    const lock = disk.lock(`${directory}/.lock`)
    assert.throws(() => disk.lock(`${directory}/.lock`), hasCode('ELOCKED'))
    const other = disk.lock(`${directory}/.other`)
    lock.release()
    lock.release()
    disk.lock(`${directory}/.lock`).release()
    other.release()
    assert.throws(() => disk.lock(`${directory}/none/.lock`), hasCode('ENOENT'))
  })
}
