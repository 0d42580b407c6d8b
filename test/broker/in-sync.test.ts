import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InSyncSet, type LeaderView } from '../../src/broker/replication/in-sync.ts'
import { noticeDelayMs } from '../../src/broker/replication/in-sync-notice.ts'

const lagTimeMaxMs = 1000

/** Broker 0 leads 1 and 2. */
class Leader {
  logEndOffset = 0
  highWatermark = 0
  nowMs = 0
  readonly dead = new Set<number>()
  readonly set: InSyncSet

  constructor(isr: readonly number[], logEndOffset = 0) {
    this.logEndOffset = logEndOffset
    const role = { replicas: [0, 1, 2], isr, epochStartOffset: logEndOffset }
    this.set = new InSyncSet(0, role, this.nowMs)
  }

  get view(): LeaderView {
    const { logEndOffset, nowMs } = this
    return { logEndOffset, nowMs, lagTimeMaxMs, isAlive: (id) => !this.dead.has(id) }
  }

  fetch(id: number, fetchOffset: number): void {
    const follower = this.set.follower(id)
    assert.ok(follower)
    this.set.fetched(follower, { fetchOffset, lastFetchedEpoch: -1, logStartOffset: 0 }, this.view)
  }

  advance(): number {
    this.highWatermark = Math.max(this.highWatermark, this.set.replicatedOffset(this.view))
    return this.highWatermark
  }

  joined(id: number): number[] | undefined {
    const follower = this.set.follower(id)
    return follower && this.set.joinedBy(follower, this.highWatermark, this.view)
  }
}

test('the high watermark is what all in sync have fetched, and nothing until they have', () => {
  const leader = new Leader([0, 1, 2])
  leader.logEndOffset = 10
  assert.equal(leader.set.replicatedOffset(leader.view), -1)
  leader.fetch(1, 7)
  assert.equal(leader.set.replicatedOffset(leader.view), -1)
  leader.fetch(2, 9)
  assert.equal(leader.set.replicatedOffset(leader.view), 7)
})

test('who is out of sync holds nothing up, unless it has caught up and is about to join', () => {
  const leader = new Leader([0])
  leader.logEndOffset = 10
  leader.fetch(1, 4)
  assert.equal(leader.set.replicatedOffset(leader.view), 10)
  leader.fetch(2, 10)
  leader.logEndOffset = 12
  assert.equal(leader.set.replicatedOffset(leader.view), 10)
  leader.dead.add(2)
  assert.equal(leader.set.replicatedOffset(leader.view), 12)
})

test('a change that may be written counts: a joining replica at once, a leaving one to the end', () => {
  const leader = new Leader([0, 1])
  leader.logEndOffset = 10
  leader.fetch(1, 10)
  leader.fetch(2, 8)
  leader.dead.add(2)
  leader.set.propose([0, 1, 2])
  assert.equal(leader.set.replicatedOffset(leader.view), 8)
  leader.set.settle([0, 1, 2])
  leader.set.propose([0, 1])
  assert.equal(leader.set.replicatedOffset(leader.view), 8)
  leader.set.settle([0, 1])
  assert.equal(leader.set.replicatedOffset(leader.view), 10)
})

test('a follower joins at the high watermark, past the start of the epoch, alive, one change at a time', () => {
  const leader = new Leader([0], 5)
  leader.logEndOffset = 10
  leader.highWatermark = 4
  leader.fetch(1, 4)
  assert.equal(leader.joined(1), undefined, 'below the start of the epoch')
  leader.fetch(1, 5)
  assert.deepEqual(leader.joined(1), [0, 1])
  leader.highWatermark = 6
  assert.equal(leader.joined(1), undefined, 'below the high watermark')
  leader.fetch(1, 6)
  leader.dead.add(1)
  assert.equal(leader.joined(1), undefined, 'not alive')
  leader.dead.clear()
  leader.set.propose([0, 2])
  assert.equal(leader.joined(1), undefined, 'another change is on its way')
})

test('a follower that fetches, but never all that there was, falls out of sync; one at the end does not', () => {
  const leader = new Leader([0, 1, 2])
  leader.fetch(1, 0)
  leader.fetch(2, 0)
  for (let round = 1; round <= 11; round += 1) {
    leader.nowMs += 100
    leader.logEndOffset += 10
    // As much behind as it was the time before, which is caught up then.
    leader.fetch(1, leader.logEndOffset - 10)
    leader.fetch(2, round)
  }
  assert.deepEqual(leader.set.withoutLaggards(leader.view), [0, 1])
  leader.nowMs += 10_000
  assert.deepEqual(leader.set.withoutLaggards(leader.view), [0])
  leader.fetch(1, leader.logEndOffset)
  leader.nowMs += 10_000
  assert.deepEqual(leader.set.withoutLaggards(leader.view), [0, 1])
})

test('a leader that goes on in a new epoch keeps what it knows, and gives all in sync their time', () => {
  const leader = new Leader([0, 1])
  leader.logEndOffset = 10
  leader.fetch(1, 10)
  const role = { replicas: [0, 1, 2], isr: [0, 1], epochStartOffset: 10 }
  const next = new InSyncSet(0, role, 50_000, leader.set)
  const view = { ...leader.view, nowMs: 50_000 }
  assert.equal(next.replicatedOffset(view), 10)
  assert.equal(next.withoutLaggards({ ...view, logEndOffset: 11 }), undefined)
})

test('the minimum is never more than there are replicas', () => {
  const leader = new Leader([0, 1])
  assert.equal(leader.set.isUnderMinimum(2), false)
  assert.equal(leader.set.isUnderMinimum(3), true)
  assert.equal(new Leader([0, 1, 2]).set.isUnderMinimum(9), false)
})

const event = fc.oneof(
  fc.record({ type: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    type: fc.constant('fetch' as const),
    id: fc.integer({ min: 1, max: 2 }),
    step: fc.integer({ min: 0, max: 4 }),
  }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 900 }) }),
  fc.record({ type: fc.constant('shrink' as const) }),
  fc.record({ type: fc.constant('written' as const), isApplied: fc.boolean() }),
  fc.record({ type: fc.constant('die' as const), id: fc.integer({ min: 1, max: 2 }) }),
)

test('whoever the state may name as in sync has all below the high watermark, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const leader = new Leader([0, 1])
      const has = [0, 0, 0]
      /** What the znode says, and what a write on its way may make of it. */
      let stored: readonly number[] = [0, 1]
      let pending: readonly number[] | undefined
      const propose = (isr: readonly number[] | undefined): void => {
        if (isr === undefined) return
        leader.set.propose(isr)
        pending = isr
      }
      for (const one of events) {
        if (one.type === 'append') leader.logEndOffset += one.count
        else if (one.type === 'wait') leader.nowMs += one.ms
        else if (one.type === 'shrink') propose(leader.set.withoutLaggards(leader.view))
        else if (one.type === 'die') leader.dead.add(one.id)
        else if (one.type === 'fetch' && !leader.dead.has(one.id)) {
          const offset = Math.min((has[one.id] ?? 0) + one.step, leader.logEndOffset)
          has[one.id] = offset
          leader.fetch(one.id, offset)
          propose(leader.joined(one.id))
        } else if (one.type === 'written' && pending !== undefined) {
          // Applied, but the leader hears of it only sometimes.
          stored = pending
          if (one.isApplied) {
            leader.set.settle(stored)
            pending = undefined
          }
        }
        const highWatermark = leader.advance()
        for (const id of [...stored, ...(pending ?? [])])
          if (id !== 0) assert.ok((has[id] ?? 0) >= highWatermark, `${id} lacks what is committed`)
      }
    }),
    { numRuns: 500 },
  )
})

test('the controller is told of many changes at once: 5 s after the last, or 60 s after the last notice', () => {
  const toldMs = 100_000
  assert.equal(noticeDelayMs({ firstMs: 101_000, lastMs: 101_000, toldMs }, 101_000), 5000)
  assert.equal(noticeDelayMs({ firstMs: 101_000, lastMs: 104_000, toldMs }, 105_000), 4000)
  assert.equal(noticeDelayMs({ firstMs: 101_000, lastMs: 159_000, toldMs }, 160_000), 0)
  assert.equal(noticeDelayMs({ firstMs: 300_000, lastMs: 300_000, toldMs }, 300_000), 2500)
})
