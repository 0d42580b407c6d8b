/**
 * One dataDir, opened by our coordination server and by Apache ZooKeeper 3.8.4 in turn, under one session
 * that lives through all of it: what one has written, the other shows with every number unchanged.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../test/platform/chain.ts'
import { realPorts } from '../../src/node/ports.ts'
import {
  type Acl,
  creatorAllAcl,
  type Stat,
  type ZooKeeperClient,
} from '../../src/zookeeper/client/client.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { CoordinationOnly } from '../support/coordination.ts'
import { startZooKeeper } from '../support/kafka.ts'

const ports = realPorts({ logLevel: 'ERROR', logStream: process.stderr })
const sessionTimeoutMs = 60_000

function session(port: number): ZooKeeperSession {
  return new ZooKeeperSession(ports, {
    ...{ connect: `127.0.0.1:${port}`, sessionTimeoutMs, connectTimeoutMs: 30_000 },
  })
}

interface Node {
  readonly data: string
  readonly stat: Stat
  readonly acl: readonly Acl[]
}

/** All nodes but ZooKeeper's own. */
async function wholeTree(client: ZooKeeperClient, path = '/'): Promise<Map<string, Node>> {
  const found = new Map<string, Node>()
  const { data, stat } = await client.getData(path)
  const { acl } = await client.getAcl(path)
  found.set(path, { data: data.toString(), stat, acl })
  const { children } = await client.getChildren(path)
  for (const child of children.sort()) {
    const below = path === '/' ? `/${child}` : `${path}/${child}`
    if (below === '/zookeeper') continue
    for (const [name, node] of await wholeTree(client, below)) found.set(name, node)
  }
  return found
}

function lastZxid(tree: ReadonlyMap<string, Node>): bigint {
  const zxids = [...tree.values()].flatMap(({ stat }) => [stat.czxid, stat.mzxid, stat.pzxid])
  return zxids.reduce((one, two) => (one > two ? one : two), 0n)
}

/** A little of everything that a log or a snapshot can hold. Returns the zxids in their order. */
async function write(client: ZooKeeperClient, phase: number): Promise<bigint[]> {
  const zxids: bigint[] = []
  const create: ZooKeeperClient['create'] = async (path, data, options) => {
    const made = await client.create(path, data, options)
    zxids.push(made.stat?.czxid ?? 0n)
    return made
  }
  const home = `/phase-${phase}`
  await create(home, Buffer.from(`of phase ${phase}`))
  for (let n = 0; n < 50; n += 1) await create(`${home}/n${n}`, Buffer.from('x'.repeat(n * 40)))
  await client.delete(`${home}/n7`)
  zxids.push((await client.setData(`${home}/n8`, Buffer.from('changed'), 0)).mzxid)
  await client.setAcl(`${home}/n9`, [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }])
  await create(`${home}/secret`, Buffer.from('for one'), { acl: creatorAllAcl })
  await create(`${home}/nothing`, null)
  await create(`${home}/container`, null, { container: true })
  await create(`${home}/container/inside`, Buffer.from('in'))
  if (phase === 0) await create('/sequence', null)
  for (let n = 0; n < 3; n += 1) {
    const { path } = await create('/sequence/s-', null, { sequential: true, ephemeral: n === 1 })
    const counted = String(phase * 3 + n).padStart(10, '0')
    assert.equal(path, `/sequence/s-${counted}`)
  }
  await create(`${home}/here`, Buffer.from('while the session lives'), { ephemeral: true })
  await client.multi([
    { type: 'check', path: home, version: 0 },
    { type: 'create', path: `${home}/together`, data: Buffer.from('a') },
    { type: 'setData', path: `${home}/n10`, data: Buffer.from('b') },
    { type: 'delete', path: `${home}/n11` },
  ])
  const refused = client.multi([
    { type: 'create', path: `${home}/never`, data: null },
    { type: 'check', path: home, version: 99 },
  ])
  await assert.rejects(refused, { name: 'BADVERSION' })
  return zxids
}

interface Server {
  readonly name: string
  start(): Promise<{ stop(signal?: NodeJS.Signals): Promise<void> }>
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  test(`a dataDir goes to ZooKeeper 3.8.4 and back, twice, by ${signal}`, async (t) => {
    const directory = join(temporaryDirectory(t), 'zookeeper')
    const ours = new CoordinationOnly(directory)
    const startOurs = async () => {
      await ours.start()
      return ours
    }
    const millrace: Server = { name: 'Millrace', start: startOurs }
    const apache: Server = {
      name: 'Apache',
      start: () => startZooKeeper('3.9.1', directory, ours.port),
    }
    let server = await millrace.start()
    t.after(() => server.stop('SIGKILL'))
    const client = session(ours.port)
    await client.start()
    t.after(() => client.close())
    await client.addAuth('digest', Buffer.from('one:password'))
    const { sessionId } = client
    const other = session(ours.port)
    t.after(() => other.close())
    await other.start()
    await other.create('/of-the-other', null, { ephemeral: true })

    let newest = 0n
    for (const [phase, next] of [apache, millrace, apache, millrace].entries()) {
      const zxids = await write(client, phase)
      const sorted = [newest, ...zxids].every(
        (zxid, n, all) => n === 0 || zxid > (all[n - 1] ?? 0n),
      )
      assert.ok(sorted, `zxids grow: ${newest} ${zxids.join(' ')}`)
      const before = await wholeTree(client)
      newest = lastZxid(before)
      await server.stop(signal)
      server = await next.start()
      await client.connected()
      await client.sync('/')
      assert.equal(client.sessionId, sessionId, `${next.name} keeps the session`)
      assert.deepEqual(await wholeTree(client), before, `${next.name} shows what was written`)

      const stranger = session(ours.port)
      await stranger.start()
      await assert.rejects(stranger.getData(`/phase-${phase}/secret`), { name: 'NOAUTH' })
      await assert.rejects(stranger.setData(`/phase-${phase}/n9`, Buffer.from('')), {
        name: 'NOAUTH',
      })
      await stranger.close()
      if (phase === 1) {
        await other.connected()
        await other.close()
        assert.equal(await client.exists('/of-the-other'), null)
      }
    }
    await client.close()
    const after = session(ours.port)
    t.after(() => after.close())
    await after.start()
    for (let phase = 0; phase < 4; phase += 1)
      assert.equal(await after.exists(`/phase-${phase}/here`), null, 'it went with its session')
    const { children } = await after.getChildren('/sequence')
    assert.equal(children.length, 8)
    await after.close()
  })
