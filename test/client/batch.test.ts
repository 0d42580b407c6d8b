// The queue of one partition: order, sequence numbers, retries, splits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
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

test('a refused number stops the queue until all came back, then numbering begins anew', () => {
  const queue = fill(3)
  const [first, second] = [take(queue), take(queue)]
  first.untoldCopies = 0
  queue.abandon(first, true)
  assert.equal(queue.take(now), Infinity)
  queue.retry(second, 0)
  const fresh: ProducerIdentity = { producerId: 2, producerEpoch: 0 }
  const again = take(queue, { ...now, identity: fresh })
  assert.equal(again, second)
  assert.equal(again.baseSequence, 0)
  assert.equal(queue.identity, fresh)
})

test('what follows a batch of unknown fate keeps its number until that fate is known', () => {
  const queue = fill(3)
  const [first, second] = [take(queue), take(queue)]
  queue.retry(second, 0)
  queue.abandon(first, false)
  assert.equal(queue.hasStrays, true)
  const again = take(queue)
  assert.deepEqual([again, again.baseSequence, queue.identity], [second, 1, identity])
  assert.equal(queue.take(now), Infinity)
  queue.settle(second)
  // The broker took the second, so it had the first: no new identity is needed.
  assert.equal(take(queue).baseSequence, 2)
  assert.equal(queue.hasStrays, false)
})

test('batches never sent begin anew when nothing tells what became of those before them', () => {
  const queue = fill(2)
  queue.abandon(take(queue), false)
  const fresh: ProducerIdentity = { producerId: 1, producerEpoch: 1 }
  assert.equal(take(queue, { ...now, identity: fresh }).baseSequence, 0)
  assert.equal(queue.identity, fresh)
})

test('a batch that may be written is not numbered anew for a refused one behind it', () => {
  const queue = fill(3)
  const [first, second, third] = [take(queue), take(queue), take(queue)]
  second.untoldCopies = 0
  queue.retry(first, 0)
  queue.abandon(second, true)
  queue.retry(third, 0)
  assert.deepEqual([take(queue), first.baseSequence], [first, 0])
  assert.equal(queue.take(now), Infinity)
  queue.settle(first)
  const fresh: ProducerIdentity = { producerId: 1, producerEpoch: 1 }
  assert.deepEqual([take(queue, { ...now, identity: fresh }), third.baseSequence], [third, 0])
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

test('the halves of a numbered batch share its numbers, and what follows keeps its own', () => {
  const queue = new PartitionQueue('t', 0)
  for (let number = 0; number < 5; number++) queue.append(record(number), 1000, atZero)
  const whole = take(queue)
  queue.append(record(5), 1000, atZero)
  const next = take(queue)
  queue.split(whole, halve(whole))
  queue.retry(next, 0)
  const places = queue.waiting.map(({ order, baseSequence }) => [order, baseSequence])
  assert.deepEqual(places, [
    [0, 0],
    [2, 2],
    [5, 5],
  ])
  const [first, second] = queue.waiting
  assert.ok(first !== undefined && second !== undefined)
  assert.deepEqual([queue.hasEarlier(first), queue.hasEarlier(second)], [false, true])
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
    queue.renumberFrom(batch)
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
