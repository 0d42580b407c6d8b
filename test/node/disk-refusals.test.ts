// Goal: what the system refuses ends in an error, never in a loop. Method: places that refuse.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodeDisk } from '../../src/node/disk.ts'
import { DiskError } from '../../src/runtime/disk.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
after(() => rmSync(directory, { recursive: true, force: true }))

test('a directory that takes no entries is refused', () => {
  // Such a directory is known on Linux only.
  if (!existsSync('/proc/self')) return
  for (const path of ['/proc/none', '/proc/none/deeper']) {
    assert.throws(
      () => nodeDisk.makeDirectory(path),
      (error) => {
        assert.ok(error instanceof DiskError)
        assert.equal(error.code, 'ENOENT')
        return true
      },
    )
  }
})

test('parents are made, what is there stays, and a file in the way is refused', () => {
  const deep = join(directory, 'a', 'b', 'c')
  nodeDisk.makeDirectory(deep)
  nodeDisk.makeDirectory(`${deep}/`)
  assert.equal(statSync(deep).mode & 0o777, 0o750)
  assert.equal(statSync(join(directory, 'a')).mode & 0o777, 0o750)
  writeFileSync(join(directory, 'file'), '')
  for (const [path, code] of [
    [join(directory, 'file'), 'EEXIST'],
    [join(directory, 'file', 'x'), 'ENOTDIR'],
  ] as const) {
    assert.throws(() => nodeDisk.makeDirectory(path), { code })
  }
})
