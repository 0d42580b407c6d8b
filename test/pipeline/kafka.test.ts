// Goal: offsets are committed only behind what the outputs have acknowledged, in order. Method: a
// scripted consumer and an output that acknowledges when told to; random orders for the tracker.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConsumedRecord, PartitionListener } from '../../src/client/consumer/types.ts'
import { jsonCodec } from '../../src/events/codecs/plain.ts'
import type { PipelineEvent } from '../../src/events/event.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { KafkaReader, type KafkaConsumer } from '../../src/pipeline/inputs/kafka-reader.ts'
import { OffsetTracker, type PartitionOffset } from '../../src/pipeline/inputs/offsets.ts'
import { documentIdOf } from '../../src/pipeline/outputs/document-id.ts'
import { charsetDecoder } from '../../src/text/charsets.ts'
import { testPorts } from './support/ports.ts'

test('whatever the order of acknowledgements, only what has no gap in front is ready', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 }).chain((sizes) =>
        fc.tuple(
          fc.constant(sizes),
          fc.shuffledSubarray(
            sizes.map((_, index) => index),
            { minLength: 0 },
          ),
        ),
      ),
      ([sizes, order]) => {
        const tracker = new OffsetTracker()
        let next = 0
        const ends: number[] = []
        const done = sizes.map((size) => {
          next += size
          ends.push(next)
          return tracker.begin('t', 0, next)
        })
        const acknowledged = new Set<number>()
        for (const index of order) {
          done[index]?.()
          acknowledged.add(index)
          const firstOpen = sizes.findIndex((_, at) => !acknowledged.has(at))
          const safe = firstOpen < 0 ? ends.at(-1) : ends[firstOpen - 1]
          assert.deepEqual(
            tracker.ready(),
            safe === undefined ? [] : [{ topic: 't', partition: 0, offset: safe }],
          )
        }
        assert.equal(tracker.busy([{ topic: 't', partition: 0 }]), acknowledged.size < sizes.length)
        tracker.committed(tracker.ready())
        assert.deepEqual(tracker.ready(), [])
      },
    ),
  )
})

function record(partition: number, offset: number, value: string | null): ConsumedRecord {
  return {
    topic: 't',
    partition,
    offset,
    timestamp: 1000,
    key: Buffer.from('k'),
    value: value === null ? null : Buffer.from(value),
    headers: [{ key: 'h', value: Buffer.from('v') }],
    leaderEpoch: 0,
    timestampType: 'CreateTime',
  }
}

/** Gives what it is told to give; notes what is committed. */
class ScriptedConsumer implements KafkaConsumer {
  readonly polls: ConsumedRecord[][]
  readonly commits: (readonly PartitionOffset[])[] = []
  readonly onEmpty: () => void
  revoked: PartitionListener = () => {}
  closed = false

  constructor(polls: ConsumedRecord[][], onEmpty: () => void) {
    this.polls = polls
    this.onEmpty = onEmpty
  }
  subscribe(): void {}
  onRevoked(listener: PartitionListener): void {
    this.revoked = listener
  }
  poll(): Promise<readonly ConsumedRecord[]> {
    const records = this.polls.shift()
    if (records === undefined) this.onEmpty()
    return new Promise((resolve) => setImmediate(() => resolve(records ?? [])))
  }
  wakeup(): void {}
  commit(offsets?: readonly PartitionOffset[]): Promise<void> {
    this.commits.push(offsets ?? [])
    return Promise.resolve()
  }
  pause(): void {}
  resume(): void {}
  assignment(): readonly PartitionOffset[] {
    return []
  }
  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}

interface Setup {
  readonly reader: KafkaReader<{ admin(): never; close(): Promise<void> } | FakeClient>
  readonly consumer: ScriptedConsumer
  readonly events: PipelineEvent[]
  /** Acknowledgements of the pieces in the order they were handed on. */
  readonly done: (() => void)[]
}

interface FakeClient {
  admin(): {
    describeCluster: () => Promise<{ clusterId: string; controllerId: number; brokers: [] }>
    describeTopics: () => Promise<
      { name: string; error: undefined; topicId: string; internal: boolean; partitions: [] }[]
    >
  }
  close(): Promise<void>
}

async function read(polls: ConsumedRecord[][], clock = new VirtualClock()): Promise<Setup> {
  const events: PipelineEvent[] = []
  const done: (() => void)[] = []
  const charset = charsetDecoder('UTF-8')
  assert.ok(charset !== undefined)
  const client: FakeClient = {
    admin: () => ({
      describeCluster: () => Promise.resolve({ clusterId: 'C', controllerId: 0, brokers: [] }),
      describeTopics: () =>
        Promise.resolve([
          { name: 't', error: undefined, topicId: 'T', internal: false, partitions: [] },
        ]),
    }),
    close: () => Promise.resolve(),
  }
  const consumer: ScriptedConsumer = new ScriptedConsumer(polls, () => reader.stop())
  const reader: KafkaReader<FakeClient> = new KafkaReader(
    testPorts({ clock }),
    {
      open: () => client,
      consume: () => consumer,
      decoder: jsonCodec({ charset, now: () => 0 }).decoder(),
      decorate() {},
    },
    {
      topics: ['t'],
      groupId: 'g',
      commits: true,
      commitIntervalMs: 5000,
      pollTimeoutMs: 1,
      decoration: 'extended',
    },
  )
  await reader.run({
    offer(offered, onDone) {
      events.push(...offered)
      if (onDone !== undefined) done.push(onDone)
      return undefined
    },
  })
  return { reader, consumer, events, done }
}

test('nothing is committed before it is acknowledged; on closing, all that was', async () => {
  const { reader, consumer, done } = await read([
    [record(0, 5, '{"a":1}'), record(0, 6, '{"a":2}'), record(1, 9, '{"a":3}')],
    [record(0, 7, '{"a":4}')],
  ])
  assert.deepEqual(consumer.commits, [])
  const [first, second, third] = done
  assert.equal(done.length, 3)
  third?.()
  await reader.close()
  assert.deepEqual(consumer.commits, [])
  assert.equal(consumer.closed, true)
  first?.()
  second?.()
  await reader.close()
  assert.deepEqual(consumer.commits, [
    [
      { topic: 't', partition: 0, offset: 8 },
      { topic: 't', partition: 1, offset: 10 },
    ],
  ])
})

test('partitions that are taken away are committed as far as they are safe, and then forgotten', async () => {
  const { reader, consumer, done } = await read([[record(0, 5, '{"a":1}')], [record(1, 3, '{}')]])
  for (const acknowledge of done) acknowledge()
  await consumer.revoked([{ topic: 't', partition: 0 }])
  assert.deepEqual(consumer.commits, [
    [
      { topic: 't', partition: 0, offset: 6 },
      { topic: 't', partition: 1, offset: 4 },
    ],
  ])
  await reader.close()
  assert.equal(consumer.commits.length, 1)
})

test('events carry where they came from; several of one record get ids of their own', async () => {
  const { events } = await read([[record(0, 5, '[{"a":1},{"a":2}]'), record(0, 6, null)]])
  assert.equal(events.length, 2)
  assert.deepEqual(events[0]?.metadata['kafka'], {
    topic: 't',
    consumer_group: 'g',
    partition: 0,
    offset: 5,
    key: 'k',
    timestamp: 1000,
    headers: { h: 'v' },
  })
  assert.equal(events[0]?.origin?.topic, 'C/T')
  const ids = events.map(documentIdOf)
  assert.equal(new Set(ids).size, 2)
})
