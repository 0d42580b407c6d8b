// Goal: what was synced is found again, whatever a crash left behind it. Method: logs and snapshots on a
// disk in memory are cut, torn and damaged at every place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adler32 as reference } from './adler32-reference.ts'
import fc from 'fast-check'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { readFile } from '../../src/runtime/disk.ts'
import { adler32 } from '../../src/zookeeper/server/adler32.ts'
import { TransactionLog } from '../../src/zookeeper/server/log.ts'
import { numberedFiles, recover } from '../../src/zookeeper/server/recovery.ts'
import { dataBytes, keptData } from '../../src/zookeeper/server/node-data.ts'
import { statOf } from '../../src/zookeeper/server/node.ts'
import { readSnapshot } from '../../src/zookeeper/server/snapshot-reader.ts'
import { type Snapshot, writeSnapshot } from '../../src/zookeeper/server/snapshot.ts'
import {
  CONTAINER_OWNER,
  takeTransaction,
  type Transaction,
  transactionBytes,
  ttlOwner,
} from '../../src/zookeeper/server/transactions.ts'
import { DataTree } from '../../src/zookeeper/server/tree.ts'
import { purge } from '../../src/zookeeper/server/purge.ts'

const DIRECTORY = '/data/version-2'
const directories = { snapshots: DIRECTORY, logs: DIRECTORY }
const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

function create(zxid: number, path = `/n${zxid}`): Transaction {
  return {
    header: { clientId: 1n, cxid: zxid, zxid: BigInt(zxid), time: 1000n },
    change: {
      type: 'create',
      path,
      data: path,
      acl: OPEN,
      owner: 0n,
      parentCversion: zxid,
    },
  }
}

function newDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.makeDirectory(DIRECTORY)
  disk.syncAll()
  return disk
}

function newLog(disk: MemoryDisk, preallocateBytes = 1024): TransactionLog {
  return new TransactionLog(disk, { directory: DIRECTORY, preallocateBytes, forceSync: true })
}

function recovered(disk: MemoryDisk) {
  const clock = new VirtualClock()
  return clock.until(recover({ clock, disk, logger: silentLogger }, directories))
}

async function snapshotIn(disk: MemoryDisk, name: string): Promise<Snapshot> {
  const file = disk.open(`${DIRECTORY}/${name}`, 'read')
  try {
    return await readSnapshot(file)
  } finally {
    file.close()
  }
}

/** The numbers of the nodes that a recovery finds. */
async function found(disk: MemoryDisk): Promise<number[]> {
  const { tree } = await recovered(disk)
  const paths = [...tree.paths()].filter((path) => /^\/n\d+$/.test(path))
  return paths.map((path) => Number(path.slice(2))).sort((one, other) => one - other)
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

test('the checksum is Adler-32', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12_000 }), fc.nat(12_000), (bytes, cut) => {
      assert.equal(adler32(bytes), reference(bytes))
      const at = Math.min(cut, bytes.length)
      assert.equal(adler32(bytes, at, bytes.length, adler32(bytes, 0, at)), reference(bytes))
    }),
    { numRuns: 50 },
  )
  assert.equal(adler32(Buffer.from('Wikipedia')), 0x11e60398)
})

test('every kind of change is read as it was written', () => {
  const acl = [{ perms: 5, id: { scheme: 'digest', id: 'joe:x' } }]
  const changes: readonly Transaction['change'][] = [
    { type: 'create', path: '/a', data: null, acl, owner: 7n, parentCversion: 3 },
    { type: 'create', path: '/a', data: 'x', acl, owner: 0n, parentCversion: 3 },
    { type: 'create', path: '/a', data: 'x', acl, owner: CONTAINER_OWNER, parentCversion: 3 },
    { type: 'create', path: '/a', data: null, acl, owner: ttlOwner(5000n), parentCversion: 3 },
    { type: 'create', path: '/a', data: Buffer.alloc(2000, 7), acl, owner: 0n, parentCversion: 3 },
    { type: 'delete', path: '/a' },
    { type: 'setData', path: '/a', data: 'y', version: 4 },
    { type: 'setAcl', path: '/a', acl, version: 2 },
    { type: 'createSession', timeoutMs: 6000 },
    { type: 'closeSession', paths: ['/a', '/b'] },
    {
      type: 'multi',
      changes: [
        { type: 'delete', path: '/a' },
        { type: 'check', path: '/b', version: 3 },
        { type: 'create', path: '/c', data: null, acl, owner: 7n, parentCversion: 1 },
      ],
    },
    { type: 'nothing', err: -101 },
  ]
  for (const change of changes) {
    const transaction = { header: { clientId: 7n, cxid: 1, zxid: 2n, time: 3n }, change }
    assert.deepEqual(takeTransaction(transactionBytes(transaction)), transaction)
  }
})

test('synced transactions survive a crash, in whatever state the rest is', async () => {
  const { SeededRandom } = await import('../../src/memory/random.ts')
  for (let seed = 0; seed < 60; seed++) {
    const random = new SeededRandom(seed)
    const disk = newDisk()
    const log = newLog(disk, seed % 2 === 0 ? 1024 : 0)
    const synced = random.below(20)
    if (synced > 0) log.append(range(synced).map((zxid) => create(zxid)))
    await log.sync()
    log.append(
      range(30)
        .slice(synced)
        .map((zxid) => create(zxid)),
    )
    disk.crash(random)
    const before = await found(disk)
    assert.deepEqual(before, range(before.length), 'a prefix of what was written')
    assert.ok(before.length >= synced)
    // The next start finds the same, and a log without damage in the middle of the files.
    const next = newLog(disk)
    next.append([create(before.length + 1)])
    await next.sync()
    disk.crash()
    assert.deepEqual(await found(disk), range(before.length + 1))
  }
})

test('a log that is damaged before its end is refused, not shortened', async () => {
  const disk = newDisk()
  const log = newLog(disk)
  log.append(range(5).map((zxid) => create(zxid)))
  log.roll()
  log.append([create(6)])
  const file = disk.open(`${DIRECTORY}/log.1`, 'readWrite')
  file.write(Buffer.from([0xaa]), 0, 1, 60)
  await assert.rejects(found(disk), /log\.1 is damaged at byte 16; refusing to start/)
})

/** A log whose entries are all on disk, and where each begins and the last ends. */
async function syncedLog(disk: MemoryDisk, count: number) {
  const log = newLog(disk)
  const ends = [16]
  for (const zxid of range(count)) {
    log.append([create(zxid)])
    ends.push((ends.at(-1) ?? 0) + 13 + transactionBytes(create(zxid)).length)
  }
  await log.sync()
  disk.crash()
  return ends
}

test('whatever byte of an acknowledged transaction changes, none behind it is lost in silence', async () => {
  const disk = newDisk()
  const ends = await syncedLog(disk, 6)
  const end = ends.at(-1) ?? 0
  const content = readFile(disk, `${DIRECTORY}/log.1`)
  for (let at = 16; at < end; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const file = disk.open(`${DIRECTORY}/log.1`, 'replace')
      file.write(content, 0, content.length, 0)
      file.write(Buffer.from([(content[at] ?? 0) ^ mask]), 0, 1, at)
      file.close()
      const entry = ends.findLastIndex((start) => start <= at)
      const damage = `log.1 is damaged at byte ${ends[entry]}; refusing to start`
      // Of the last entry a changed length or end looks like a write that was cut short.
      const within = at - (ends[5] ?? 0)
      const isCut = entry === 5 && ((within >= 8 && within < 12) || at === end - 1)
      if (isCut) await found(disk)
      else await assert.rejects(found(disk), new RegExp(damage), `byte ${at} mask ${mask}`)
    }
  }
})

test('sectors that never reached the disk are cut off, with what was written behind them', async () => {
  const disk = newDisk()
  const ends = await syncedLog(disk, 30)
  const content = readFile(disk, `${DIRECTORY}/log.1`)
  for (const hole of [512, 1024]) {
    const file = disk.open(`${DIRECTORY}/log.1`, 'replace')
    file.write(content, 0, content.length, 0)
    file.write(Buffer.alloc(512), 0, 512, hole)
    file.close()
    const whole = ends.filter((end) => end <= hole).length - 1
    assert.deepEqual(await found(disk), range(whole))
    // The next start sees no damage, though the log goes on in another file.
    const next = newLog(disk)
    next.append([create(whole + 1)])
    await next.sync()
    assert.deepEqual(await found(disk), range(whole + 1))
    disk.remove(`${DIRECTORY}/log.${(whole + 1).toString(16)}`)
  }
})

test('a recovery lets others have their turns, in the log and in a snapshot', async () => {
  const clock = new VirtualClock()
  const disk = new MemoryDisk({ clock })
  disk.makeDirectory(DIRECTORY)
  const log = newLog(disk, 0)
  const tree = new DataTree()
  for (const zxid of range(5000)) {
    const { header, change } = create(zxid)
    tree.apply(header, change)
    log.append([{ header, change }])
  }
  const turns = async (): Promise<number> => {
    let count = 0
    let isOver = false
    const tick = (): void => {
      count += 1
      if (!isOver) clock.schedule(0, tick)
    }
    clock.schedule(0, tick)
    await clock.until(recover({ clock, disk, logger: silentLogger }, directories))
    isOver = true
    return count
  }
  assert.ok((await turns()) > 5)
  const sessions: Snapshot['sessions'] = []
  await clock.until(writeSnapshot({ clock, disk }, DIRECTORY, 5000n, { tree, sessions }))
  disk.remove(`${DIRECTORY}/log.1`)
  assert.ok((await turns()) > 5)
})

test('what a limited subtree holds is right after changes during a snapshot are replayed', async () => {
  const clock = new VirtualClock()
  const disk = newDisk()
  const tree = new DataTree()
  const log = newLog(disk)
  let zxid = 0
  const make = (path: string, content: string): void => {
    zxid += 1
    const { header, change } = create(zxid, path)
    assert.ok(change.type === 'create')
    const transaction = { header, change: { ...change, data: content, parentCversion: -1 } }
    log.append([transaction])
    tree.apply(header, transaction.change)
  }
  for (const path of ['/q', '/zookeeper/quota/q']) make(path, '')
  make('/zookeeper/quota/q/zookeeper_limits', 'count=10,bytes=-1')
  make('/zookeeper/quota/q/zookeeper_stats', '')
  for (const index of range(3000)) make(`/n${index}`, '')
  const at = BigInt(zxid)
  const writing = writeSnapshot({ clock, disk }, DIRECTORY, at, { tree, sessions: [] })
  clock.schedule(0, () => make('/q/x', '12345'))
  await clock.until(writing)
  const stats = ({ tree: one }: Pick<Snapshot, 'tree'>) =>
    one.get('/zookeeper/quota/q/zookeeper_stats')?.data
  assert.equal(stats({ tree }), 'count=2,bytes=5')
  const replayed = await recovered(disk)
  assert.equal(replayed.snapshotZxid, at)
  assert.equal(stats(replayed), 'count=2,bytes=5')
})

test('contents of all bytes and sizes go through log and snapshot unchanged', async () => {
  const clock = new VirtualClock()
  const disk = newDisk()
  const tree = new DataTree()
  const log = newLog(disk)
  const contents = [0, 1, 256, 1024, 1025, 70_000].map((length) =>
    Buffer.from(Array.from({ length }, (_, index) => (index * 7) & 0xff)),
  )
  for (const [index, content] of contents.entries()) {
    const { header, change } = create(index + 1)
    assert.ok(change.type === 'create')
    const transaction = { header, change: { ...change, data: keptData(content) } }
    log.append([transaction])
    tree.apply(header, transaction.change)
  }
  const seen = (one: DataTree) =>
    contents.map((_, index) => dataBytes(one.get(`/n${index + 1}`)?.data ?? null))
  assert.deepEqual(seen((await recovered(disk)).tree), contents)
  await clock.until(writeSnapshot({ clock, disk }, DIRECTORY, 6n, { tree, sessions: [] }))
  assert.deepEqual(seen((await snapshotIn(disk, 'snapshot.6')).tree), contents)
})

test('an access list that is replaced while a snapshot is written does not disturb it', async () => {
  const clock = new VirtualClock()
  const disk = newDisk()
  const tree = new DataTree()
  for (const zxid of range(3000)) tree.apply(create(zxid).header, create(zxid).change)
  const writing = writeSnapshot({ clock, disk }, DIRECTORY, 3000n, { tree, sessions: [] })
  const header = { clientId: 1n, cxid: 0, zxid: 3001n, time: 5n }
  const acl = [{ perms: 1, id: { scheme: 'ip', id: '10.0.0.1' } }]
  clock.schedule(0, () => {
    for (const zxid of range(3000)) {
      tree.apply(header, { type: 'setAcl', path: `/n${zxid}`, acl, version: 1 })
    }
  })
  await clock.until(writing)
  const read = await snapshotIn(disk, 'snapshot.bb8')
  assert.deepEqual(read.tree.get('/n1500')?.acl, OPEN)
  assert.deepEqual(tree.get('/n1500')?.acl, acl)
})

test('a snapshot has the whole tree, its access lists and the sessions', async () => {
  const clock = new VirtualClock()
  const disk = newDisk()
  const tree = new DataTree()
  for (const zxid of range(2500)) tree.apply(create(zxid).header, create(zxid).change)
  const acl = [{ perms: 1, id: { scheme: 'ip', id: '10.0.0.0/8' } }]
  const header = { clientId: 9n, cxid: 0, zxid: 2501n, time: 5n }
  tree.apply(header, { type: 'setAcl', path: '/n7', acl, version: 1 })
  tree.apply(header, {
    type: 'create',
    path: '/n7/e',
    data: null,
    acl,
    owner: 9n,
    parentCversion: 1,
  })
  const sessions = [{ id: 9n, timeoutMs: 4000 }]
  await clock.until(writeSnapshot({ clock, disk }, DIRECTORY, 2501n, { tree, sessions }))
  const read = await snapshotIn(disk, 'snapshot.9c5')
  assert.deepEqual(read.sessions, sessions)
  assert.deepEqual(shown(read.tree), shown(tree))
  assert.deepEqual([...read.tree.ephemeralsOf(9n)], ['/n7/e'])
})

test('a byte of a snapshot changed or missing anywhere is noticed', async () => {
  const clock = new VirtualClock()
  const disk = newDisk()
  const tree = new DataTree()
  for (const zxid of range(3)) tree.apply(create(zxid).header, create(zxid).change)
  const sessions = [{ id: 9n, timeoutMs: 4000 }]
  await clock.until(writeSnapshot({ clock, disk }, DIRECTORY, 3n, { tree, sessions }))
  const bytes = readFile(disk, `${DIRECTORY}/snapshot.3`)
  // The number of the database, in bytes 8 to 16, is covered by the sum too.
  const refused = async (content: Buffer, what: string): Promise<void> => {
    const file = disk.open(`${DIRECTORY}/damaged`, 'replace')
    file.write(content, 0, content.length, 0)
    file.close()
    await assert.rejects(snapshotIn(disk, 'damaged'), what)
  }
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    await refused(damaged, `byte ${at}`)
    await refused(bytes.subarray(0, at), `${at} bytes`)
  }
})

function shown(tree: DataTree) {
  return [...tree.paths()].toSorted().map((path) => {
    const node = tree.get(path)
    assert.ok(node)
    return { path, data: node.data, acl: node.acl, ...statOf(node) }
  })
}

test('a snapshot written while nodes change gives the right tree once the log is replayed', async () => {
  const clock = new VirtualClock()
  const disk = newDisk()
  const tree = new DataTree()
  const log = newLog(disk)
  let zxid = 0
  const carryOut = (change: Transaction['change']): void => {
    zxid += 1
    const header = { clientId: 1n, cxid: 0, zxid: BigInt(zxid), time: 9n }
    log.append([{ header, change }])
    tree.apply(header, change)
  }
  const make = (path: string): void => {
    const above = tree.get(path.slice(0, Math.max(1, path.lastIndexOf('/'))))
    const parentCversion = (above?.cversion ?? 0) + 1
    carryOut({ type: 'create', path, data: null, acl: OPEN, owner: 0n, parentCversion })
  }
  for (let index = 0; index < 4000; index++) make(`/n${index}`)
  make('/n10/old')
  const snapshot = writeSnapshot({ clock, disk }, DIRECTORY, BigInt(zxid), { tree, sessions: [] })
  // Between two slices of the writer nodes come, change and go.
  const disturb = (turn: number): void => {
    for (const index of [10, 1500, 2500, 3999]) {
      const path = `/n${index}`
      if (tree.get(`${path}/old`)) carryOut({ type: 'delete', path: `${path}/old` })
      if (tree.get(`${path}/new`)) carryOut({ type: 'delete', path: `${path}/new` })
      carryOut({ type: 'delete', path })
      make(path)
      make(`${path}/new`)
      carryOut({ type: 'setData', path, data: String(turn), version: turn + 1 })
      carryOut({ type: 'setAcl', path, acl: [{ perms: turn, id: OPEN[0]!.id }], version: 1 })
    }
    make(`/late${turn}`)
    make(`/n20/late${turn}`)
    if (turn < 3) clock.schedule(0, () => disturb(turn + 1))
  }
  clock.schedule(0, () => disturb(0))
  await clock.until(snapshot)
  const alone = (await snapshotIn(disk, 'snapshot.fa1')).tree
  const isLater = (path: string): boolean => (alone.get(path)?.czxid ?? 0n) > 4001n
  assert.deepEqual([...alone.paths()].filter(isLater), [])
  const replayed = await recovered(disk)
  assert.equal(replayed.snapshotZxid, 4001n)
  assert.equal(replayed.lastZxid, BigInt(zxid))
  assert.deepEqual(shown(replayed.tree), shown(tree))
})

test('a purge keeps the newest snapshots and every log they need', async () => {
  const clock = new VirtualClock()
  const disk = newDisk()
  const tree = new DataTree()
  const log = newLog(disk)
  for (const zxid of range(50)) {
    const { header, change } = create(zxid)
    log.append([{ header, change }])
    tree.apply(header, change)
    if (zxid % 10 !== 0) continue
    await clock.until(
      writeSnapshot({ clock, disk }, DIRECTORY, header.zxid, { tree, sessions: [] }),
    )
    log.roll()
  }
  purge(disk, directories, { snapshotsRetained: 3, logger: silentLogger })
  const names = (prefix: string): bigint[] =>
    numberedFiles(disk, DIRECTORY, prefix).map(({ zxid }) => zxid)
  assert.deepEqual(names('snapshot'), [30n, 40n, 50n])
  assert.deepEqual(names('log'), [21n, 31n, 41n])
  disk.remove(`${DIRECTORY}/snapshot.28`)
  disk.remove(`${DIRECTORY}/snapshot.32`)
  assert.deepEqual(await found(disk), range(50))
})
