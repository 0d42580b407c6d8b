import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { imbalanced } from '../../src/broker/controller/balance.ts'
import { Cluster, settled, targetOf } from '../../src/broker/controller/cluster.ts'
import { DeletionPlan } from '../../src/broker/controller/deletion-plan.ts'
import {
  electAfterLoss,
  electAfterUnseenRestart,
  electForNew,
  electForOffline,
  electForReassignment,
  electForShutdown,
  electPreferred,
} from '../../src/broker/controller/election.ts'
import { isComplete, reassigned } from '../../src/broker/controller/reassignment-plan.ts'

const among = (...ids: number[]) => {
  const set = new Set(ids)
  return (id: number) => set.has(id)
}

test('who leads: the first live replica in sync; another one only where that is allowed', () => {
  const isOnline = among(2, 3)
  assert.deepEqual(electForNew({ replicas: [1, 2, 3], isOnline }), { leader: 2, isr: [2, 3] })
  assert.equal(electForNew({ replicas: [1], isOnline }), undefined)
  const facts = (replicas: number[], isr: number[]) => ({ replicas, isr, isOnline })
  assert.deepEqual(electForOffline(facts([1, 3, 2], [1, 2]), false), { leader: 2, isr: [2] })
  assert.equal(electForOffline(facts([1, 3], [1]), false), undefined)
  assert.deepEqual(electForOffline(facts([1, 3], [1]), true), { leader: 3, isr: [3] })
  assert.deepEqual(electForReassignment(facts([1, 2, 3], [1, 2, 3]), [3, 2])?.leader, 3)
  assert.equal(electForReassignment(facts([1, 2], [1]), [2]), undefined)
  assert.equal(electPreferred(facts([1, 2], [1, 2])), undefined)
  assert.deepEqual(electPreferred(facts([2, 1], [1, 2])), { leader: 2, isr: [1, 2] })
  assert.deepEqual(electForShutdown(facts([2, 3], [2, 3]), among(2)), { leader: 3, isr: [3] })
  assert.equal(electForShutdown(facts([2, 1], [2]), among(2)), undefined)
})

test('brokers that were away unseen lead only where nobody else is there, the former leader first', () => {
  const replicas = [1, 2, 3]
  const decide = (isr: number[], leader: number, away: number[], online = replicas) => {
    const present = { replicas, isr, isOnline: among(...online) }
    const isOnline = (id: number) => present.isOnline(id) && !away.includes(id)
    return electAfterUnseenRestart({ ...present, isOnline }, leader, present)
  }
  assert.deepEqual(decide([1, 2], 1, [1]), { leader: 2, isr: [2] })
  assert.deepEqual(decide([1, 2], 1, [2]), { leader: 1, isr: [1] })
  assert.deepEqual(decide([1, 2], 2, [1, 2]), { leader: 2, isr: [1, 2] })
  assert.deepEqual(decide([1, 2], 2, [1], [1]), { leader: 1, isr: [1] })
  assert.equal(decide([1, 2], -1, [1], [1, 3]), undefined)
})

const someIds = fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 5 })

/** Assigned replicas, those of them in sync, those online, and a leader in sync or none. */
const situations = someIds.chain((replicas) =>
  fc
    .record({
      isr: fc.subarray(replicas, { minLength: 1 }),
      online: fc.subarray([0, 1, 2, 3, 4, 5]),
      unclean: fc.boolean(),
    })
    .chain(({ isr, ...rest }) =>
      fc.record({
        ...{ replicas: fc.constant(replicas), isr: fc.constant(isr) },
        online: fc.constant(rest.online),
        unclean: fc.constant(rest.unclean),
        leader: fc.constantFrom(-1, ...isr),
      }),
    ),
)

test('after a loss: never a leader that is offline, never one out of sync unless that is allowed', () => {
  fc.assert(
    fc.property(situations, ({ replicas, isr, online, unclean, leader }) => {
      const isOnline = among(...online)
      const election = electAfterLoss({ replicas, isr, isOnline }, leader, unclean)
      const after = election ?? { leader, isr }
      const liveInSync = replicas.filter((id) => isr.includes(id) && isOnline(id))
      const live = replicas.filter(isOnline)
      if (leader >= 0 && isOnline(leader)) assert.equal(after.leader, leader)
      else if (liveInSync.length > 0) assert.equal(after.leader, liveInSync[0])
      else if (unclean && live.length > 0) assert.equal(after.leader, live[0])
      else assert.equal(after.leader, -1)
      // The set is never empty, has the leader, and grows only with an unclean one.
      assert.ok(after.isr.length > 0)
      if (after.leader >= 0) assert.ok(after.isr.includes(after.leader) && isOnline(after.leader))
      const isUnclean = after.leader >= 0 && !isr.includes(after.leader)
      if (isUnclean) assert.deepEqual(after.isr, [after.leader])
      else assert.ok(after.isr.every((id) => isr.includes(id)))
      // It is stable: looking once more changes nothing.
      const again = electAfterLoss({ replicas, isr: after.isr, isOnline }, after.leader, unclean)
      assert.equal(again, undefined)
    }),
  )
})

test('a reassignment holds all replicas, and ends in its target or, cancelled, its origin', () => {
  fc.assert(
    fc.property(someIds, someIds, someIds, (origin, target, other) => {
      const begun = reassigned(settled(origin), target)
      assert.deepEqual(targetOf(begun), target)
      assert.deepEqual(new Set(begun.replicas), new Set([...origin, ...target]))
      const replaced = reassigned(begun, other)
      assert.deepEqual(targetOf(replaced), other)
      const origins = replaced.replicas.filter((id) => !replaced.adding.includes(id))
      assert.deepEqual(new Set(origins), new Set(origin))
      assert.equal(isComplete(begun, target), true)
      const lacking = target.slice(1)
      assert.equal(isComplete(begun, lacking), false)
    }),
  )
})

function clusterOf(brokers: readonly number[], assignments: readonly (readonly number[])[]) {
  const cluster = new Cluster()
  for (const id of brokers) cluster.join({ id, endpoints: [], rack: null, epoch: 1n })
  cluster.setTopic('t', 'id', 0)
  for (const [index, replicas] of assignments.entries())
    cluster.setAssignment('t', index, settled(replicas))
  return cluster
}

const stateOf = (leader: number, isr: number[]) => ({
  ...{ leader, isr, leaderEpoch: 0, controllerEpoch: 1, version: 0 },
})

test('who has no leader is known at all times, as an oracle that looks at everything says', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('join' as const), id: fc.nat(3) }),
      fc.record({ kind: fc.constant('leave' as const), id: fc.nat(3) }),
      fc.record({ kind: fc.constant('lead' as const), id: fc.nat(3), at: fc.nat(2) }),
      fc.record({ kind: fc.constant('fail' as const), id: fc.nat(3), at: fc.nat(2) }),
      fc.record({ kind: fc.constant('move' as const), id: fc.nat(3), at: fc.nat(2) }),
    ),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(steps, (list) => {
      const cluster = clusterOf(
        [0],
        [
          [0, 1],
          [2, 3],
          [1, 2, 3],
        ],
      )
      for (const step of list) {
        const partition = 'at' in step ? cluster.partition('t', step.at) : undefined
        const live = { id: step.id, endpoints: [], rack: null, epoch: 1n }
        if (step.kind === 'join') cluster.join(live)
        if (step.kind === 'leave') cluster.leave(step.id)
        if (partition === undefined) continue
        const { replicas } = partition.assignment
        const isReplica = replicas.includes(step.id)
        if (step.kind === 'lead' && isReplica) cluster.setState(partition, stateOf(step.id, []))
        if (step.kind === 'fail' && isReplica) cluster.setFailed(step.id, partition, true)
        if (step.kind === 'move' && !isReplica)
          cluster.setAssignment('t', partition.index, settled([...replicas, step.id]))
      }
      const unled = [...cluster.partitions()].filter((one) => !cluster.isLed(one))
      assert.deepEqual(new Set(cluster.unled), new Set(unled))
      for (const id of [0, 1, 2, 3]) {
        const hosted = [...cluster.partitions()].filter(({ assignment }) =>
          assignment.replicas.includes(id),
        )
        assert.deepEqual(new Set(cluster.hostedBy(id)), new Set(hosted))
      }
    }),
  )
})

test('a deletion ends when every replica has confirmed, whatever came between, and never before', () => {
  const steps = fc.array(
    fc.record({
      kind: fc.constantFrom('answer', 'refuse', 'leave', 'join'),
      id: fc.nat(2),
      at: fc.nat(1),
    }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(steps, (list) => {
      const cluster = clusterOf(
        [0, 1, 2],
        [
          [0, 1],
          [1, 2],
        ],
      )
      const plan = new DeletionPlan()
      plan.add('t', cluster.partitions())
      const asked = new Set<string>()
      const confirmed = new Set<string>()
      let isFinished = false
      const step = () => {
        const { removals, finished } = plan.steps(['t'], cluster)
        for (const { partition, broker } of removals) asked.add(`${partition.index}@${broker}`)
        if (finished.length > 0) isFinished = true
      }
      step()
      for (const { kind, id, at } of list) {
        const key = `${at}@${id}`
        if (kind === 'join') cluster.join({ id, endpoints: [], rack: null, epoch: 1n })
        if (kind === 'leave') cluster.leave(id)
        if (kind === 'join' || kind === 'leave') plan.brokerChanged(id)
        if ((kind === 'answer' || kind === 'refuse') && asked.delete(key)) {
          plan.answered('t', at, id, kind === 'answer')
          if (kind === 'answer') confirmed.add(key)
        }
        step()
        assert.equal(isFinished, confirmed.size === 4)
      }
      for (const id of [0, 1, 2]) {
        cluster.join({ id, endpoints: [], rack: null, epoch: 2n })
        plan.brokerChanged(id)
      }
      step()
      for (const key of asked) {
        const [at, id] = key.split('@').map(Number)
        plan.answered('t', at ?? 0, id ?? 0, true)
      }
      step()
      assert.equal(isFinished, true)
    }),
  )
})

test('leaders are moved only from brokers that have too few of theirs, and only where they can be', () => {
  const cluster = clusterOf(
    [0, 1],
    Array.from({ length: 20 }, (_, at) => (at < 10 ? [0, 1] : [1, 0])),
  )
  const lead = (index: number, leader: number, isr: number[]) => {
    const partition = cluster.partition('t', index)
    if (partition !== undefined) cluster.setState(partition, stateOf(leader, isr))
  }
  for (let index = 0; index < 20; index += 1) lead(index, index < 10 ? 0 : 1, [0, 1])
  assert.deepEqual(imbalanced(cluster, 10), [])
  lead(0, 1, [0, 1])
  assert.deepEqual(imbalanced(cluster, 10), [], 'a tenth is allowed')
  lead(1, 1, [1])
  assert.deepEqual(
    imbalanced(cluster, 10).map(({ index }) => index),
    [0],
  )
})
