// Goal: what clients leave unread or send too fast costs a bounded amount, and nobody else is held up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../src/runtime/network.ts'
import { opcodes } from '../../src/zookeeper/protocol/opcodes.ts'
import {
  connectRequestPacket,
  recordBody,
  requestPacket,
} from '../../src/zookeeper/protocol/packets.ts'
import * as records from '../../src/zookeeper/protocol/records.ts'
import type { CoordinationServer } from '../../src/zookeeper/server/server.ts'
import { RequestsUnderWay } from '../../src/zookeeper/server/under-way.ts'
import { PORT, SERVER, World } from './world.ts'

const BIG = 200_000

/** A client of its own host that reads only when it is told to. */
class RawClient {
  received = 0
  isClosed = false
  readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
    connection.start({
      onData: (chunk) => {
        this.received += chunk.length
      },
      onClose: () => {
        this.isClosed = true
      },
    })
  }
}

async function connected(world: World, timeOut = 6000): Promise<RawClient> {
  const connecting = world.network.host('slow').connect({ host: SERVER, port: PORT })
  const client = new RawClient(await world.wait(connecting))
  const nobody = { sessionId: 0n, passwd: Buffer.alloc(16), lastZxidSeen: 0n }
  client.connection.write(connectRequestPacket({ protocolVersion: 0, timeOut, ...nobody }, false))
  await world.clock.advance(50)
  assert.ok(client.received > 0)
  return client
}

const getBig = requestPacket(
  2,
  opcodes.getData,
  recordBody(records.GetDataRequest, { path: '/big', watch: false }),
)

async function worldWithBigNode(): Promise<{ world: World; server: CoordinationServer }> {
  const world = new World()
  const server = await world.startServer()
  const owner = await world.client('owner')
  await world.wait(owner.create('/big', Buffer.alloc(BIG, 1)))
  await world.wait(owner.close())
  return { world, server }
}

test('who does not read its answers gets few, and none once it has left', async () => {
  const { world, server } = await worldWithBigNode()
  const clients: RawClient[] = []
  for (let index = 0; index < 10; index++) {
    const client = await connected(world)
    client.connection.pause()
    client.connection.write(Buffer.concat(Array.from({ length: 500 }, () => getBig)))
    clients.push(client)
  }
  await world.clock.advance(1000)
  const sent = server.shown()?.counters.sentBytes ?? 0
  assert.ok(sent > 10 * BIG && sent < 10 * 20 * BIG, String(sent))
  const other = await world.client('other')
  assert.equal((await world.wait(other.getData('/big'))).data?.length, BIG)
  const before = server.shown()?.counters.sentBytes ?? 0
  for (const { connection } of clients) connection.destroy()
  await world.clock.advance(1000)
  assert.equal(server.shown()?.connections.length, 1)
  const after = server.shown()?.counters.sentBytes ?? 0
  assert.ok(after - before < BIG, String(after - before))
})

test('a client that takes its answers slowly gets all of them and keeps its session', async () => {
  const { world, server } = await worldWithBigNode()
  const client = await connected(world, 2000)
  client.connection.pause()
  client.connection.write(Buffer.concat(Array.from({ length: 100 }, () => getBig)))
  for (let step = 0; step < 1000 && client.received < 100 * BIG; step++) {
    client.connection.write(requestPacket(-2, opcodes.ping))
    client.connection.resume()
    await world.clock.advance(5)
    client.connection.pause()
    await world.clock.advance(500)
  }
  assert.ok(client.received > 100 * BIG)
  assert.equal(client.isClosed, false)
  assert.equal(server.shown()?.sessions.size, 1)
})

test('a client that takes nothing for its session time loses session and connection', async () => {
  const { world, server } = await worldWithBigNode()
  const client = await connected(world, 4000)
  client.connection.pause()
  client.connection.write(Buffer.concat(Array.from({ length: 100 }, () => getBig)))
  await world.clock.advance(6500)
  assert.equal(server.shown()?.sessions.size, 0)
  assert.equal(server.shown()?.connections.length, 0)
})

test('beyond globalOutstandingLimit who has a request under way waits for it', () => {
  const underWay = new RequestsUnderWay(10)
  for (let count = 0; count < 10; count++) underWay.begin(100)
  assert.equal(underWay.isFull, false)
  underWay.begin(100)
  assert.equal(underWay.isFull, true)
  for (let count = 0; count < 5; count++) underWay.end(100)
  assert.equal(underWay.hasRoom, false)
  underWay.end(100)
  assert.deepEqual([underWay.isFull, underWay.hasRoom], [false, true])
  // Large requests fill it, too.
  underWay.begin(65 << 20)
  assert.deepEqual([underWay.isFull, underWay.hasRoom], [true, false])
})

test('writes beyond the limit are all carried out, in their order', async () => {
  const world = new World()
  const server = await world.startServer({ requestsUnderWayMax: 3 })
  const clients = [await connected(world), await connected(world)]
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
  for (const [number, { connection }] of clients.entries()) {
    const packets = Array.from({ length: 100 }, (_, index) => {
      const path = index === 0 ? `/${number}` : `/${number}/${index}`
      const request = { path, data: null, acl, flags: 0 }
      return requestPacket(index + 1, opcodes.create, recordBody(records.CreateRequest, request))
    })
    connection.write(Buffer.concat(packets))
  }
  await world.clock.advance(1000)
  const tree = server.shown()?.tree
  assert.equal(tree?.nodeCount, 4 + 200)
  const zxids = Array.from({ length: 99 }, (_, index) => tree?.get(`/0/${index + 1}`)?.czxid ?? 0n)
  assert.deepEqual(
    zxids,
    zxids.toSorted((one, other) => Number(one - other)),
  )
})
