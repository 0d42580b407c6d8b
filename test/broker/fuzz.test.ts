/** Hostile input: whatever comes in, the broker answers or closes, lives, and keeps its memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handlers } from '../../src/broker/handlers/index.ts'
import { encodeRequest } from '../../src/kafka/header.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import type { AnyApi } from '../../src/wire/schema.ts'
import { defaults } from '../../src/wire/schema.ts'
import { awaitCoordinator } from './group-client.ts'
import { batchOf, World } from './world.ts'

/** Requests that say something, so that mutations of them reach deep. */
const bodies: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Produce: {
    ...{ acks: 1, timeoutMs: 100 },
    topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['a', 'b']) }] }],
  },
  Fetch: {
    ...{ maxWaitMs: 10, minBytes: 1 },
    topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 99 }] }],
  },
  ListOffsets: { topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] },
  Metadata: { topics: [{ name: 't' }] },
  OffsetCommit: {
    groupId: 'g',
    topics: [
      {
        name: 't',
        partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'm' }],
      },
    ],
  },
  OffsetFetch: { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] },
  FindCoordinator: { key: 'g' },
  JoinGroup: {
    ...{ groupId: 'g', sessionTimeoutMs: 6000, memberId: '', protocolType: 'consumer' },
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  },
  SyncGroup: { groupId: 'g', memberId: 'm', generationId: 1 },
  DescribeGroups: { groups: ['g', 'h'] },
  ApiVersions: { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' },
  CreateTopics: {
    topics: [{ name: 'made', numPartitions: 1, replicationFactor: 1 }],
    timeoutMs: 10,
  },
  DeleteTopics: { topicNames: ['made'], timeoutMs: 10 },
  DescribeConfigs: { resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }] },
}

/** What a version does not have is left out, or the request cannot be written at all. */
function requestBytes(api: AnyApi, version: number): Buffer | undefined {
  const header = { correlationId: 1, clientId: 'fuzz' }
  for (const body of [{ ...defaults(api.request), ...bodies[api.name] }, defaults(api.request)]) {
    try {
      return Buffer.from(encodeRequest(api, version, header, body as never))
    } catch {
      // The next one says less.
    }
  }
  return undefined
}

function mutated(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes)
  const kind = random.below(4)
  if (kind === 0) return Buffer.concat([sized(copy.subarray(4, 4 + random.below(copy.length - 3)))])
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const at = 4 + random.below(copy.length - 4)
    if (kind === 1) copy[at] = random.below(256)
    else if (kind === 2) copy[at] = [0, 0x7f, 0x80, 0xff][random.below(4)] ?? 0
    else copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8))
  }
  return copy
}

function sized(body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

async function hostileWorld(seed: number): Promise<World> {
  const world = await new World(seed).start({
    'socket.request.max.bytes': '1000000',
    'connections.max.idle.ms': '60000',
  })
  const client = await world.connect()
  await client.createTopic('t')
  await awaitCoordinator(world, client)
  await client.produce('t', ['first'])
  return world
}

/** It works as ever, holds nothing for those who are gone, and complains of no bug. */
async function checkWorld(world: World): Promise<void> {
  const client = await world.connect()
  assert.equal((await client.produce('t', ['last'])).errorCode, 0)
  assert.deepEqual((await client.values('t')).slice(0, 1), ['first'])
  await world.clock.advance(3000)
  assert.equal(world.broker.pendingAnswerBytes, 0)
  const bugs = world.complaints().filter((line) => /Unexpected|Cannot answer|Resigning/.test(line))
  assert.deepEqual(bugs, [])
}

test('mutated requests of every API and version are answered or close their connection', async () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    const world = await hostileWorld(seed)
    const random = new SeededRandom(seed)
    for (const { api, versions } of handlers)
      for (let version = versions[0]; version <= versions[1]; version += 1) {
        const bytes = requestBytes(api, version)
        assert.ok(bytes !== undefined, `${api.name} ${version}`)
        const raw = await world.connectRaw()
        for (let count = 0; count < 8; count += 1) raw.write(mutated(bytes, random))
        await world.clock.advance(20)
        raw.connection.destroy()
      }
    // What waits for others, and cannot see that its client has gone, ends as idle.
    await world.clock.advance(130_000)
    assert.equal(world.broker.connectionCount, 0)
    await checkWorld(world)
  }
})

test('random bytes close their connection', async () => {
  const world = await hostileWorld(1)
  const random = new SeededRandom(9)
  for (let count = 0; count < 200; count += 1) {
    const raw = await world.connectRaw()
    const noise = Buffer.from(random.bytes(1 + random.below(300)))
    raw.write(random.below(2) === 0 ? noise : sized(noise))
    await world.clock.advance(10)
    raw.connection.destroy()
  }
  await checkWorld(world)
})

test('every valid request, cut off at any byte, does no harm', async () => {
  const world = await hostileWorld(2)
  for (const { api, versions } of handlers) {
    const bytes = requestBytes(api, versions[1]) ?? Buffer.alloc(0)
    for (let length = 0; length < bytes.length; length += 7) {
      const raw = await world.connectRaw()
      raw.write(sized(bytes.subarray(4, length + 4)))
      await world.clock.advance(1)
      raw.connection.destroy()
    }
  }
  await checkWorld(world)
})

test('records of all kinds of damage are refused or stored whole, and never unreadable', async () => {
  const world = await hostileWorld(3)
  const random = new SeededRandom(4)
  const client = await world.connect()
  for (let count = 0; count < 300; count += 1) {
    const records = mutated(sized(batchOf(['a', 'b', 'c'])), random).subarray(4)
    const version = random.below(12)
    const partitionData = [{ index: 0, records }]
    const request = { acks: 1, timeoutMs: 10, topicData: [{ name: 't', partitionData }] }
    const { responses } = await client.ask(Produce, version, request)
    assert.equal(responses.length, 1)
  }
  const { highWatermark } = await client.fetch('t', 0)
  let next = 0
  while (next < Number(highWatermark)) {
    const seen = (await client.values('t', next)).length
    assert.ok(seen > 0)
    next += seen
  }
  await checkWorld(world)
})

test('a frame that is begun and never ended, or too large, is given up', async () => {
  const world = await hostileWorld(5)
  const slow = await world.connectRaw()
  slow.write('00010000')
  for (let minute = 0; minute < 3; minute += 1) {
    await world.clock.advance(59_000)
    if (!slow.isClosed) slow.write('00')
  }
  assert.ok(slow.isClosed)
  const large = await world.connectRaw()
  large.write('000f4241')
  await world.clock.advance(3000)
  assert.ok(large.isClosed)
  await checkWorld(world)
})
