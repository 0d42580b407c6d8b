// Method: data directories that Apache ZooKeeper 3.8.4 and 3.4.8 left behind are opened, and every znode
// is compared with what a client of that server saw at the end.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { recover } from '../../src/zookeeper/server/recovery.ts'
import { dataBytes } from '../../src/zookeeper/server/node-data.ts'
import { statOf } from '../../src/zookeeper/server/node.ts'
import type { DataTree } from '../../src/zookeeper/server/tree.ts'

const DIRECTORY = '/data/version-2'
const directories = { snapshots: DIRECTORY, logs: DIRECTORY }

/** What a server would start with. */
function recovered(disk: MemoryDisk) {
  const clock = new VirtualClock()
  return clock.until(recover({ clock, disk, logger: silentLogger }, directories))
}

function diskOf(version: string): MemoryDisk {
  const folder = new URL(`../golden/zookeeper/data-${version}/`, import.meta.url)
  const disk = new MemoryDisk()
  disk.makeDirectory(DIRECTORY)
  const put = (name: string, content: Buffer): void => {
    const file = disk.open(`${DIRECTORY}/${name}`, 'replace')
    file.write(content, 0, content.length, 0)
    file.close()
  }
  put('log.1', gunzipSync(readFileSync(new URL('log.1.gz', folder))))
  const snapshot = new URL('snapshot.0', folder)
  if (existsSync(snapshot)) put('snapshot.0', readFileSync(snapshot))
  return disk
}

interface Listed {
  readonly path: string
}

function byPath(one: Listed, other: Listed): number {
  return one.path < other.path ? -1 : 1
}

/** The tree as golden data has it. */
function listing(tree: DataTree): Listed[] {
  return [...tree.paths()].map((path) => {
    const node = tree.get(path)
    assert.ok(node)
    const { version, cversion, aversion, ephemeralOwner } = statOf(node)
    const acl = node.acl.map(({ perms, id }) => `${id.scheme}:${id.id}:${perms}`)
    const data = dataBytes(node.data)?.toString('utf8') ?? null
    return { path, ephemeral: ephemeralOwner !== 0n, version, cversion, aversion, acl, data }
  })
}

for (const version of ['3.8.4', '3.4.8']) {
  test(`a data directory of ZooKeeper ${version} opens with every node as it was`, async () => {
    const file = new URL(`../golden/zookeeper/data-${version}/nodes.json.gz`, import.meta.url)
    const expected: unknown = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
    const found = await recovered(diskOf(version))
    assert.ok(Array.isArray(expected))
    // 3.4 had no /zookeeper/config, which every later server adds.
    const shown = (all: Listed[]): Listed[] =>
      all.filter(({ path }) => version !== '3.4.8' || !path.startsWith('/zookeeper')).sort(byPath)
    assert.deepEqual(shown(listing(found.tree)), shown(expected))
    assert.ok(found.replayed > 100)
    assert.ok(found.sessions.size > 0)
  })
}

test('a log that begins later than the first transaction is refused without a snapshot', async () => {
  const disk = diskOf('3.4.8')
  disk.rename(`${DIRECTORY}/log.1`, `${DIRECTORY}/log.5`)
  await assert.rejects(recovered(disk), /no usable snapshot/)
})

test('a broken snapshot is passed over for the log', async () => {
  const disk = diskOf('3.8.4')
  const file = disk.open(`${DIRECTORY}/snapshot.0`, 'readWrite')
  file.write(Buffer.from([0xff]), 0, 1, 100)
  const found = await recovered(disk)
  assert.equal(found.snapshotZxid, undefined)
  assert.ok(found.tree.get('/brokers/topics'))
})
