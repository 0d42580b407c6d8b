// Goal: whatever becomes of copies and answers, no record is in the log twice, none that was
// acknowledged is missing, and those are in order. Method: the queue and the meaning of answers
// against a model of a leader, on connections whose copies may arrive long after they were cut.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Batch,
  countOf,
  type ProducerIdentity,
  recordBytes,
} from '../../src/client/producer/batch.ts'
import { isReached, isRefusal, outcomeOf } from '../../src/client/producer/outcomes.ts'
import { PartitionQueue } from '../../src/client/producer/queue.ts'

/** The bytes of a batch as they were when it was sent. */
interface Copy {
  readonly batch: Batch
  readonly epoch: number
  readonly first: number
  readonly records: readonly number[]
}

const [refusedForGood, outOfOrder, fenced] = [87, 45, 47]

/** A partition's leader as Kafka's: the last five batches of a producer, one after a restart. */
class Leader {
  readonly records: number[] = []
  epoch = 0
  next = 0
  #recent: Copy[] = []

  /** The error code it answers. */
  append(copy: Copy, poison: ReadonlySet<number>): number {
    if (copy.records.some((record) => poison.has(record))) return refusedForGood
    if (copy.epoch < this.epoch) return fenced
    if (copy.epoch > this.epoch) {
      if (copy.first !== 0) return outOfOrder
      this.epoch = copy.epoch
      this.next = 0
      this.#recent = []
    }
    if (this.#recent.some(({ first }) => first === copy.first)) return 0
    if (copy.first !== this.next) return outOfOrder
    this.next += copy.records.length
    this.#recent = [...this.#recent.slice(-4), copy]
    this.records.push(...copy.records)
    return 0
  }

  restart(): void {
    this.#recent = this.#recent.slice(-1)
  }
}

/** One producer with one partition, and the connection it uses. */
class Model {
  readonly queue = new PartitionQueue('t', 0)
  readonly leader = new Leader()
  readonly acknowledged: number[] = []
  readonly failed: number[] = []
  /** Sent on the open connection, unanswered, oldest first. */
  open: Copy[] = []
  /** Sent on connections that were cut: nobody hears the answers. */
  cut: Copy[][] = []
  #identity: ProducerIdentity = { producerId: 1, producerEpoch: 0 }
  readonly #poison: ReadonlySet<number>

  constructor(count: number, poison: ReadonlySet<number>) {
    this.#poison = poison
    const value = Buffer.alloc(39)
    const bytes = recordBytes(null, value, [])
    for (let number = 0; number < count; number++) {
      const record = { key: null, value, headers: [], timestamp: number, bytes }
      this.queue.append({ ...record, waiter: () => undefined }, 100, () => 0)
    }
  }

  send(): void {
    const conditions = { nowMs: 0, lingerMs: 0, batchBytes: 100, hurry: true, maxInFlight: 5 }
    for (;;) {
      const batch = this.queue.take({ ...conditions, identity: this.#identity })
      if (typeof batch === 'number') return
      const epoch = this.queue.identity?.producerEpoch ?? -1
      this.open.push({ batch, epoch, first: batch.baseSequence, records: [...batch.timestamps] })
    }
  }

  /** The oldest copy of the open connection arrives, and its answer comes back. */
  answer(): void {
    const copy = this.open.shift()
    if (copy === undefined) return
    const code = this.leader.append(copy, this.#poison)
    if (this.queue.inFlight.includes(copy.batch)) this.#hear(copy.batch, code)
  }

  /** The connection ends; so many of its copies have arrived by then. */
  lose(arrived: number): void {
    for (const copy of this.open.splice(0, arrived)) {
      this.leader.append(copy, this.#poison)
      this.#forget(copy.batch)
    }
    for (const { batch } of this.open) this.#forget(batch)
    this.cut.push(this.open.splice(0))
  }

  /** A copy of a connection that was cut arrives after all. */
  stray(which: number): void {
    const copy = this.cut[which % Math.max(1, this.cut.length)]?.shift()
    if (copy !== undefined) this.leader.append(copy, this.#poison)
  }

  /** The oldest batch's time is up. */
  expire(): void {
    const [batch] = this.queue.inFlight.concat(this.queue.waiting).sort((a, b) => a.order - b.order)
    if (batch !== undefined) this.#fail(batch, false)
  }

  #forget(batch: Batch): void {
    if (this.queue.inFlight.includes(batch)) this.queue.retry(batch, 0)
  }

  #hear(batch: Batch, code: number): void {
    const { queue } = this
    if (isRefusal(code)) batch.untoldCopies -= 1
    const outcome = outcomeOf(code, {
      recordCount: countOf(batch),
      numbered: true,
      earlierUnsettled: queue.hasEarlier(batch),
      mayBeWritten: batch.untoldCopies > 0,
      hasStrays: queue.hasStrays,
      mayGoWithout: false,
    })
    if (outcome === 'done') this.#succeed(batch)
    else if (outcome === 'fail') this.#fail(batch, isRefusal(code))
    else if (outcome === 'newIdentity') this.#renumber(batch)
    else if (outcome === 'ask') this.#ask(batch)
    else queue.retry(batch, 0)
  }

  #ask(batch: Batch): void {
    const { epoch, next } = this.leader
    const isSame = epoch === this.queue.identity?.producerEpoch
    const last = batch.baseSequence + countOf(batch) - 1
    if (isSame && isReached(next - 1, last)) this.#succeed(batch)
    else if (this.queue.hasStrays) this.queue.retry(batch, 0)
    else this.#renumber(batch)
  }

  #renumber(batch: Batch): void {
    this.#renew()
    this.queue.retry(batch, 0)
    this.queue.renumberFrom(batch)
  }

  #succeed(batch: Batch): void {
    this.acknowledged.push(...batch.timestamps)
    this.queue.settle(batch)
  }

  #fail(batch: Batch, isRefused: boolean): void {
    this.failed.push(...batch.timestamps)
    this.#renew()
    this.queue.abandon(batch, isRefused)
  }

  #renew(): void {
    const { producerId, producerEpoch } = this.#identity
    if (this.queue.identity === this.#identity)
      this.#identity = { producerId, producerEpoch: producerEpoch + 1 }
  }
}

type Event =
  | { readonly kind: 'send' | 'answer' | 'expire' | 'restart' }
  | { readonly kind: 'lose' | 'stray'; readonly number: number }

const some = fc.nat(5)
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constantFrom<Event>({ kind: 'send' }, { kind: 'answer' }, { kind: 'answer' }),
  fc.constantFrom<Event>({ kind: 'expire' }, { kind: 'restart' }),
  some.map((number): Event => ({ kind: 'lose', number })),
  some.map((number): Event => ({ kind: 'stray', number })),
)

function play(model: Model, seen: Event): void {
  if (seen.kind === 'send') model.send()
  else if (seen.kind === 'answer') model.answer()
  else if (seen.kind === 'lose') model.lose(seen.number)
  else if (seen.kind === 'stray') model.stray(seen.number)
  else if (seen.kind === 'restart') model.leader.restart()
  else model.expire()
}

test('whatever gets lost or comes late, nothing is written twice and nothing acknowledged is lost', () => {
  const poisons = fc.uniqueArray(fc.nat(11), { maxLength: 2 })
  const events = fc.array(event, { maxLength: 80, size: 'max' })
  const property = fc.property(
    poisons,
    fc.integer({ min: 1, max: 12 }),
    events,
    (bad, count, all) => {
      const model = new Model(count, new Set(bad))
      for (const seen of all) play(model, seen)
      // Then nothing goes wrong any more, but for strays; time runs out for what waits for those.
      for (let round = 0; !model.queue.isEmpty; round++) {
        assert.ok(round < 300, 'it comes to an end')
        model.send()
        if (model.open.length > 0) model.answer()
        if (round % 20 === 19 && model.queue.hasStrays) model.expire()
      }
      while (model.cut.some((copies) => copies.length > 0)) {
        for (const which of model.cut.keys()) model.stray(which)
      }
      const { records } = model.leader
      assert.equal(new Set(records).size, records.length, 'nothing twice')
      const { acknowledged, failed } = model
      assert.equal(acknowledged.length + failed.length, count)
      const kept = records.filter((record) => acknowledged.includes(record))
      assert.deepEqual(
        kept,
        acknowledged.toSorted((a, b) => a - b),
      )
    },
  )
  fc.assert(property, { numRuns: 5000 })
})
