// The queue of one partition: order, sequence numbers, retries, splits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addToSequence,
  type Batch,
  type DrainConditions,
  PartitionQueue,
  type PendingRecord,
  type ProducerIdentity,
} from '../../src/client/producer/batch.ts'

const record = (number: number, bytes = 10): PendingRecord => ({
  key: null,
  value: null,
  headers: [],
  timestamp: number,
  bytes,
  resolve: () => undefined,
  reject: () => undefined,
})

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
  for (let number = 0; number < count; number++) queue.append(record(number, 39), 0, 100)
  return queue
}

function take(queue: PartitionQueue, conditions = now): Batch {
  const taken = queue.take(conditions)
  assert.ok(typeof taken !== 'number', `nothing to take until ${JSON.stringify(taken)}`)
  return taken
}

test('records join a batch until it is full, and full batches do not linger', () => {
  const queue = new PartitionQueue('t', 0)
  for (let number = 0; number < 4; number++) queue.append(record(number), 0, 100)
  assert.equal(queue.waiting.length, 2)
  const lingering = { ...now, lingerMs: 50 }
  assert.equal(take(queue, lingering).records.length, 3)
  assert.equal(queue.take(lingering), 50)
  assert.equal(take(queue, { ...lingering, nowMs: 50 }).records.length, 1)
})

test('a flush does not linger', () => {
  const queue = new PartitionQueue('t', 0)
  queue.append(record(0), 0, 100)
  assert.equal(take(queue, { ...now, lingerMs: 1000, hurry: true }).records.length, 1)
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
  queue.append(record(9), 0, 100)
  assert.equal(take(queue, { ...now, identity: fresh }).baseSequence, 0)
  assert.equal(queue.identity, fresh)
})

test('the halves of a split batch take its place, and both must settle', () => {
  const queue = new PartitionQueue('t', 0)
  for (let number = 0; number < 5; number++) queue.append(record(number, 1), 0, 100)
  const whole = take(queue, { ...now, identity: undefined })
  let settled = 0
  whole.settled.push(() => settled++)
  queue.append(record(5, 1), 0, 100)
  queue.split(whole)
  const stamps = queue.waiting.map(({ records }) => records.map(({ timestamp }) => timestamp))
  assert.deepEqual(stamps, [[0, 1], [2, 3, 4], [5]])
  for (const half of queue.waiting.slice(0, 2)) for (const notify of half.settled) notify()
  assert.equal(settled, 1)
})

/** What a broker that checks sequence numbers keeps, and how it answers. */
class SequencedLog {
  readonly kept: number[] = []
  #next = new Map<ProducerIdentity, number>()

  append(batch: Batch, from: ProducerIdentity): 'ok' | 'gap' {
    const next = this.#next.get(from) ?? 0
    if (batch.baseSequence < next) return 'ok'
    if (batch.baseSequence > next) return 'gap'
    this.#next.set(from, next + batch.records.length)
    for (const { timestamp } of batch.records) this.kept.push(timestamp)
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
