// Membership: what each answer of the coordinator leads to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  beginJoin,
  type Membership,
  onHeartbeat,
  onJoin,
  onSync,
  outsider,
  owns,
  type Phase,
  wantRebalance,
} from '../../src/client/consumer/group.ts'

const member: Membership = {
  phase: 'stable',
  memberId: 'm',
  generationId: 7,
  protocol: 'range',
  isLeader: false,
}
const inPhase = (phase: Phase): Membership => ({ ...member, phase })
const joinAnswer = (errorCode: number, memberId = 'm'): Parameters<typeof onJoin>[1] => ({
  errorCode,
  generationId: errorCode === 0 ? 8 : -1,
  protocolName: 'range',
  leader: 'm',
  memberId,
})

test('a join that succeeds leads to sync, and makes the named leader assign', () => {
  const { next, effect } = onJoin(inPhase('joining'), joinAnswer(0))
  assert.deepEqual(effect, { kind: 'sync' })
  assert.deepEqual(next, { ...member, phase: 'syncing', generationId: 8, isLeader: true })
})

test('a member id that is handed out is used at once, without another rebalance', () => {
  const { next, effect } = onJoin(beginJoin(outsider), joinAnswer(79, 'given'))
  assert.equal(next.memberId, 'given')
  assert.deepEqual(effect, { kind: 'join' })
})

const joinTable: readonly (readonly [number, string, string])[] = [
  [25, 'retry', ''],
  [22, 'retry', 'm'],
  [27, 'retry', 'm'],
  [14, 'retry', 'm'],
  [15, 'findCoordinator', 'm'],
  [16, 'findCoordinator', 'm'],
  [23, 'fail', ''],
  [26, 'fail', ''],
  [30, 'fail', ''],
  [81, 'fail', ''],
  [82, 'fail', ''],
]
for (const [code, kind, memberId] of joinTable) {
  const fate = memberId === '' ? 'gone' : 'kept'
  test(`join answered with ${code}: ${kind}, member id ${fate}`, () => {
    const { next, effect } = onJoin(inPhase('joining'), joinAnswer(code))
    assert.equal(effect.kind, kind)
    assert.equal(next.memberId, memberId)
    assert.ok(!owns(next))
  })
}

test('sync makes the member stable; a rebalance meanwhile sends it back to join', () => {
  assert.equal(onSync(inPhase('syncing'), 0).next.phase, 'stable')
  assert.deepEqual(onSync(inPhase('syncing'), 27).effect, { kind: 'join' })
  assert.equal(onSync(inPhase('syncing'), 25).next.memberId, '')
  assert.equal(onSync(inPhase('syncing'), 16).next.phase, 'joining')
})

test('a heartbeat that tells of a rebalance leaves the partitions until the next poll', () => {
  const { next, effect } = onHeartbeat(member, member, 27)
  assert.equal(next.phase, 'rebalancing')
  assert.ok(owns(next))
  assert.deepEqual(effect, { kind: 'nothing' })
})

test('an unknown member or a passed generation has lost its partitions', () => {
  for (const code of [22, 25]) {
    const { next, effect } = onHeartbeat(member, member, code)
    assert.deepEqual(effect, { kind: 'lost' })
    assert.ok(!owns(next))
  }
  assert.equal(onHeartbeat(member, member, 22).next.memberId, 'm')
  assert.equal(onHeartbeat(member, member, 25).next.memberId, '')
})

test('an answer to a heartbeat of an earlier generation changes nothing', () => {
  const now = { ...member, generationId: 9 }
  for (const code of [22, 25, 27, 82]) {
    assert.deepEqual(onHeartbeat(now, member, code), { next: now, effect: { kind: 'nothing' } })
  }
})

test('only a stable member asks for a rebalance of its own', () => {
  assert.equal(wantRebalance(member).phase, 'rebalancing')
  assert.equal(wantRebalance(inPhase('syncing')).phase, 'syncing')
})

test('whatever is answered, partitions are owned only after a sync that succeeded', () => {
  const event = fc.record({
    kind: fc.constantFrom('join', 'sync', 'heartbeat', 'poll'),
    code: fc.constantFrom(0, 14, 15, 16, 22, 23, 25, 26, 27, 30, 79, 82, -1),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let state = outsider
      let entitled = false
      for (const { kind, code } of events) {
        const before = state
        if (kind === 'poll' && !owns(state)) state = beginJoin(state)
        else if (kind === 'poll' && state.phase === 'rebalancing') {
          state = beginJoin(state)
          entitled = false
        } else if (kind === 'join' && state.phase === 'joining') {
          state = onJoin(state, joinAnswer(code)).next
        } else if (kind === 'sync' && state.phase === 'syncing') {
          state = onSync(state, code).next
          if (code === 0) entitled = true
        } else if (kind === 'heartbeat') {
          const step = onHeartbeat(state, state, code)
          state = step.next
          if (!owns(state) && owns(before)) {
            assert.ok(step.effect.kind === 'lost' || step.effect.kind === 'fail')
            entitled = false
          }
        }
        assert.equal(owns(state), entitled)
        if (owns(state)) assert.ok(state.memberId !== '' && state.generationId >= 0)
      }
    }),
  )
})
