// Goal: bytes that make no sense close their connection and nothing else. Method: raw connections send
// them to a server that a well-behaved client is using.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Connection } from '../../src/runtime/network.ts'
import { opcodes } from '../../src/zookeeper/protocol/opcodes.ts'
import {
  connectRequestPacket,
  recordBody,
  requestPacket,
} from '../../src/zookeeper/protocol/packets.ts'
import * as records from '../../src/zookeeper/protocol/records.ts'
import { PORT, SERVER, World } from './world.ts'

class RawClient {
  received = Buffer.alloc(0)
  isClosed = false
  private readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
    connection.start({
      onData: (chunk) => {
        this.received = Buffer.concat([this.received, chunk])
      },
      onEnd: () => {
        this.isClosed = true
      },
      onClose: () => {
        this.isClosed = true
      },
    })
  }

  send(bytes: Buffer): void {
    this.connection.write(bytes)
  }
}

async function raw(world: World): Promise<RawClient> {
  const connecting = world.network.host('evil').connect({ host: SERVER, port: PORT })
  return new RawClient(await world.wait(connecting))
}

const connectPacket = connectRequestPacket(
  { protocolVersion: 0, lastZxidSeen: 0n, timeOut: 5000, sessionId: 0n, passwd: Buffer.alloc(16) },
  false,
)

async function expectAlive(world: World): Promise<void> {
  const client = await world.client('good')
  await world.wait(client.makePath('/alive'))
  await world.wait(client.close())
}

test('random bytes instead of a connect request close the connection or wait for more', async () => {
  const world = new World()
  await world.startServer()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 4, maxLength: 200 }), async (bytes) => {
      const client = await raw(world)
      client.send(Buffer.from(bytes))
      await world.clock.advance(11_000)
      assert.ok(client.isClosed)
    }),
    { numRuns: 50 },
  )
  await expectAlive(world)
})

test('random bodies of requests are answered or close the connection', async () => {
  const world = new World()
  await world.startServer()
  const types = fc.constantFrom(...Object.values(opcodes), 99, 0x7fffffff)
  await fc.assert(
    fc.asyncProperty(types, fc.uint8Array({ maxLength: 60 }), async (type, bytes) => {
      const client = await raw(world)
      client.send(connectPacket)
      await world.clock.advance(100)
      assert.ok(client.received.length > 0)
      const answered = client.received.length
      client.send(requestPacket(7, type, (writer) => writer.raw(bytes)))
      await world.clock.advance(100)
      assert.ok(client.isClosed || client.received.length > answered)
    }),
    { numRuns: 150 },
  )
  await expectAlive(world)
})

test('a packet beyond jute.maxbuffer closes the connection before it is received', async () => {
  const world = new World()
  await world.startServer({ packetBytesMax: 2000 })
  const client = await raw(world)
  client.send(connectPacket)
  await world.clock.advance(100)
  const request = { path: '/big', data: Buffer.alloc(3000), acl: [], flags: 0 }
  client.send(requestPacket(1, opcodes.create, recordBody(records.CreateRequest, request)))
  await world.clock.advance(100)
  assert.ok(client.isClosed)
  await expectAlive(world)
})

test('an unknown request is answered as unimplemented, and the connection is closed', async () => {
  const world = new World()
  await world.startServer()
  const client = await raw(world)
  client.send(connectPacket)
  await world.clock.advance(100)
  client.received = Buffer.alloc(0)
  client.send(requestPacket(5, 999))
  await world.clock.advance(100)
  assert.deepEqual(
    [
      client.received.readInt32BE(0),
      client.received.readInt32BE(4),
      client.received.readInt32BE(16),
    ],
    [16, 5, -6],
  )
  assert.equal(client.isClosed, true)
})

test('another session cannot be taken over without its password', async () => {
  const world = new World()
  await world.startServer()
  const owner = await world.client('good')
  const client = await raw(world)
  const request = { protocolVersion: 0, lastZxidSeen: 0n, timeOut: 5000 }
  const theft = { ...request, sessionId: owner.sessionId, passwd: Buffer.alloc(16) }
  client.send(connectRequestPacket(theft, false))
  await world.clock.advance(100)
  // Timeout and session id of the answer are 0: expired.
  assert.deepEqual(client.received.subarray(8, 20), Buffer.alloc(12))
  assert.ok(client.isClosed)
  assert.equal(owner.state, 'connected')
})

test('connections of one address are limited, sessionless ones closed after ten seconds', async () => {
  const world = new World()
  await world.startServer({ connectionsPerAddressMax: 2 })
  const [one, two, three] = [await raw(world), await raw(world), await raw(world)]
  await world.clock.advance(100)
  assert.deepEqual([one.isClosed, two.isClosed, three.isClosed], [false, false, true])
  await world.clock.advance(10_000)
  assert.ok(one.isClosed && two.isClosed)
  const later = await raw(world)
  await world.clock.advance(100)
  assert.equal(later.isClosed, false)
})

test('every four-letter word is answered in the form that scripts expect', async () => {
  const world = new World()
  await world.startServer({ fourLetterWords: 'all' })
  const owner = await world.client('good')
  await world.wait(owner.create('/e', null, { ephemeral: true }))
  await world.wait(owner.getData('/e', () => {}))
  const ask = async (word: string): Promise<string> => {
    const client = await raw(world)
    client.send(Buffer.from(word))
    await world.clock.advance(100)
    return client.received.toString()
  }
  const id = `0x${owner.sessionId.toString(16)}`
  const date = String.raw`[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4}`
  const expected: readonly (readonly [word: string, answer: RegExp])[] = [
    ['ruok', /^imok$/],
    ['isro', /^rw$/],
    ['gtmk', /^306$/],
    ['conf', /^clientPort=2181\nsecureClientPort=-1\ndataDir=\/data\/zookeeper\/version-2\n/],
    ['dirs', /^datadir_size: \d+\nlogdir_size: \d+\n$/],
    ['wchs', /^1 connections watching 1 paths\nTotal watches:1\n$/],
    ['wchc', new RegExp(`^${id}\\n\\t/e\\n\\n$`)],
    ['wchp', new RegExp(`^/e\\n\\t${id}\\n\\n$`)],
    ['mntr', /^zk_version\t3\.8\..*\nzk_server_state\tstandalone\nzk_ephemerals_count\t1\n/],
    [
      'dump',
      new RegExp(`^SessionTracker dump:\\nSession Sets \\(1\\)/\\(1\\):\\n1 expire at ${date}:`),
    ],
    ['dump', new RegExp(`Sessions with Ephemerals \\(1\\):\\n${id}:\\n\\t/e\\n`)],
    ['cons', new RegExp(`\\[1\\]\\(queued=0,recved=3,sent=3,sid=${id},lop=GETD,est=\\d+,to=6000,`)],
    ['envi', /^Environment:\nzookeeper\.version=3\.8\./],
    ['crst', /^Connection stats reset\.\n$/],
    ['srst', /^Server stats reset\.\n$/],
    ['stat', /Clients:\n \/.*\[1\]\(queued=0,recved=0,sent=0\)\n/],
    ['srvr', /\nReceived: \d\nSent: \d\nConnections: \d+\n/],
  ]
  for (const [word, answer] of expected) assert.match(await ask(word), answer, word)
})

test('four-letter words are answered when they are allowed', async () => {
  const world = new World()
  await world.startServer({ fourLetterWords: new Set(['srvr', 'ruok']) })
  const ask = async (word: string): Promise<string> => {
    const client = await raw(world)
    client.send(Buffer.from(word))
    await world.clock.advance(100)
    assert.ok(client.isClosed)
    return client.received.toString()
  }
  assert.equal(await ask('ruok'), 'imok')
  assert.match(
    await ask('srvr'),
    /^Zookeeper version: .*\nLatency min\/avg\/max: .*\nReceived: \d+\n/,
  )
  assert.match(await ask('srvr\n'), /Mode: standalone\nNode count: 5\n$/)
  assert.equal(await ask('mntr'), 'mntr is not executed because it is not in the whitelist.\n')
  assert.equal(await ask('abcd'), '')
})
