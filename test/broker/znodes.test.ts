import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { placeReplicas } from '../../src/broker/controller/placement.ts'
import {
  brokerIdOf,
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

test('numbers that no request could carry are not taken', () => {
  const topic = json({ partitions: { 0: [1], 1: [1.5], 2: [1e10], 3: ['1'], 9999999: [1] } })
  assert.deepEqual(decodeTopic(topic)?.partitions, new Map([[0, [1]]]))
  const state = { leader: 1, leader_epoch: 0, controller_epoch: 1, isr: [1] }
  assert.ok(decodePartitionState(json(state)))
  for (const wrong of [{ leader: 'x' }, { leader_epoch: 1e10 }, { isr: [0.5] }, { isr: 1 }])
    assert.equal(decodePartitionState(json({ ...state, ...wrong })), undefined)
  const broker = json({ version: 3, endpoints: ['PLAINTEXT://h:99999', 'PLAINTEXT://h:9'] })
  assert.deepEqual(
    decodeBroker(1, broker)?.endpoints.map(({ port }) => port),
    [9],
  )
  assert.deepEqual(['7', '-1', 'x', '99999999999'].map(brokerIdOf), [
    7,
    ...[undefined, undefined, undefined],
  ])
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

test('with racks, every rack has a replica before one has two, and leaders are spread evenly', () => {
  const facts = fc.record({
    racks: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 7 }),
    factor: fc.integer({ min: 1, max: 7 }),
    broker: fc.nat(20),
    shift: fc.nat(20),
  })
  fc.assert(
    fc.property(facts, ({ racks, factor, broker, shift }) => {
      fc.pre(factor <= racks.length)
      const ids = racks.map((_, id) => id)
      const rackOf = (id: number) => racks[id] ?? null
      const placed = placeReplicas(ids, 3 * ids.length, factor, { broker, shift, rackOf })
      const leads = new Map<number, number>()
      for (const replicas of placed) {
        assert.equal(new Set(replicas).size, factor)
        const used = new Set(replicas.map(rackOf))
        assert.equal(used.size, Math.min(factor, new Set(racks).size))
        leads.set(replicas[0] ?? -1, (leads.get(replicas[0] ?? -1) ?? 0) + 1)
      }
      assert.deepEqual([...leads.values()], new Array(ids.length).fill(3))
    }),
  )
})

// AdminUtils of Kafka 3.9.1; broker ids are even numbers.
const originals = [
  {
    racks: [null, null, null],
    ...{ factor: 3, fixed: 0, first: 0 },
    placed: [
      [0, 2, 4],
      [2, 4, 0],
      [4, 0, 2],
      [0, 4, 2],
    ],
  },
  {
    racks: ['r1', 'r1', 'r2', 'r2', 'r0', 'r3'],
    ...{ factor: 5, fixed: 0, first: 0 },
    placed: [
      [8, 0, 4, 10, 2],
      [0, 4, 10, 8, 2],
      [4, 10, 2, 8, 0],
      [10, 2, 6, 8, 0],
      [2, 6, 8, 10, 0],
      [6, 8, 0, 10, 2],
      [8, 6, 0, 10, 2],
    ],
  },
  {
    racks: ['r1', 'r0', 'r0'],
    ...{ factor: 3, fixed: 1, first: 0 },
    placed: [
      [0, 4, 2],
      [4, 0, 2],
      [2, 0, 4],
    ],
  },
  {
    racks: [null, null, null, null, null, null, null, null],
    ...{ factor: 8, fixed: 0, first: 0 },
    placed: [[0, 2, 4, 6, 8, 10, 12, 14]],
  },
  {
    racks: ['r1', 'r1', 'r0', 'r0', 'r1', 'r1', 'r0'],
    ...{ factor: 3, fixed: 1, first: 7 },
    placed: [
      [0, 4, 6],
      [6, 0, 2],
      [2, 6, 12],
      [12, 2, 8],
      [8, 12, 10],
    ],
  },
  {
    racks: ['r2', 'r2', 'r0'],
    ...{ factor: 3, fixed: 0, first: 5 },
    placed: [
      [2, 4, 0],
      [4, 0, 2],
      [0, 4, 2],
      [2, 4, 0],
      [4, 0, 2],
    ],
  },
]

test('replicas are placed as the original places them, with racks and without', () => {
  for (const { racks, factor, fixed, first, placed } of originals) {
    const ids = racks.map((_, at) => at * 2)
    const rackOf = (id: number) => racks[id / 2] ?? null
    const start = { broker: fixed, shift: fixed, firstPartition: first, rackOf }
    assert.deepEqual(placeReplicas(ids, placed.length, factor, start), placed)
  }
})
