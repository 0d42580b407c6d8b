import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutBy } from '../../src/broker/replication/truncation.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { LeaderEpochs } from '../../src/storage/leader-epochs.ts'

/** A replica's log, as far as elections and truncation go. */
class Replica {
  readonly epochs: LeaderEpochs
  records: { readonly epoch: number; readonly id: number }[] = []
  highWatermark = 0

  constructor() {
    const disk = new MemoryDisk({ clock: new VirtualClock() })
    disk.makeDirectory('/t-0')
    this.epochs = new LeaderEpochs(disk, '/t-0/leader-epoch-checkpoint', [])
  }

  get end(): number {
    return this.records.length
  }

  append(record: { readonly epoch: number; readonly id: number }): void {
    if (record.epoch > this.epochs.latestEpoch) this.epochs.assign(record.epoch, this.end)
    this.records.push(record)
  }

  lead(epoch: number): void {
    this.epochs.assign(epoch, this.end)
  }

  cut(offset: number): void {
    this.records.length = Math.min(offset, this.end)
    this.epochs.truncateFromEnd(this.end)
  }

  /** Becomes a follower, as the fetcher does it. Returns how often the leader was asked. */
  follow(leader: Replica): number {
    for (let round = 1; round <= 100; round += 1) {
      const { latestEpoch } = this.epochs
      const answer = leader.epochs.endOffsetFor(latestEpoch, leader.end)
      const cut = cutBy(latestEpoch < 0 ? { epoch: -1, endOffset: -1 } : answer, {
        logEndOffset: this.end,
        highWatermark: this.highWatermark,
        endOffsetFor: (epoch) => this.epochs.endOffsetFor(epoch, this.end),
      })
      this.cut(cut.offset)
      if (cut.isFinal) return round
    }
    throw new Error('the truncation does not end')
  }

  fetch(leader: Replica, count: number): void {
    for (const record of leader.records.slice(this.end, this.end + count)) this.append(record)
  }

  get ids(): number[] {
    return this.records.map(({ id }) => id)
  }
}

function write(replica: Replica, epoch: number, ...ids: number[]): void {
  for (const id of ids) replica.append({ epoch, id })
}

test('KIP-101, loss: a follower that was restarted keeps what it has, though its high watermark is behind', () => {
  const [a, b] = [new Replica(), new Replica()]
  a.lead(0)
  write(a, 0, 1, 2)
  b.follow(a)
  b.fetch(a, 2)
  b.highWatermark = 1
  // Back from its restart b asks the leader before it cuts anything.
  b.follow(a)
  assert.deepEqual(b.ids, [1, 2])
})

test('KIP-101, divergence: whoever comes back gives up what the new leader never had', () => {
  const [a, b] = [new Replica(), new Replica()]
  a.lead(0)
  write(a, 0, 1, 2)
  b.follow(a)
  b.fetch(a, 1)
  b.lead(1)
  write(b, 1, 3)
  a.follow(b)
  assert.deepEqual(a.ids, [1])
  a.fetch(b, 9)
  assert.deepEqual(a.ids, b.ids)
})

test('KIP-279: after two quick elections the logs part where they did, not where one epoch ended', () => {
  const [a, b] = [new Replica(), new Replica()]
  a.lead(0)
  write(a, 0, 1, 2)
  b.follow(a)
  b.fetch(a, 1)
  b.lead(1)
  write(b, 1, 3)
  // a leads again without having heard of epoch 1.
  a.lead(2)
  write(a, 2, 4)
  b.follow(a)
  b.fetch(a, 9)
  assert.deepEqual(b.ids, [1, 2, 4])
})

test('KAFKA-10706: elections in which nothing was written end the truncation all the same', () => {
  const [a, b] = [new Replica(), new Replica()]
  a.lead(0)
  write(a, 0, 1, 2)
  b.follow(a)
  b.fetch(a, 2)
  b.lead(3)
  a.lead(5)
  b.lead(7)
  a.lead(8)
  assert.ok(b.follow(a) <= 3)
  assert.deepEqual(b.ids, [1, 2])
})

test('where no epoch is known, or the leader knows none, the high watermark is all that is sure', () => {
  const log = {
    logEndOffset: 10,
    highWatermark: 4,
    endOffsetFor: () => ({ epoch: -1, endOffset: -1 }),
  }
  assert.deepEqual(cutBy({ epoch: -1, endOffset: -1 }, log), { offset: 4, isFinal: true })
  assert.deepEqual(cutBy({ epoch: -1, endOffset: 7 }, log), { offset: 7, isFinal: true })
  assert.deepEqual(cutBy({ epoch: 3, endOffset: 70 }, log), { offset: 10, isFinal: true })
})

const step = fc.oneof(
  fc.record({ type: fc.constant('lead' as const), who: fc.nat(2), skip: fc.nat(2) }),
  fc.record({ type: fc.constant('write' as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ type: fc.constant('follow' as const), who: fc.nat(2), count: fc.nat(6) }),
)

test('whoever followed has a prefix of its leader, however leaders came and went', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const replicas = [new Replica(), new Replica(), new Replica()]
      let leader = replicas[0]
      let epoch = 0
      let id = 0
      leader?.lead(0)
      for (const one of steps) {
        if (leader === undefined) continue
        if (one.type === 'lead') {
          epoch += 1 + one.skip
          leader = replicas[one.who]
          leader?.lead(epoch)
        } else if (one.type === 'write') {
          for (let count = 0; count < one.count; count += 1) write(leader, epoch, (id += 1))
        } else {
          const follower = replicas[one.who]
          if (follower === undefined || follower === leader) continue
          const before = follower.ids
          follower.follow(leader)
          assert.deepEqual(follower.ids, leader.ids.slice(0, follower.end))
          // What both have from the beginning on stays.
          let common = 0
          while (common < before.length && before[common] === leader.ids[common]) common += 1
          assert.equal(follower.end, common)
          follower.fetch(leader, one.count)
        }
      }
    }),
    { numRuns: 1000 },
  )
})
