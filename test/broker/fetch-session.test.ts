import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  FetchSession,
  nextEpoch,
  type Asked,
  type PartitionFacts,
} from '../../src/broker/fetching/session.ts'
import { FetchSessions } from '../../src/broker/fetching/sessions.ts'
import { Errors } from '../../src/kafka/errors.ts'

const zeroId = 'AAAAAAAAAAAAAAAAAAAAAA'

function asked(partition: number, fetchOffset = 0, topic = 't'): Asked {
  const wanted = {
    ...{ partition, fetchOffset, partitionMaxBytes: 1000, currentLeaderEpoch: -1 },
    ...{ lastFetchedEpoch: -1, logStartOffset: -1, replicaDirectoryId: zeroId },
    highWatermark: 0,
  }
  return { topic, topicId: zeroId, wanted }
}

function sessionsOf(slots: number): FetchSessions {
  let id = 0
  return new FetchSessions({ slots, randomId: () => (id += 1) })
}

const options = (nowMs: number, usesTopicIds = false) => ({
  ...{ usesTopicIds, nowMs },
})
const request = (sessionId: number, sessionEpoch: number) => ({
  ...{ sessionId, sessionEpoch, forgottenTopicsData: [] },
})
const consumer = { isFollower: false, usesTopicIds: false }
const follower = { isFollower: true, usesTopicIds: false }
const parts = (count: number) => Array.from({ length: count }, (_, index) => asked(index))

function begun(
  sessions: FetchSessions,
  count: number,
  nowMs: number,
  requester = consumer,
): number | undefined {
  return sessions.begin(parts(count), requester, nowMs)?.id
}

/** What a broker knows of a partition; `records`: bytes above the client's position. */
interface Truth {
  highWatermark: number
  logStartOffset: number
  errorCode: number
  records: number
}

const change = fc.record({
  partition: fc.nat(4),
  kind: fc.constantFrom('append', 'watermark', 'start', 'fail', 'mend'),
})
const round = fc.record({
  changes: fc.array(change, { maxLength: 4 }),
  wanted: fc.array(fc.nat(4), { maxLength: 3 }),
  forgotten: fc.array(fc.nat(4), { maxLength: 1 }),
})

function carryOut(truth: Truth, kind: string): void {
  if (kind === 'append') truth.records += 10
  else if (kind === 'watermark') truth.highWatermark += 1
  else if (kind === 'start') truth.logStartOffset += 1
  else truth.errorCode = kind === 'fail' ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.NONE
}

function factsOf(truth: Truth): PartitionFacts {
  const isWell = truth.errorCode === Errors.NONE
  return {
    recordsBytes: isWell ? truth.records : 0,
    highWatermark: isWell ? truth.highWatermark : -1,
    logStartOffset: isWell ? truth.logStartOffset : -1,
    errorCode: truth.errorCode,
    isRedirected: false,
  }
}

test('what incremental answers add up to is what full answers would say (F12)', () => {
  fc.assert(
    fc.property(fc.array(round, { maxLength: 30 }), (rounds) => {
      const session = new FetchSession({
        id: 1,
        ...{ isPrivileged: false, createdMs: 0 },
        usesTopicIds: false,
      })
      const truths = Array.from({ length: 5 }, (): Truth => {
        return { highWatermark: 0, logStartOffset: 0, errorCode: 0, records: 0 }
      })
      const inSession = new Set<number>()
      const view = new Map<number, { watermark: number; start: number; errorCode: number }>()
      for (const { changes, wanted, forgotten } of rounds) {
        session.want(wanted.map((partition) => asked(partition)))
        for (const partition of wanted) inSession.add(partition)
        session.forget([{ topic: 't', topicId: zeroId, partitions: forgotten }])
        for (const partition of forgotten) {
          inSession.delete(partition)
          view.delete(partition)
        }
        for (const { partition, kind } of changes) {
          const truth = truths[partition]
          if (truth !== undefined) carryOut(truth, kind)
        }
        for (const member of session.partitions(() => undefined)) {
          const { partition } = member.wanted
          const truth = truths[partition]
          if (truth === undefined) continue
          const facts = factsOf(truth)
          const isTold = session.tell(member, facts)
          const known = view.get(partition)
          const { highWatermark: watermark, logStartOffset: start, errorCode } = facts
          const row = { watermark, start, errorCode }
          const isNews = JSON.stringify(known) !== JSON.stringify(row) || facts.recordsBytes > 0
          assert.equal(isTold, isNews || errorCode !== 0)
          if (!isTold) continue
          view.set(partition, row)
          if (errorCode === 0) truth.records = 0
        }
        assert.deepEqual(new Set(view.keys()), inSession)
        for (const partition of inSession) {
          const facts = factsOf(truths[partition] ?? factsMissing)
          assert.equal(view.get(partition)?.watermark, facts.highWatermark)
          assert.equal(view.get(partition)?.errorCode, facts.errorCode)
        }
      }
    }),
  )
})

const factsMissing: Truth = { highWatermark: -1, logStartOffset: -1, errorCode: -1, records: 0 }

test('a partition that got records is served last the next time (F10)', () => {
  const session = new FetchSession({
    id: 1,
    isPrivileged: false,
    usesTopicIds: false,
    createdMs: 0,
  })
  session.want(parts(3))
  const order = () => session.partitions(() => undefined).map(({ wanted }) => wanted.partition)
  const [first] = session.partitions(() => undefined)
  assert.ok(first !== undefined)
  const quiet = { highWatermark: 1, logStartOffset: 0, errorCode: 0, isRedirected: false }
  session.tell(first, { ...quiet, recordsBytes: 0 })
  assert.deepEqual(order(), [0, 1, 2])
  session.tell(first, { ...quiet, recordsBytes: 5 })
  assert.deepEqual(order(), [1, 2, 0])
})

test('after an error a partition is named again though nothing else changed (F12)', () => {
  const session = new FetchSession({
    id: 1,
    isPrivileged: false,
    usesTopicIds: false,
    createdMs: 0,
  })
  session.want(parts(1))
  const [only] = session.partitions(() => undefined)
  assert.ok(only !== undefined)
  const well = {
    ...{ recordsBytes: 0, highWatermark: 3, logStartOffset: 0, errorCode: 0, isRedirected: false },
  }
  assert.equal(session.tell(only, well), true)
  assert.equal(session.tell(only, well), false)
  assert.equal(session.tell(only, { ...well, errorCode: Errors.OFFSET_OUT_OF_RANGE }), true)
  assert.equal(session.tell(only, well), true)
  assert.equal(session.tell(only, { ...well, isRedirected: true }), true)
  assert.equal(session.tell(only, well), true)
})

test('epochs count on from 1, and wrap to 1 (F11)', () => {
  assert.deepEqual([nextEpoch(0), nextEpoch(1), nextEpoch(2147483647)], [1, 2, 1])
})

test('unknown ids, wrong epochs and mixed kinds of names are refused (F11)', () => {
  const sessions = sessionsOf(10)
  const id = begun(sessions, 2, 0) ?? 0
  const open = (sessionId: number, epoch: number, usesTopicIds = false) => {
    const scope = sessions.open(request(sessionId, epoch), [], options(0, usesTopicIds))
    return scope.kind === 'refused' ? scope.errorCode : scope.kind
  }
  assert.equal(open(id + 1, 1), Errors.FETCH_SESSION_ID_NOT_FOUND)
  assert.equal(open(id, 2), Errors.INVALID_FETCH_SESSION_EPOCH)
  assert.equal(open(id, 1, true), Errors.FETCH_SESSION_TOPIC_ID_ERROR)
  assert.equal(open(id, 1), 'incremental')
  assert.equal(open(id, 1), Errors.INVALID_FETCH_SESSION_EPOCH)
  assert.equal(open(id, 2), 'incremental')
  // Closed by a last request, or by a first one that names it.
  assert.equal(open(id, -1), 'sessionless')
  assert.equal(sessions.size, 0)
  assert.equal(open(begun(sessions, 1, 0) ?? 0, 0), 'first')
  assert.equal(sessions.size, 0)
  assert.equal(sessions.partitionCount, 0)
})

test('a session without partitions is over', () => {
  const sessions = sessionsOf(10)
  const id = begun(sessions, 1, 0) ?? 0
  const forgottenTopicsData = [{ topic: 't', topicId: zeroId, partitions: [0] }]
  const scope = sessions.open({ ...request(id, 1), forgottenTopicsData }, [], options(0))
  assert.equal(scope.kind, 'sessionless')
  assert.equal(sessions.size, 0)
})

test('a full cache gives way where a session was idle for two minutes (F11)', () => {
  const sessions = sessionsOf(2)
  const first = begun(sessions, 1, 0) ?? 0
  begun(sessions, 1, 0)
  assert.equal(begun(sessions, 5, 1000), undefined)
  assert.equal(sessions.open(request(first, 1), [], options(60_000)).kind, 'incremental')
  assert.notEqual(begun(sessions, 1, 120_001), undefined)
  assert.equal(sessions.open(request(first, 2), [], options(120_001)).kind, 'incremental')
})

test('in a full cache, larger sessions replace smaller ones that are two minutes old (F11)', () => {
  const sessions = sessionsOf(1)
  const old = begun(sessions, 2, 0) ?? 0
  assert.equal(sessions.open(request(old, 1), [], options(120_001)).kind, 'incremental')
  assert.equal(begun(sessions, 2, 120_001), undefined)
  assert.notEqual(begun(sessions, 3, 120_001), undefined)
  assert.equal(sessions.size, 1)
  assert.equal(sessions.partitionCount, 3)
})

test('in a full cache, followers replace consumers of any age and size, not the other way (F11)', () => {
  const sessions = sessionsOf(1)
  begun(sessions, 50, 0)
  const id = begun(sessions, 1, 10, follower) ?? 0
  assert.notEqual(id, 0)
  assert.equal(sessions.open(request(id, 1), [], options(120_011)).kind, 'incremental')
  assert.equal(begun(sessions, 50, 120_012), undefined)
  assert.equal(begun(sessions, 1, 120_012, follower), undefined)
  assert.notEqual(begun(sessions, 2, 120_012, follower), undefined)
})
