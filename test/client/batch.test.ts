// The queue of one partition: order, sequence numbers, retries, splits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Batch,
  countOf,
  type ProducerIdentity,
  type QueuedRecord,
  recordBytes,
} from '../../src/client/producer/batch.ts'
import { encodeBatch, halve } from '../../src/client/producer/encode.ts'
import {
  addToSequence,
  type DrainConditions,
  PartitionQueue,
} from '../../src/client/producer/queue.ts'
import * as header from '../../src/kafka/records/batch.ts'
import { readAllRecords } from '../../src/kafka/records/read.ts'

const record = (number: number, valueBytes = 0): QueuedRecord => {
  const value = Buffer.alloc(valueBytes)
  const bytes = recordBytes(null, value, [])
  return { key: null, value, headers: [], timestamp: number, bytes, waiter: () => undefined }
}
const atZero = (): number => 0

const identity: ProducerIdentity = { producerId: 1, producerEpoch: 0 }
const now: DrainConditions = {
  nowMs: 0,
  lingerMs: 0,
  batchBytes: 100,
  hurry: false,
  identity,
  maxInFlight: 5,
}

function fill(count: number): PartitionQueue {
  const queue = new PartitionQueue('t', 0)
  // 61 bytes of header leave room for one such record in a batch of 100.
  for (let number = 0; number < count; number++) queue.append(record(number, 39), 100, atZero)
  return queue
}

function take(queue: PartitionQueue, conditions = now): Batch {
  const taken = queue.take(conditions)
  assert.ok(typeof taken !== 'number', `nothing to take until ${JSON.stringify(taken)}`)
  return taken
}

test('records join a batch until it is full, and full batches do not linger', () => {
  const queue = new PartitionQueue('t', 0)
  // With its upper bound a record may join below 66 bytes: the third does not.
  const looked = [0, 1, 2].map((number) => queue.append(record(number), 103, atZero))
  assert.deepEqual(looked, [true, false, true])
  assert.equal(queue.waiting.length, 2)
  const lingering = { ...now, lingerMs: 50 }
  assert.equal(countOf(take(queue, lingering)), 2)
  assert.equal(queue.take(lingering), 50)
  assert.equal(countOf(take(queue, { ...lingering, nowMs: 50 })), 1)
})

test('a flush does not linger', () => {
  const queue = new PartitionQueue('t', 0)
  queue.append(record(0), 100, atZero)
  assert.equal(countOf(take(queue, { ...now, lingerMs: 1000, hurry: true })), 1)
})

test('sequence numbers follow the records and wrap after 2^31-1', () => {
  const queue = fill(3)
  assert.deepEqual(
    [take(queue), take(queue), take(queue)].map((one) => one.baseSequence),
    [0, 1, 2],
  )
  assert.equal(addToSequence(0x7fffffff, 1), 0)
  assert.equal(addToSequence(0x7ffffffe, 3), 1)
})

test('no more than maxInFlight batches of a partition are on their way', () => {
  const queue = fill(3)
  take(queue, { ...now, maxInFlight: 2 })
  take(queue, { ...now, maxInFlight: 2 })
  assert.equal(queue.take({ ...now, maxInFlight: 2 }), Infinity)
})

test('a batch keeps its number when it is sent again, alone and in its old place', () => {
  const queue = fill(3)
  const [first, second] = [take(queue), take(queue)]
  queue.retry(first, 30)
  queue.retry(second, 30)
  assert.equal(queue.take(now), 30)
  const later = { ...now, nowMs: 30 }
  const again = take(queue, later)
  assert.equal(again, first)
  assert.equal(again.baseSequence, 0)
  assert.equal(queue.take(later), Infinity)
  queue.settle(first)
  assert.equal(take(queue, later), second)
  queue.settle(second)
  assert.equal(take(queue, later).baseSequence, 2)
})

test('a lost number stops the queue until all came back, then numbering begins anew', () => {
  const queue = fill(3)
  const [first, second] = [take(queue), take(queue)]
  queue.settle(first)
  queue.breakSequence()
  assert.equal(queue.take(now), Infinity)
  queue.retry(second, 0)
  const fresh: ProducerIdentity = { producerId: 2, producerEpoch: 0 }
  const again = take(queue, { ...now, identity: fresh })
  assert.equal(again, second)
  assert.equal(again.baseSequence, 0)
  assert.equal(queue.identity, fresh)
})

test('a partition with numbered batches stays with its identity until they are settled', () => {
  const queue = fill(2)
  const first = take(queue)
  const fresh: ProducerIdentity = { producerId: 2, producerEpoch: 0 }
  const second = take(queue, { ...now, identity: fresh })
  assert.equal(second.baseSequence, 1)
  assert.equal(queue.identity, identity)
  queue.settle(first)
  queue.settle(second)
  queue.append(record(9), 100, atZero)
  assert.equal(take(queue, { ...now, identity: fresh }).baseSequence, 0)
  assert.equal(queue.identity, fresh)
})

test('the halves of a split batch take its place, and both must settle', () => {
  const queue = new PartitionQueue('t', 0)
  for (let number = 0; number < 5; number++) queue.append(record(number), 1000, atZero)
  const whole = take(queue, { ...now, identity: undefined })
  let settled = 0
  whole.settled.push(() => settled++)
  queue.append(record(5), 1000, atZero)
  const { bufferedBytes } = whole
  queue.split(whole, halve(whole))
  const stamps = queue.waiting.map(({ timestamps }) => timestamps)
  assert.deepEqual(stamps, [[0, 1], [2, 3, 4], [5]])
  const halves = queue.waiting.slice(0, 2)
  assert.equal(
    halves.reduce((sum, half) => sum + half.bufferedBytes, 0),
    bufferedBytes,
  )
  for (const half of halves) for (const notify of half.settled) notify()
  assert.equal(settled, 1)
})

test('bytes are the same for every try, but for a number that had to be given anew', () => {
  for (const compression of ['none', 'gzip'] as const) {
    const queue = new PartitionQueue('t', 0)
    for (const number of [1, 2]) queue.append(record(number, number), 1000, atZero)
    const batch = take(queue)
    const encoding = { compression, produceVersion: 9 }
    const first = Buffer.from(encodeBatch(batch, { ...encoding, identity: queue.identity }))
    assert.deepEqual(encodeBatch(batch, { ...encoding, identity: queue.identity }), first)
    queue.retry(batch, 0)
    queue.breakSequence()
    const fresh: ProducerIdentity = { producerId: 7, producerEpoch: 3 }
    assert.equal(take(queue, { ...now, identity: fresh }), batch)
    const again = encodeBatch(batch, { ...encoding, identity: queue.identity })
    assert.deepEqual([header.producerId(again, 0), header.producerEpoch(again, 0)], [7, 3])
    assert.equal(header.verifyCrc(again, 0), true)
    assert.deepEqual(readAllRecords(again), readAllRecords(first))
  }
})

test('a batch can go to an old broker and then to a new one', () => {
  const queue = new PartitionQueue('t', 0)
  for (const number of [1, 2]) queue.append(record(number, number), 1000, atZero)
  const batch = take(queue, { ...now, identity: undefined })
  const values = [2, 9, 2].map((produceVersion) => {
    const bytes = encodeBatch(batch, { compression: 'none', produceVersion, identity: undefined })
    assert.equal(header.magic(bytes, 0), produceVersion === 2 ? 1 : 2)
    return readAllRecords(bytes).map(({ timestamp, value }) => [timestamp, value?.length])
  })
  for (const read of values)
    assert.deepEqual(read, [
      [1, 1],
      [2, 2],
    ])
})

/** What a broker that checks sequence numbers keeps, and how it answers. */
class SequencedLog {
  readonly kept: number[] = []
  #next = new Map<ProducerIdentity, number>()

  append(batch: Batch, from: ProducerIdentity): 'ok' | 'gap' {
    const next = this.#next.get(from) ?? 0
    if (batch.baseSequence < next) return 'ok'
    if (batch.baseSequence > next) return 'gap'
    this.#next.set(from, next + countOf(batch))
    this.kept.push(...batch.timestamps)
    return 'ok'
  }
}

test('whatever gets lost on the way, every record arrives once and in order', () => {
  const fate = fc.constantFrom('arrives', 'arrives', 'request lost', 'answer lost')
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fate, { maxLength: 60 }),
      (count, fates) => {
        const queue = fill(count)
        const log = new SequencedLog()
        for (let round = 0; !queue.isEmpty; round++) {
          assert.ok(round < 500, 'it comes to an end')
          const sent: Batch[] = []
          for (let next = queue.take(now); typeof next !== 'number'; next = queue.take(now)) {
            sent.push(next)
          }
          for (const batch of sent) {
            const what = fates.pop() ?? 'arrives'
            const answer = what === 'request lost' ? 'lost' : log.append(batch, identity)
            if (answer === 'ok' && what === 'arrives') queue.settle(batch)
            else queue.retry(batch, 0)
          }
        }
        assert.deepEqual(
          log.kept,
          Array.from({ length: count }, (_, index) => index),
        )
      },
    ),
  )
})
