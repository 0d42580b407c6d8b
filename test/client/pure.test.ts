// Small decisions: back-off, versions, metadata, addresses, outcomes, frames.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../../src/client/backoff.ts'
import { AnswerFrames } from '../../src/client/frames.ts'
import {
  emptyMetadata,
  leaderOf,
  type MetadataAnswer,
  mergeMetadata,
  parseAddress,
} from '../../src/client/metadata.ts'
import { isReached, outcomeOf } from '../../src/client/producer/outcomes.ts'
import { completeProducerSettings } from '../../src/client/producer/settings.ts'
import { completeSettings } from '../../src/client/settings.ts'
import { commonVersion, exact } from '../../src/client/versions.ts'

test('back-off doubles up to its limit, within a fifth either way', () => {
  const settings = { firstMs: 50, mostMs: 1000 }
  assert.deepEqual(
    [1, 2, 3, 5, 6, 100].map((failures) => Math.round(backoffMs(settings, failures, 0.5))),
    [50, 100, 200, 800, 1000, 1000],
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, chance) => {
        const waitMs = backoffMs(settings, n, chance)
        assert.ok(waitMs >= 40 && waitMs <= 1200)
      },
    ),
  )
})

test('the newest version both sides speak, within limits', () => {
  const api = { key: 1, name: 'Fetch', versions: { min: 0, max: 17 } }
  const table = new Map([[1, { min: 4, max: 12 }]])
  assert.equal(commonVersion(table, api), 12)
  assert.equal(commonVersion(table, api, { max: 11 }), 11)
  assert.equal(commonVersion(table, api, { max: 3 }), undefined)
  assert.equal(commonVersion(table, api, { min: 13 }), undefined)
  assert.equal(commonVersion(new Map(), api), undefined)
})

test('an int64 beyond 2^53 is refused rather than rounded', () => {
  assert.equal(exact(2 ** 53 - 1), 2 ** 53 - 1)
  assert.equal(exact(5n), 5)
  assert.throws(() => exact(2n ** 60n), RangeError)
})

function answerWith(leaderId: number, leaderEpoch: number, topicId = 'one'): MetadataAnswer {
  const partition = {
    errorCode: 0,
    partitionIndex: 0,
    leaderId,
    leaderEpoch,
    replicaNodes: [1, 2],
    isrNodes: [1],
    offlineReplicas: [],
  }
  const brokers = [1, 2].map((nodeId) => ({ nodeId, host: 'h', port: nodeId, rack: null }))
  const topics = [{ errorCode: 0, name: 't', topicId, isInternal: false, partitions: [partition] }]
  return { clusterId: 'c', controllerId: 1, brokers, topics }
}

test('an older leader is not believed, unless the topic was created anew', () => {
  const first = mergeMetadata(emptyMetadata, answerWith(1, 5))
  assert.equal(leaderOf(first, 't', 0)?.nodeId, 1)
  assert.equal(leaderOf(mergeMetadata(first, answerWith(2, 4)), 't', 0)?.nodeId, 1)
  assert.equal(leaderOf(mergeMetadata(first, answerWith(2, 6)), 't', 0)?.nodeId, 2)
  assert.equal(leaderOf(mergeMetadata(first, answerWith(2, 0, 'two')), 't', 0)?.nodeId, 2)
  // Brokers before 2.4 tell no epoch.
  assert.equal(leaderOf(mergeMetadata(first, answerWith(2, -1)), 't', 0)?.nodeId, 2)
})

test('topics not asked for are kept, partitions without a leader are not available', () => {
  const known = mergeMetadata(emptyMetadata, answerWith(-1, 0))
  assert.deepEqual(known.topics.get('t')?.available, [])
  assert.equal(leaderOf(known, 't', 0), undefined)
  const next = mergeMetadata(known, { ...answerWith(1, 0), topics: [] })
  assert.ok(next.topics.has('t'))
})

test('addresses are host:port, with brackets around IPv6', () => {
  assert.deepEqual(parseAddress('broker-1.example:9092'), { host: 'broker-1.example', port: 9092 })
  assert.deepEqual(parseAddress(' [::1]:9092 '), { host: '::1', port: 9092 })
  for (const bad of [
    '',
    'host',
    'host:',
    ':1',
    'host:0',
    'host:65536',
    'a b:1',
    '::1:9092',
    'h:1x',
  ]) {
    assert.equal(parseAddress(bad), undefined, bad)
  }
  assert.throws(() => completeSettings({ bootstrapServers: ['nonsense'] }), /nonsense/)
  assert.throws(() => completeSettings({ bootstrapServers: [] }), /no broker/)
})

const context = {
  recordCount: 2,
  numbered: true,
  earlierUnsettled: false,
  mayBeWritten: false,
  hasStrays: false,
  mayGoWithout: true,
}
const outcomes: readonly (readonly [number, Partial<typeof context>, string])[] = [
  [0, {}, 'done'],
  [46, {}, 'duplicate'],
  [6, {}, 'retry'],
  [7, {}, 'retry'],
  [19, {}, 'retry'],
  [20, {}, 'retry'],
  [2, {}, 'retry'],
  [45, { earlierUnsettled: true }, 'retry'],
  [45, {}, 'newIdentity'],
  [45, { mayBeWritten: true }, 'ask'],
  [45, { mayBeWritten: true, earlierUnsettled: true }, 'retry'],
  [45, { numbered: false }, 'fail'],
  [47, {}, 'newIdentity'],
  [47, { mayBeWritten: true }, 'fail'],
  [47, { earlierUnsettled: true }, 'retry'],
  [59, {}, 'newIdentity'],
  [59, { earlierUnsettled: true }, 'retry'],
  [59, { mayBeWritten: true }, 'newIdentity'],
  [59, { mayBeWritten: true, hasStrays: true }, 'ask'],
  [43, {}, 'withoutIdentity'],
  [43, { earlierUnsettled: true }, 'retry'],
  [43, { mayGoWithout: false }, 'fail'],
  [10, {}, 'split'],
  [10, { recordCount: 1 }, 'fail'],
  [18, {}, 'split'],
  [29, {}, 'fail'],
  [87, {}, 'fail'],
  [-1, {}, 'fail'],
]
for (const [code, given, outcome] of outcomes) {
  test(`a batch answered with ${code} ${JSON.stringify(given)}: ${outcome}`, () => {
    assert.equal(outcomeOf(code, { ...context, ...given }), outcome)
  })
}

test('a log has a batch when its last number is at or behind the end of it, on the circle', () => {
  const cases: readonly (readonly [number, number, boolean])[] = [
    [-1, 0, false],
    [3, 3, true],
    [3, 4, false],
    [4, 3, true],
    [0, 0x7fffffff, true],
    [0x7fffffff, 0, false],
  ]
  for (const [last, lastOfBatch, reached] of cases)
    assert.equal(isReached(last, lastOfBatch), reached, `${last} of ${lastOfBatch}`)
})

test('idempotence that is asked for must be possible; by default it is on where it can be', () => {
  assert.equal(completeProducerSettings({}, 1000).idempotence, 'ifPossible')
  assert.equal(completeProducerSettings({ acks: 1 }, 1000).idempotence, 'off')
  assert.equal(completeProducerSettings({ idempotence: false }, 1000).idempotence, 'off')
  assert.throws(() => completeProducerSettings({ idempotence: true, acks: 1 }, 1000), /INVALID/)
  assert.throws(() => completeProducerSettings({ idempotence: true, maxInFlight: 6 }, 1000))
})

test('answers come out whole however the bytes arrive, in the shared buffer or in place', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 4, maxLength: 60 }), { minLength: 1 })
  fc.assert(
    fc.property(
      bodies,
      fc.array(fc.integer({ min: 1, max: 30 })),
      fc.boolean(),
      (all, cuts, inPlace) => {
        const stream = Buffer.concat(all.map((body) => Buffer.concat([sizeOf(body), body])))
        const got: Buffer[] = []
        const frames = new AnswerFrames(1000, (frame) => got.push(frame))
        const shared = Buffer.alloc(30)
        let at = 0
        while (at < stream.length) {
          const target = inPlace ? frames.target() : undefined
          const into = target ?? shared
          const count = Math.min(cuts.pop() ?? 7, into.length, stream.length - at)
          stream.copy(into, 0, at, at + count)
          assert.ok(frames.push(into.subarray(0, count)))
          shared.fill(0xee)
          at += count
        }
        assert.deepEqual(Buffer.concat(got), stream)
        assert.equal(got.length, all.length)
      },
    ),
  )
})

test('an answer of an impossible size is refused before memory is taken for it', () => {
  for (const size of [-1, 0, 3, 1001, 0x7fffffff]) {
    const frames = new AnswerFrames(1000, () => assert.fail('no frame'))
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(size)
    assert.equal(frames.push(bytes), false)
    assert.equal(frames.target(), undefined)
  }
})

function sizeOf(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(body.length)
  return bytes
}
