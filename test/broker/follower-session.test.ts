import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  FollowerSession,
  type SessionRequest,
} from '../../src/broker/replication/follower-session.ts'

const position = (topic: string, partition: number, fetchOffset: number) => ({
  ...{ topic, partition, fetchOffset, currentLeaderEpoch: 0, lastFetchedEpoch: -1 },
  ...{ logStartOffset: 0, partitionMaxBytes: 1 },
})

/** What a leader takes the session for: partitions and where they are fetched from. */
class Leader {
  readonly fetched = new Map<string, number>()
  id = 0
  epoch = 0

  serve(request: SessionRequest): void {
    const isFull = request.sessionEpoch <= 0
    if (isFull) this.fetched.clear()
    else assert.deepEqual([request.sessionId, request.sessionEpoch], [this.id, this.epoch])
    for (const { topic, partitions } of request.topics)
      for (const { partition, fetchOffset } of partitions)
        this.fetched.set(`${topic}-${partition}`, fetchOffset)
    for (const { topic, partitions } of request.forgottenTopicsData)
      for (const partition of partitions) this.fetched.delete(`${topic}-${partition}`)
    if (isFull) this.id += 7
    this.epoch = isFull ? 1 : this.epoch + 1
  }
}

test('a round in which nothing happened names nothing', () => {
  const session = new FollowerSession({ isSessionless: false })
  for (let index = 0; index < 100; index += 1) session.set(`t-${index}`, position('t', index, 0))
  assert.equal(session.next().topics[0]?.partitions.length, 100)
  session.answered(9)
  session.set('t-3', position('t', 3, 5))
  assert.deepEqual(
    session.next().topics[0]?.partitions.map(({ partition }) => partition),
    [3],
  )
  session.answered(9)
  assert.deepEqual(session.next(), {
    ...{ sessionId: 9, sessionEpoch: 2, topics: [], forgottenTopicsData: [] },
  })
})

test('before version 7 every request names all, and no session', () => {
  const session = new FollowerSession({ isSessionless: true })
  session.set('t-0', position('t', 0, 0))
  session.set('t-1', position('t', 1, 0))
  session.next()
  session.answered(0)
  session.remove('t-1')
  const { sessionEpoch, topics, forgottenTopicsData } = session.next()
  assert.deepEqual([sessionEpoch, topics[0]?.partitions.length], [-1, 1])
  assert.deepEqual(forgottenTopicsData, [])
})

const step = fc.oneof(
  fc.record({ type: fc.constant('set' as const), index: fc.nat(4), offset: fc.nat(99) }),
  fc.record({ type: fc.constant('remove' as const), index: fc.nat(4) }),
  fc.record({ type: fc.constant('lost' as const) }),
  fc.record({ type: fc.constant('evicted' as const) }),
)

test('the leader knows what is followed, whatever is set while a request is on its way', () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 20 }), (rounds) => {
      const session = new FollowerSession({ isSessionless: false })
      const leader = new Leader()
      const wanted = new Map<string, number>()
      let told = new Map<string, number>()
      for (const steps of rounds) {
        told = new Map(wanted)
        leader.serve(session.next())
        assert.deepEqual(leader.fetched, told)
        let isAnswered = true
        for (const one of steps) {
          if (one.type === 'set') {
            wanted.set(`t-${one.index}`, one.offset)
            session.set(`t-${one.index}`, position('t', one.index, one.offset))
          } else if (one.type === 'remove') {
            wanted.delete(`t-${one.index}`)
            session.remove(`t-${one.index}`)
          } else isAnswered = false
        }
        if (isAnswered) session.answered(leader.id)
        else session.restart()
      }
    }),
  )
})
