import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BrowseAnswer, type BrowseRequest, browse } from '../../src/console/browse.ts'
import { cursorText, parseBrowseQuery, parseCursor } from '../../src/console/browse-request.ts'
import type { RawMessage } from '../../src/console/kafka.ts'
import { type FakePartition, FakeTopics, record } from './support/fake-topics.ts'

const stillClock = { monotonicMs: () => 0 }

function request(changes: Partial<BrowseRequest>): BrowseRequest {
  return { ...parseBrowseQuery('t', {}), ...changes }
}

function filled(count: number, partition = 0, begin = 0): FakePartition {
  const records = Array.from({ length: count }, (_, index) =>
    record(partition, begin + index, `value ${begin + index}`),
  )
  return { begin, end: begin + count, records }
}

function places(answer: BrowseAnswer): string[] {
  return answer.messages.map(({ partition, offset }) => `${partition}:${offset}`)
}

test('newest first reads only the end of a long partition', async () => {
  const reader = new FakeTopics([{ name: 't', partitions: [filled(10_000)] }])
  const answer = await browse({ reader, clock: stillClock }, request({ limit: 30 }))
  assert.deepEqual(
    places(answer),
    Array.from({ length: 30 }, (_, index) => `0:${9_999 - index}`),
  )
  assert.equal(answer.stoppedBy, 'limit')
  assert.ok(reader.polledRecords <= 80, `${reader.polledRecords} records were read`)
  assert.equal(reader.openCursors, 0)
})

test('partitions are merged by time and offsets stay in order within each', async () => {
  const partitions = [filled(50, 0), filled(3, 1), filled(0, 2)]
  const reader = new FakeTopics([{ name: 't', partitions }])
  const oldest = await browse(
    { reader, clock: stillClock },
    request({ from: { kind: 'oldest' }, limit: 5 }),
  )
  assert.deepEqual(places(oldest), ['0:0', '1:0', '0:1', '1:1', '0:2'])
  const newest = await browse({ reader, clock: stillClock }, request({ limit: 100 }))
  assert.equal(newest.messages.length, 53)
  assert.equal(newest.stoppedBy, 'end')
})

test('offset, timestamp and partition say where to begin', async () => {
  const reader = new FakeTopics([{ name: 't', partitions: [filled(20, 0), filled(20, 1)] }])
  const ports = { reader, clock: stillClock }
  const byOffset = request({ from: { kind: 'offset', offset: 18 }, partition: 1 })
  assert.deepEqual(places(await browse(ports, byOffset)), ['1:18', '1:19'])
  const byTime = request({ from: { kind: 'timestamp', timestampMs: 1_000_181 } })
  assert.deepEqual(places(await browse(ports, byTime)), ['1:18', '0:19', '1:19'])
  const beyond = request({ from: { kind: 'offset', offset: 1_000 } })
  const nothing = await browse(ports, beyond)
  assert.deepEqual([nothing.messages.length, nothing.stoppedBy], [0, 'end'])
})

test('a filter looks into values, keys and headers, in any case, and scans on until enough is found', async () => {
  const partition = filled(5_000)
  partition.records[7] = record(0, 7, 'A Needle in a value')
  partition.records[2_000] = record(0, 2_000, 'x', { key: Buffer.from('NEEDLE key') })
  partition.records[4_990] = record(0, 4_990, null, {
    headers: [{ key: 'h', value: Buffer.from('needle') }],
  })
  const reader = new FakeTopics([{ name: 't', partitions: [partition] }])
  const answer = await browse({ reader, clock: stillClock }, request({ filter: 'nEEdle' }))
  assert.deepEqual(places(answer), ['0:4990', '0:2000', '0:7'])
  assert.equal(answer.scannedRecords, 5_000)
  assert.equal(answer.stoppedBy, 'end')
})

test('offsets without records, as compaction and transaction markers leave them, do not stop a read', async () => {
  const partition: FakePartition = {
    begin: 5,
    end: 200,
    records: [record(0, 7, 'a'), record(0, 120, 'b'), record(0, 197, 'c')],
  }
  const reader = new FakeTopics([{ name: 't', partitions: [partition] }])
  const answer = await browse({ reader, clock: stillClock }, request({}))
  assert.deepEqual(places(answer), ['0:197', '0:120', '0:7'])
  assert.equal(answer.stoppedBy, 'end')
})

test('a read ends when its time is up and tells where to go on', async () => {
  const reader = new FakeTopics([{ name: 't', partitions: [filled(5_000)] }], 10)
  let nowMs = 0
  reader.onPoll = () => {
    nowMs += 100
  }
  const clock = { monotonicMs: () => nowMs }
  const from = { kind: 'oldest' } as const
  const limits = { timeMs: 1_000, scannedBytes: 1 << 30 }
  const answer = await browse({ reader, clock }, request({ from, filter: 'none' }), limits)
  assert.equal(answer.stoppedBy, 'time')
  assert.equal(answer.scannedRecords, answer.next.bounds.get(0))
  assert.equal(reader.openCursors, 0)
})

test('large records are read in smaller pieces, and the newest is always found', async () => {
  const records = Array.from({ length: 200 }, (_, offset) =>
    record(0, offset, Buffer.alloc(100_000, 'x')),
  )
  const reader = new FakeTopics([{ name: 't', partitions: [{ begin: 0, end: 200, records }] }], 1)
  const limits = { timeMs: 1_000, scannedBytes: 4_000_000 }
  const answer = await browse({ reader, clock: stillClock }, request({}), limits)
  assert.equal(answer.stoppedBy, 'bytes')
  assert.equal(answer.messages[0]?.offset, 199)
  const gone = await browse({ reader, clock: stillClock }, request({ limit: 3 }), limits)
  assert.deepEqual([gone.stoppedBy, places(gone)], ['limit', ['0:199', '0:198', '0:197']])
  assert.ok(answer.scannedBytes < 6_000_000, `${answer.scannedBytes} bytes were read`)
})

const anyTopic = fc.array(
  fc.record({
    gaps: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 60 }),
    tail: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
)

/** Partitions with holes between offsets and times that do not follow the offsets. */
function topicOf(shape: readonly { gaps: readonly number[]; tail: number }[]): FakePartition[] {
  return shape.map(({ gaps, tail }, partition) => {
    const records: RawMessage[] = []
    let offset = 0
    for (const gap of gaps) {
      offset += gap
      const timestampMs = 1_000 + ((offset * 7919) % 97)
      records.push(record(partition, offset, `v${offset % 3}`, { timestampMs }))
    }
    return { begin: 0, end: offset + 1 + tail, records }
  })
}

for (const start of ['newest', 'oldest'] as const) {
  test(`reading on from ${start} gives every matching record once, in order per partition`, async () => {
    const anyFilter = fc.constantFrom('', 'v1', 'none')
    const anyCase = fc.tuple(anyTopic, fc.integer({ min: 1, max: 20 }), anyFilter)
    await fc.assert(
      fc.asyncProperty(anyCase, async ([shape, limit, filter]) => {
        const partitions = topicOf(shape)
        const reader = new FakeTopics([{ name: 't', partitions }], 7)
        const seen: string[] = []
        let asked = request({ from: { kind: start }, limit, filter })
        for (let page = 0; page < 300; page++) {
          const answer = await browse({ reader, clock: stillClock }, asked)
          assert.ok(answer.messages.length <= limit)
          seen.push(...places(answer))
          if (answer.stoppedBy === 'end') break
          const cursor = parseCursor(cursorText(answer.next))
          asked = { ...asked, from: { kind: 'cursor', cursor } }
        }
        for (const [number, { records }] of partitions.entries()) {
          const expected = records
            .filter(({ value }) => value?.includes(filter))
            .map(({ offset }) => `${number}:${offset}`)
          const found = seen.filter((place) => place.startsWith(`${number}:`))
          assert.deepEqual(found, start === 'newest' ? expected.toReversed() : expected)
        }
      }),
      { numRuns: 150 },
    )
  })
}
