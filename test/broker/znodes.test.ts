import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  electForNew,
  electForOffline,
  placeReplicas,
} from '../../src/broker/controller/placement.ts'
import { merged, planTopic } from '../../src/broker/controller/topic-plan.ts'
import {
  decodeBroker,
  decodeConfigChange,
  decodeController,
  decodePartitionState,
  decodeTopic,
  encodePartitionState,
  encodeTopic,
} from '../../src/broker/znodes.ts'

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

test('registrations of every version are understood', () => {
  const plain = { listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9 }
  const v1 = json({ version: 1, host: 'h', port: 9, jmx_port: -1, timestamp: '1' })
  assert.deepEqual(decodeBroker(1, v1), { id: 1, endpoints: [plain], rack: null })
  const v3 = json({ version: 3, endpoints: ['PLAINTEXT://h:9', 'SSL://[::1]:8'], rack: 'r' })
  assert.deepEqual(decodeBroker(1, v3)?.endpoints, [
    plain,
    { listener: 'SSL', securityProtocol: 'SSL', host: '::1', port: 8 },
  ])
  const v5 = json({
    ...{ version: 5, endpoints: ['IN://h:9'], features: {} },
    listener_security_protocol_map: { IN: 'SASL_SSL' },
  })
  assert.equal(decodeBroker(1, v5)?.endpoints[0]?.securityProtocol, 'SASL_SSL')
})

test('what is no JSON, or says nothing, is nothing', () => {
  for (const text of ['', '{', '7', 'null', '{}']) {
    const data = Buffer.from(text)
    assert.equal(decodeTopic(data), undefined)
    assert.equal(decodePartitionState(data), undefined)
    assert.equal(decodeController(data), undefined)
    assert.equal(decodeConfigChange(data), undefined)
  }
})

test('a topic and a state are read as they were written', () => {
  const replicas = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.dictionary(fc.nat(500).map(String), replicas, { minKeys: 1 }), (rows) => {
      const partitions = new Map(Object.entries(rows).map(([index, ids]) => [Number(index), ids]))
      const assignment = { partitions, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }
      assert.deepEqual(decodeTopic(encodeTopic(assignment)), assignment)
    }),
  )
  const state = { leader: 2, leaderEpoch: 3, controllerEpoch: 4, isr: [2, 5] }
  assert.deepEqual(decodePartitionState(encodePartitionState(state)), state)
})

test('replicas are spread: every broker leads its share, no partition has a broker twice', () => {
  const facts = fc.record({
    brokers: fc.integer({ min: 1, max: 7 }),
    partitions: fc.integer({ min: 1, max: 40 }),
    start: fc.nat(20),
    shift: fc.nat(20),
  })
  fc.assert(
    fc.property(
      facts,
      fc.integer({ min: 1, max: 7 }),
      ({ brokers, partitions, start, shift }, factor) => {
        fc.pre(factor <= brokers)
        const ids = Array.from({ length: brokers }, (_, at) => at * 3)
        const placed = placeReplicas(ids, partitions, factor, { broker: start, shift })
        const leads = new Map<number, number>()
        for (const replicas of placed) {
          assert.equal(new Set(replicas).size, factor)
          leads.set(replicas[0] ?? -1, (leads.get(replicas[0] ?? -1) ?? 0) + 1)
        }
        const shares = ids.map((id) => leads.get(id) ?? 0)
        assert.ok(Math.max(...shares) - Math.min(...shares) <= 1)
      },
    ),
  )
})

test('who leads: the first live replica in sync; another one only where that is allowed', () => {
  const live = new Set([2, 3])
  assert.deepEqual(electForNew([1, 2, 3], live), { leader: 2, isr: [2, 3] })
  assert.equal(electForNew([1], live), undefined)
  assert.deepEqual(electForOffline([1, 3, 2], [1, 2], live, false), { leader: 2, isr: [2] })
  assert.equal(electForOffline([1, 3], [1], live, false), undefined)
  assert.deepEqual(electForOffline([1, 3], [1], live, true), { leader: 3, isr: [3] })
})

const facts = { topic: 't', topicId: 'new', controllerEpoch: 9, uncleanElectionAllowed: false }
const known = {
  assignment: {
    partitions: new Map([
      [0, [0]],
      [1, [0]],
    ]),
    topicId: undefined,
  },
  ...{ version: 4, states: new Map(), isTold: false },
}

test('a new topic gets its id and its states in one plan; a known one needs nothing', () => {
  const plan = planTopic({ ...facts, known, live: new Set([0]) })
  assert.deepEqual(
    plan.operations.map((one) => [one.type, one.path]),
    [
      ['setData', '/brokers/topics/t'],
      ['create', '/brokers/topics/t/partitions/0/state'],
      ['create', '/brokers/topics/t/partitions/1/state'],
    ],
  )
  assert.deepEqual(plan.parents, [
    '/brokers/topics/t/partitions',
    '/brokers/topics/t/partitions/0',
    '/brokers/topics/t/partitions/1',
  ])
  assert.ok(plan.order.partitions.every((one) => one.isNew && one.leader === 0))
  const again = planTopic({ ...facts, known: plan.known, live: new Set([0]) })
  assert.deepEqual([again.operations, again.parents], [[], []])
  assert.ok(again.order.partitions.every((one) => !one.isNew))
})

test('a leader that died is followed in a new epoch, written at the version that was read', () => {
  const states = new Map([
    [0, { leader: 7, leaderEpoch: 3, controllerEpoch: 1, isr: [7, 0], version: 5 }],
  ])
  const assignment = { partitions: new Map([[0, [7, 0]]]), topicId: 'id' }
  const dead = { ...known, assignment, states }
  const { operations, order } = planTopic({ ...facts, known: dead, live: new Set([0]) })
  const [operation] = operations
  assert.ok(operation?.type === 'setData' && operation.version === 5)
  const [row] = order.partitions
  assert.deepEqual([row?.leader, row?.leaderEpoch, row?.isr, row?.partitionEpoch], [0, 4, [0], 6])
})

test('a rewritten topic only ever grows', () => {
  const rewritten = {
    ...known,
    assignment: {
      partitions: new Map([
        [0, [5]],
        [2, [0]],
      ]),
      topicId: 'x',
    },
  }
  const { partitions } = merged(known, rewritten).assignment
  assert.deepEqual(
    [...partitions].sort(([one], [other]) => one - other),
    [
      [0, [0]],
      [1, [0]],
      [2, [0]],
    ],
  )
})
