/** Goal: the swarm gets everywhere. Method: the plans of many seeds together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostsOf } from '../../src/simulation/plan.ts'
import { planOf } from '../../src/simulation/run.ts'
import { cutPlan } from '../../src/simulation/shrink.ts'

const plans = Array.from({ length: 300 }, (_, index) => planOf(index + 1, 1))
const clusters = Array.from({ length: 300 }, (_, index) => planOf(index + 1))

test('a seed always gives the same plan', () => {
  assert.deepEqual(planOf(7), planOf(7))
  assert.notDeepEqual(planOf(7), { ...planOf(8), seed: 7 })
})

test('every kind of fault, every setting of acks and every number of clients is drawn', () => {
  const kinds = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
  assert.equal(kinds.size, 11)
  const acks = new Set(plans.flatMap(({ producers }) => producers.map((one) => one.acks)))
  assert.deepEqual(acks, new Set([-1, 0, 1]))
  assert.deepEqual(new Set(plans.map(({ groups }) => groups.length)), new Set([0, 1, 2]))
  assert.ok(plans.some(({ faults }) => faults.length === 0))
})

test('faults come in order of time, and within act one', () => {
  for (const { faults, durationMs } of plans) {
    const times = faults.map(({ atMs }) => atMs)
    assert.deepEqual(
      times,
      times.toSorted((one, other) => one - other),
    )
    assert.ok(times.every((atMs) => atMs >= 0 && atMs <= durationMs))
  }
})

test('only idempotent producers with acks=all are asked to be idempotent', () => {
  for (const { producers } of plans)
    for (const { acks, idempotent } of producers) if (idempotent) assert.equal(acks, -1)
})

test('one to five brokers are drawn, and every replication factor up to three', () => {
  assert.deepEqual(new Set(clusters.map((plan) => plan.brokerCount)), new Set([1, 2, 3, 4, 5]))
  const factors = clusters.flatMap(({ topics }) => topics.map((one) => one.replicationFactor))
  assert.deepEqual(new Set(factors), new Set([1, 2, 3]))
  const kinds = new Set(clusters.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
  assert.equal(kinds.size, 14)
  const actions = new Set(clusters.flatMap(({ admins }) => admins.flatMap((one) => one.actions)))
  assert.equal(actions.size, 4)
})

test('what promises that a machine may be lost is not tried on two of them', () => {
  for (const { faults } of clusters)
    assert.ok(faults.filter(({ kind }) => kind === 'wipeDisk').length <= 1)
})

test('a plan that is cut down keeps the rest as it was', () => {
  const whole = clusters.find(({ brokerCount, faults }) => brokerCount === 5 && faults.length > 4)
  assert.ok(whole)
  const { seed } = whole
  const without = whole.producers.slice(0, 1).map(({ name }) => name)
  const cut = cutPlan(seed, { brokers: 2, without, faults: [0, 1, 2, 3] })
  assert.equal(cut.brokerCount, 2)
  assert.deepEqual(cut.producers, whole.producers.slice(1))
  assert.ok(cut.topics.every(({ replicationFactor }) => replicationFactor <= 2))
  const gone = ['broker-2', 'broker-3', 'broker-4', ...without]
  const left = whole.faults.slice(0, 4)
  assert.deepEqual(
    cut.faults,
    left.filter((fault) => !hostsOf(fault).some((host) => gone.includes(host))),
  )
  assert.deepEqual(cutPlan(seed, { brokers: Infinity, without: [], faults: undefined }), whole)
})
