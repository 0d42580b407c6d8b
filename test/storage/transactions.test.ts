import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Errors } from '../../src/kafka/errors.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { AppendResult } from '../../src/storage/results.ts'
import { append, asClient, memoryWorld } from './harness.ts'

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

function marker(
  log: PartitionLog,
  producer: Producer,
  commits: boolean,
  coordinatorEpoch = 0,
): AppendResult {
  const key = Buffer.alloc(4)
  key.writeInt16BE(commits ? 1 : 0, 2)
  const value = Buffer.alloc(6)
  value.writeInt32BE(coordinatorEpoch, 2)
  const builder = new RecordBatchBuilder()
  builder.add(1000, key, value)
  const bytes = builder.build({ ...producer, transactional: true, control: true })
  return log.appendAsLeader(bytes, 0, bytes.length, { ...asClient, origin: 'coordinator' })
}

function transactional(log: PartitionLog, producer: Producer, baseSequence: number, count = 1) {
  const lines = Array.from({ length: count }, (_, index) => `${baseSequence + index}`)
  return append(log, lines, { ...producer, baseSequence, transactional: true })
}

async function emptyLog(): Promise<PartitionLog> {
  return (await memoryWorld().open()).create('t', 0)
}

describe('idempotent producers', () => {
  const producer = { producerId: 7, producerEpoch: 0 }

  it('answers a repeated batch with its old offsets and appends nothing', async () => {
    const log = await emptyLog()
    const first = append(log, ['a', 'b'], { ...producer, baseSequence: 0 })
    append(log, ['c'], { ...producer, baseSequence: 2 })
    const again = append(log, ['a', 'b'], { ...producer, baseSequence: 0 })
    assert.equal(again.duplicate, true)
    assert.deepEqual(
      [again.error, again.baseOffset, again.lastOffset],
      [0, first.baseOffset, first.lastOffset],
    )
    assert.equal(log.logEndOffset, 3)
  })

  it('refuses gaps, and knows the last five batches only', async () => {
    const log = await emptyLog()
    assert.equal(append(log, ['x'], { ...producer, baseSequence: 41 }).error, 0)
    const gap = append(log, ['x'], { ...producer, baseSequence: 43 })
    assert.equal(gap.error, Errors.OUT_OF_ORDER_SEQUENCE_NUMBER)
    for (let sequence = 42; sequence < 47; sequence++) {
      assert.equal(append(log, ['x'], { ...producer, baseSequence: sequence }).error, 0)
    }
    assert.equal(append(log, ['x'], { ...producer, baseSequence: 42 }).duplicate, true)
    const old = append(log, ['x'], { ...producer, baseSequence: 41 })
    assert.equal(old.error, Errors.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('wraps sequences, fences older epochs and begins new ones at 0', async () => {
    const log = await emptyLog()
    append(log, ['a', 'b'], { ...producer, baseSequence: 2147483646 })
    assert.equal(append(log, ['c'], { ...producer, baseSequence: 0 }).error, 0)
    const newer = { producerId: 7, producerEpoch: 1 }
    const late = append(log, ['d'], { ...newer, baseSequence: 5 })
    assert.equal(late.error, Errors.OUT_OF_ORDER_SEQUENCE_NUMBER)
    assert.equal(append(log, ['d'], { ...newer, baseSequence: 0 }).error, 0)
    const fenced = append(log, ['e'], { ...producer, baseSequence: 1 })
    assert.equal(fenced.error, Errors.INVALID_PRODUCER_EPOCH)
  })

  it('remembers the last batch after a clean restart and after a kill', async () => {
    for (const clean of [true, false]) {
      const world = memoryWorld()
      const directory = await world.open()
      const log = directory.create('t', 0)
      append(log, ['a'], { ...producer, baseSequence: 0 })
      append(log, ['b'], { ...producer, baseSequence: 1 })
      await directory.close(clean)
      const again = (await world.open()).create('t', 0)
      assert.equal(append(again, ['b'], { ...producer, baseSequence: 1 }).duplicate, true)
      assert.equal(append(again, ['c'], { ...producer, baseSequence: 2 }).error, 0)
      assert.equal(again.logEndOffset, 3)
    }
  })
})

describe('transactions', () => {
  const one = { producerId: 1, producerEpoch: 0 }
  const two = { producerId: 2, producerEpoch: 0 }

  it('hold the last stable offset back until they are decided below the high watermark', async () => {
    const log = await emptyLog()
    append(log, ['plain'])
    transactional(log, one, 0)
    transactional(log, two, 0)
    log.advanceHighWatermark(3)
    assert.equal(log.lastStableOffset, 1)
    marker(log, one, true)
    assert.equal(log.lastStableOffset, 1)
    log.advanceHighWatermark(4)
    assert.equal(log.lastStableOffset, 2)
    marker(log, two, false)
    log.advanceHighWatermark(5)
    assert.equal(log.lastStableOffset, 5)
    assert.deepEqual(log.abortedTransactions(0, 5), [{ producerId: 2, firstOffset: 2 }])
    assert.deepEqual(log.abortedTransactions(0, 2), [])
    assert.deepEqual(log.abortedTransactions(5, 9), [])
  })

  it('count as decided only when their end is below the high watermark', async () => {
    const log = await emptyLog()
    transactional(log, one, 0)
    append(log, ['plain'])
    marker(log, one, true)
    log.advanceHighWatermark(1)
    assert.equal(log.lastStableOffset, 0)
    log.advanceHighWatermark(2)
    assert.equal(log.lastStableOffset, 0)
    log.advanceHighWatermark(3)
    assert.equal(log.lastStableOffset, 3)
  })

  it('refuse markers of older epochs and older coordinators, and plain records inside', async () => {
    const log = await emptyLog()
    transactional(log, { ...one, producerEpoch: 3 }, 0)
    const plain = append(log, ['x'], { ...one, producerEpoch: 3, baseSequence: 1 })
    assert.equal(plain.error, Errors.INVALID_TXN_STATE)
    assert.equal(
      marker(log, { ...one, producerEpoch: 2 }, true).error,
      Errors.INVALID_PRODUCER_EPOCH,
    )
    assert.equal(marker(log, { ...one, producerEpoch: 3 }, true, 9).error, 0)
    const older = marker(log, { ...one, producerEpoch: 3 }, true, 8)
    assert.equal(older.error, Errors.TRANSACTION_COORDINATOR_FENCED)
  })

  it('give the same answers after a kill, over several segments', async () => {
    const plan = fc.array(
      fc.record({
        producer: fc.integer({ min: 1, max: 4 }),
        action: fc.constantFrom('write', 'write', 'write', 'commit', 'abort'),
      }),
      { maxLength: 120 },
    )
    await fc.assert(
      fc.asyncProperty(plan, fc.boolean(), async (steps, clean) => {
        const world = memoryWorld()
        const directory = await world.open()
        const log = directory.create('t', 0)
        const sequences = new Map<number, number>()
        const open = new Map<number, number>()
        const aborted: string[] = []
        for (const { producer, action } of steps) {
          const who = { producerId: producer, producerEpoch: 0 }
          if (action === 'write') {
            const sequence = sequences.get(producer) ?? 0
            const { baseOffset, error } = transactional(log, who, sequence, 2)
            assert.equal(error, 0)
            sequences.set(producer, sequence + 2)
            if (!open.has(producer)) open.set(producer, baseOffset)
          } else {
            const first = open.get(producer)
            marker(log, who, action === 'commit')
            if (first !== undefined && action === 'abort') aborted.push(`${producer}@${first}`)
            open.delete(producer)
          }
        }
        const end = log.logEndOffset
        log.advanceHighWatermark(end)
        const stable = Math.min(end, ...open.values())
        const check = (each: PartitionLog) => {
          assert.equal(each.lastStableOffset, stable)
          const found = each.abortedTransactions(0, end)
          const names = found.map(({ producerId, firstOffset }) => `${producerId}@${firstOffset}`)
          assert.deepEqual(names.sort(), [...aborted].sort())
        }
        check(log)
        await directory.close(clean)
        const again = (await world.open()).create('t', 0)
        again.advanceHighWatermark(again.logEndOffset)
        assert.equal(again.logEndOffset, end)
        check(again)
      }),
      { numRuns: 100 },
    )
  })
})
