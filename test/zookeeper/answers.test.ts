// Goal: the codes of an Apache ZooKeeper 3.8.4 for requests at the edges, as it gave them when it was
// asked the same. Method: raw requests, so that no client of ours corrects them first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Writer } from '../../src/wire/writer.ts'
import { putMultiRequest } from '../../src/zookeeper/protocol/multi.ts'
import { opcodes } from '../../src/zookeeper/protocol/opcodes.ts'
import {
  connectRequestPacket,
  recordBody,
  requestPacket,
} from '../../src/zookeeper/protocol/packets.ts'
import * as records from '../../src/zookeeper/protocol/records.ts'
import { PORT, SERVER, World } from './world.ts'

interface Answer {
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
  readonly body: Buffer
}

class RawClient {
  private readonly world: World
  private received = Buffer.alloc(0)
  private xid = 0
  private send: (bytes: Buffer) => void = () => {}

  constructor(world: World) {
    this.world = world
  }

  async open(): Promise<this> {
    const connecting = this.world.network.host('raw').connect({ host: SERVER, port: PORT })
    const connection = await this.world.wait(connecting)
    connection.start({
      onData: (chunk) => {
        this.received = Buffer.concat([this.received, chunk])
      },
      onClose() {},
    })
    this.send = (bytes) => void connection.write(bytes)
    const nobody = { sessionId: 0n, passwd: Buffer.alloc(16), lastZxidSeen: 0n }
    this.send(connectRequestPacket({ protocolVersion: 0, timeOut: 6000, ...nobody }, false))
    await this.world.clock.advance(50)
    this.received = Buffer.alloc(0)
    return this
  }

  async ask(type: number, body?: (writer: Writer) => void): Promise<Answer> {
    this.xid += 1
    this.send(requestPacket(this.xid, type, body))
    await this.world.clock.advance(50)
    const packet = this.received
    this.received = Buffer.alloc(0)
    return {
      xid: packet.readInt32BE(4),
      zxid: packet.readBigInt64BE(8),
      err: packet.readInt32BE(16),
      body: packet.subarray(20),
    }
  }
}

const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
const NOTHING_ALLOWED = [{ perms: 0, id: { scheme: 'world', id: 'anyone' } }]
const create = (path: string | null, acl = OPEN) =>
  recordBody(records.CreateRequest, { path, data: null, acl, flags: 0 })
const look = (path: string | null) => recordBody(records.GetDataRequest, { path, watch: false })
const remove = (path: string) => recordBody(records.DeleteRequest, { path, version: -1 })
const watched = (path: string, type: number) =>
  recordBody(records.CheckWatchesRequest, { path, type })

test('requests at the edges are answered with the codes of the original', async () => {
  const world = new World()
  await world.startServer()
  const client = await new RawClient(world).open()
  const { create: CREATE, getData, exists, getChildren, addWatch, checkWatches } = opcodes
  const cases: readonly (readonly [number, ((writer: Writer) => void) | undefined, number])[] = [
    [CREATE, create('/a'), 0],
    [CREATE, create('/closed', NOTHING_ALLOWED), 0],
    [CREATE, create(null), -5],
    [CREATE, create('bad'), -8],
    [CREATE, create('/a/'), -8],
    [CREATE, undefined, -5],
    [getData, look('bad'), -101],
    [getData, look('/a/'), -101],
    [getData, look(''), 0],
    [getData, look(null), -5],
    [exists, look('bad'), -101],
    [exists, look(''), 0],
    [exists, look('/closed'), -102],
    [getChildren, look('bad'), -101],
    [opcodes.delete, remove('/a/'), -101],
    [opcodes.delete, remove('bad'), -8],
    [opcodes.delete, remove('/closed/none'), -102],
    [opcodes.delete, remove('/zookeeper/quota'), -8],
    [addWatch, recordBody(records.AddWatchRequest, { path: 'bad', mode: 0 }), 0],
    [addWatch, recordBody(records.AddWatchRequest, { path: '/a', mode: 7 }), -5],
    [addWatch, recordBody(records.AddWatchRequest, { path: '/r', mode: 1 }), 0],
    [checkWatches, watched('/r', 1), 0],
    [checkWatches, watched('/r', 2), 0],
    [checkWatches, watched('/none', 3), -121],
    [checkWatches, watched('/r', 9), -5],
    [
      opcodes.multi,
      (writer) =>
        putMultiRequest(writer, [{ type: opcodes.getData, request: { path: '/a', watch: false } }]),
      -5,
    ],
  ]
  for (const [index, [type, body, err]] of cases.entries()) {
    const answer = await client.ask(type, body)
    assert.deepEqual([answer.xid, answer.err], [index + 1, err], `case ${index}`)
  }
})

test('a refused write takes a zxid, survives a restart, and changes nothing', async () => {
  const world = new World()
  await world.startServer()
  const client = await new RawClient(world).open()
  const first = await client.ask(opcodes.create, create('/a'))
  const refused = await client.ask(opcodes.create, create('/a'))
  assert.deepEqual([refused.err, refused.zxid], [-110, first.zxid + 1n])
  const read = await client.ask(opcodes.exists, look('/a'))
  assert.equal(read.zxid, first.zxid + 1n)
  world.crashServer()
  const server = await world.startServer()
  assert.equal(server.shown()?.lastZxid, first.zxid + 1n)
})

test('answers outside the order of transactions show no zxid', async () => {
  const world = new World()
  await world.startServer()
  const client = await new RawClient(world).open()
  await client.ask(opcodes.create, create('/a'))
  const credentials = { type: 0, scheme: 'digest', auth: Buffer.from('u:p') }
  const proved = await client.ask(opcodes.auth, recordBody(records.AuthPacket, credentials))
  assert.deepEqual([proved.xid, proved.zxid, proved.err], [-4, 0n, 0])
  const unknown = await client.ask(999)
  assert.deepEqual([unknown.zxid, unknown.err], [-1n, -6])
})
