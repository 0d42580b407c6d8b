/** Goal: the swarm gets everywhere. Method: the plans of many seeds together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../../src/simulation/run.ts'

const plans = Array.from({ length: 300 }, (_, index) => planOf(index + 1))

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
