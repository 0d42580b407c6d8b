import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Effect, GroupWrite, JoinAnswer } from '../../src/broker/groups/answers.ts'
import { Group } from '../../src/broker/groups/group.ts'
import type { JoinRequest } from '../../src/broker/groups/member.ts'
import { Errors } from '../../src/kafka/errors.ts'

const sessionTimeoutMs = 10_000
const rebalanceTimeoutMs = 60_000
const range = { name: 'range', metadata: Buffer.from('r') }
const sticky = { name: 'sticky', metadata: Buffer.from('s') }

function request(id: string, changes: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: '',
    newMemberId: id,
    instanceId: null,
    clientId: 'c',
    clientHost: '/1.2.3.4',
    ...{ sessionTimeoutMs, rebalanceTimeoutMs },
    protocolType: 'consumer',
    protocols: [range],
    requiresKnownMemberId: false,
    supportsSkipAssignment: false,
    ...changes,
  }
}

function newGroup(limits: { delayMs?: number; sizeMax?: number } = {}): Group {
  const { delayMs = 0, sizeMax = 1000 } = limits
  return new Group('g', { initialRebalanceDelayMs: delayMs, sizeMax })
}

const joins = (effects: readonly Effect[]): Map<string, JoinAnswer> =>
  new Map(effects.flatMap((one) => (one.type === 'joined' ? [[one.memberId, one.answer]] : [])))

const syncErrors = (effects: readonly Effect[]): [string, number][] =>
  effects.flatMap((one) => (one.type === 'synced' ? [[one.memberId, one.answer.error]] : []))

const writes = (effects: readonly Effect[]): GroupWrite[] =>
  effects.flatMap((one) => (one.type === 'persist' ? [one.write] : []))

function write(effects: readonly Effect[]): GroupWrite {
  const [first] = writes(effects)
  assert.ok(first !== undefined, 'nothing is to be written')
  return first
}

/** The leader assigns each member its own id, everybody syncs, the record is written. */
function settle(group: Group, now: number): void {
  const ids = [...group.members.keys()]
  const assignments = new Map(ids.map((id) => [id, Buffer.from(id)]))
  for (const id of ids.filter((one) => one !== group.leaderId)) group.sync(id, new Map(), now)
  const { effects } = group.sync(group.leaderId ?? '', assignments, now)
  group.persisted(write(effects), Errors.NONE, now)
  assert.equal(group.state, 'Stable')
}

/** A stable group of these members; those named in `instances` are static. */
function stable(ids: readonly string[], instances: Readonly<Record<string, string>> = {}): Group {
  const group = newGroup()
  for (const id of ids) group.join(request(id, { instanceId: instances[id] ?? null }), 0)
  for (const id of ids)
    group.join(request(id, { memberId: id, instanceId: instances[id] ?? null }), 0)
  settle(group, 0)
  return group
}

test('the first member of an empty group leads its first generation', () => {
  const group = newGroup()
  const { error, effects } = group.join(request('a'), 0)
  assert.equal(error, Errors.NONE)
  const answer = joins(effects).get('a')
  assert.equal(answer?.leader, 'a')
  assert.equal(answer?.generation, 1)
  assert.equal(answer?.protocolName, 'range')
  assert.deepEqual(
    answer?.members.map((row) => row.memberId),
    ['a'],
  )
  assert.equal(group.state, 'CompletingRebalance')
})

test('a newcomer to a stable group makes all join again, and all are answered together', () => {
  const group = stable(['a'])
  assert.deepEqual(joins(group.join(request('b'), 5).effects).size, 0)
  assert.equal(group.heartbeat('a', 6), Errors.REBALANCE_IN_PROGRESS)
  const answers = joins(group.join(request('a', { memberId: 'a' }), 7).effects)
  assert.deepEqual([...answers.keys()].sort(), ['a', 'b'])
  assert.equal(answers.get('a')?.generation, group.generation)
  assert.equal(answers.get('a')?.members.length, 2)
  assert.equal(answers.get('b')?.members.length, 0)
})

test('from version 4 a member is told its id first, and no rebalance begins until it comes back', () => {
  const group = stable(['a'])
  const told = group.join(request('b', { requiresKnownMemberId: true }), 0)
  assert.deepEqual(
    [told.error, told.memberId, group.state],
    [Errors.MEMBER_ID_REQUIRED, 'b', 'Stable'],
  )
  group.join(request('x', { memberId: 'b' }), 1)
  assert.equal(group.state, 'PreparingRebalance')
  assert.ok(group.members.has('b'))
})

test('an id that was given out and not used is forgotten without a rebalance (F23)', () => {
  const group = stable(['a'])
  group.join(request('b', { requiresKnownMemberId: true }), 0)
  group.heartbeat('a', 9_000)
  assert.deepEqual(group.expire(sessionTimeoutMs), [])
  assert.equal(group.state, 'Stable')
  const late = group.join(request('x', { memberId: 'b' }), sessionTimeoutMs + 1)
  assert.equal(late.error, Errors.UNKNOWN_MEMBER_ID)
})

test('a member that leaves before it used its id does not disturb the others', () => {
  const group = stable(['a'])
  group.join(request('b', { requiresKnownMemberId: true }), 0)
  assert.deepEqual(group.leave('b', null, 1), { error: Errors.NONE, effects: [] })
  assert.equal(group.state, 'Stable')
})

test('a rebalance waits for ids that were given out, but the first generation does not', () => {
  const first = newGroup()
  first.join(request('a', { requiresKnownMemberId: true }), 0)
  first.join(request('b', { requiresKnownMemberId: true }), 0)
  assert.ok(joins(first.join(request('x', { memberId: 'a' }), 1).effects).has('a'))
  const later = stable(['a'])
  later.join(request('b', { requiresKnownMemberId: true }), 0)
  later.join(request('c'), 0)
  assert.equal(joins(later.join(request('a', { memberId: 'a' }), 1).effects).size, 0)
  assert.equal(joins(later.join(request('x', { memberId: 'b' }), 2).effects).size, 3)
})

test('an unknown member, protocol or type is refused', () => {
  const group = stable(['a'])
  assert.equal(group.join(request('x', { memberId: 'x' }), 0).error, Errors.UNKNOWN_MEMBER_ID)
  const other = { protocols: [sticky] }
  assert.equal(group.join(request('x', other), 0).error, Errors.INCONSISTENT_GROUP_PROTOCOL)
  const type = { protocolType: 'connect' }
  assert.equal(group.join(request('x', type), 0).error, Errors.INCONSISTENT_GROUP_PROTOCOL)
  const none = { protocols: [] }
  assert.equal(newGroup().join(request('x', none), 0).error, Errors.INCONSISTENT_GROUP_PROTOCOL)
  const untyped = { protocolType: '' }
  assert.equal(newGroup().join(request('x', untyped), 0).error, Errors.INCONSISTENT_GROUP_PROTOCOL)
})

test('a group that has become empty may begin again with another protocol type', () => {
  const group = stable(['a'])
  group.leave('a', null, 0)
  assert.equal(group.state, 'Empty')
  assert.equal(group.join(request('b', { protocolType: 'connect' }), 1).error, Errors.NONE)
  assert.equal(group.protocolType, 'connect')
})

test('the protocol with most votes among the common ones is chosen', () => {
  const group = newGroup()
  const both = { protocols: [sticky, range] }
  group.join(request('a', both), 0)
  group.join(request('b', both), 0)
  group.join(request('c', { protocols: [range, sticky] }), 0)
  const answers = joins(group.join(request('a', { memberId: 'a', ...both }), 0).effects)
  assert.equal(answers.get('c')?.protocolName, 'sticky')
})

test('a full group refuses newcomers with GROUP_MAX_SIZE_REACHED (F22)', () => {
  const group = newGroup({ sizeMax: 1 })
  group.join(request('a'), 0)
  const refused = group.join(request('b'), 0)
  assert.deepEqual([refused.error, refused.memberId], [Errors.GROUP_MAX_SIZE_REACHED, ''])
})

test('the members of an empty group gather for the initial delay, longer while others come (F24)', () => {
  const group = newGroup({ delayMs: 3000 })
  assert.deepEqual(group.join(request('a'), 0).effects, [])
  assert.equal(group.nextDeadlineMs, 3000)
  assert.deepEqual(group.join(request('b'), 2000).effects, [])
  assert.deepEqual(group.expire(3000), [])
  assert.equal(group.nextDeadlineMs, 6000)
  assert.equal(joins(group.expire(6000)).size, 2)
})

test('the initial delay is not extended above the rebalance timeout', () => {
  const group = newGroup({ delayMs: 3000 })
  const short = { rebalanceTimeoutMs: 4000 }
  group.join(request('a', short), 0)
  group.join(request('b', short), 100)
  assert.deepEqual(group.expire(3000), [])
  group.join(request('c', short), 3500)
  assert.equal(joins(group.expire(4000)).size, 3)
})

test('members that do not come back within the rebalance timeout are dropped, a lost leader replaced (F25)', () => {
  const group = stable(['a', 'b'])
  group.join(request('c', { rebalanceTimeoutMs: 30_000 }), 0)
  group.join(request('b', { memberId: 'b' }), 1)
  for (let now = 5000; now < rebalanceTimeoutMs; now += 5000) group.heartbeat('a', now)
  const answers = joins(group.expire(rebalanceTimeoutMs))
  assert.deepEqual([...answers.keys()].sort(), ['b', 'c'])
  assert.equal(group.members.has('a'), false)
  assert.ok(group.leaderId !== null && answers.has(group.leaderId))
})

test('a rejoining follower that says nothing new gets the present generation (F26)', () => {
  const group = stable(['a', 'b'])
  const follower = group.leaderId === 'a' ? 'b' : 'a'
  const answer = joins(group.join(request('x', { memberId: follower }), 1).effects).get(follower)
  assert.equal(answer?.generation, group.generation)
  assert.equal(group.state, 'Stable')
})

test('a rejoining leader, or new metadata, begins a rebalance (F26)', () => {
  const byLeader = stable(['a', 'b'])
  byLeader.join(request('x', { memberId: byLeader.leaderId ?? '' }), 1)
  assert.equal(byLeader.state, 'PreparingRebalance')
  const byMetadata = stable(['a', 'b'])
  const follower = byMetadata.leaderId === 'a' ? 'b' : 'a'
  const protocols = [{ name: 'range', metadata: Buffer.from('other') }]
  byMetadata.join(request('x', { memberId: follower, protocols }), 1)
  assert.equal(byMetadata.state, 'PreparingRebalance')
})

test('between join and sync a repeated join gets the same answer again (F26)', () => {
  const group = newGroup()
  const first = joins(group.join(request('a'), 0).effects).get('a')
  const again = joins(group.join(request('x', { memberId: 'a' }), 1).effects).get('a')
  assert.deepEqual(again, first)
})

test('a sync is answered when the group is written, with empty bytes for members left out (F28)', () => {
  const group = newGroup()
  group.join(request('a'), 0)
  group.join(request('b'), 0)
  group.join(request('a', { memberId: 'a' }), 0)
  assert.deepEqual(group.sync('b', new Map(), 1).effects, [])
  const { effects } = group.sync('a', new Map([['a', Buffer.from('mine')]]), 1)
  const asked = write(effects)
  assert.equal(group.state, 'CompletingRebalance')
  const answers = group.persisted(asked, Errors.NONE, 2)
  assert.deepEqual(
    answers.map((one) => one.type === 'synced' && [one.memberId, one.answer.assignment.toString()]),
    [
      ['a', 'mine'],
      ['b', ''],
    ],
  )
  assert.equal(group.state, 'Stable')
})

test('a failed write fails every sync and begins again', () => {
  const group = newGroup()
  group.join(request('a'), 0)
  const asked = write(group.sync('a', new Map([['a', Buffer.from('mine')]]), 1).effects)
  const effects = group.persisted(asked, Errors.NOT_COORDINATOR, 2)
  assert.deepEqual(syncErrors(effects), [['a', Errors.NOT_COORDINATOR]])
  assert.equal(group.state, 'PreparingRebalance')
  assert.equal(group.members.get('a')?.assignment.length, 0)
})

test('the write of an older generation changes nothing', () => {
  const group = newGroup()
  group.join(request('a'), 0)
  const asked = write(group.sync('a', new Map(), 1).effects)
  const failed = group.join(request('b'), 2).effects
  assert.deepEqual(syncErrors(failed), [['a', Errors.REBALANCE_IN_PROGRESS]])
  assert.deepEqual(group.persisted(asked, Errors.NONE, 3), [])
  assert.equal(group.state, 'PreparingRebalance')
})

test('sync and heartbeat say what the state of the group is (F27, F28)', () => {
  const group = stable(['a'])
  assert.equal(group.heartbeat('a', 0), Errors.NONE)
  assert.deepEqual(syncErrors(group.sync('a', new Map(), 0).effects), [['a', Errors.NONE]])
  group.join(request('b'), 0)
  assert.equal(group.heartbeat('a', 0), Errors.REBALANCE_IN_PROGRESS)
  assert.equal(group.sync('a', new Map(), 0).error, Errors.REBALANCE_IN_PROGRESS)
  group.join(request('a', { memberId: 'a' }), 0)
  assert.equal(group.heartbeat('a', 0), Errors.NONE)
})

test('a member that is not heard of for its session time is removed, heartbeats keep it', () => {
  const group = stable(['a', 'b'])
  group.heartbeat('a', 9_000)
  group.expire(9_000)
  assert.equal(group.nextDeadlineMs, sessionTimeoutMs)
  group.expire(sessionTimeoutMs)
  assert.deepEqual([...group.members.keys()], ['a'])
  assert.equal(group.state, 'PreparingRebalance')
  group.expire(19_000)
  assert.equal(group.state, 'Empty')
})

test('a member that waits for an answer does not lose its session, and has it whole afterwards', () => {
  const group = stable(['a', 'b'])
  group.join(request('a', { memberId: group.leaderId ?? '' }), 0)
  const waiting = group.leaderId === 'a' ? 'b' : 'a'
  group.heartbeat(waiting, 9_000)
  group.expire(15_000)
  assert.equal(group.members.size, 2)
  group.join(request('x', { memberId: waiting }), 18_000)
  group.expire(27_999)
  assert.equal(group.members.size, 2)
})

test('a follower that waited long for the assignment keeps its session', () => {
  const group = newGroup()
  group.join(request('a'), 0)
  group.join(request('b'), 0)
  group.join(request('a', { memberId: 'a' }), 0)
  const follower = group.leaderId === 'a' ? 'b' : 'a'
  const leader = group.leaderId ?? ''
  group.sync(follower, new Map(), 0)
  for (let now = 5000; now <= 30_000; now += 5000) {
    group.heartbeat(leader, now)
    group.expire(now)
  }
  group.persisted(write(group.sync(leader, new Map(), 30_000).effects), Errors.NONE, 30_000)
  group.expire(30_001)
  assert.deepEqual([group.members.size, group.state], [2, 'Stable'])
})

test('members that were told of a generation and do not sync are removed, even if they send heartbeats', () => {
  const group = stable(['a', 'b'])
  group.join(request('x', { memberId: group.leaderId ?? '' }), 0)
  const follower = group.leaderId === 'a' ? 'b' : 'a'
  group.join(request('x', { memberId: follower }), 0)
  assert.equal(group.state, 'CompletingRebalance')
  const asked = write(group.sync(group.leaderId ?? '', new Map(), 0).effects)
  group.persisted(asked, Errors.NONE, 0)
  for (let now = 5000; now <= rebalanceTimeoutMs; now += 5000) {
    for (const id of group.members.keys()) group.heartbeat(id, now)
    group.expire(now)
  }
  assert.equal(group.members.has(follower), false)
})

test('a newcomer whose client is gone does not hold a rebalance up for more than five minutes', () => {
  const group = stable(['a'])
  group.join(request('b', { rebalanceTimeoutMs: 3_600_000 }), 0)
  for (let now = 5000; now < 300_000; now += 5000) {
    group.heartbeat('a', now)
    group.expire(now)
    assert.ok(group.members.has('b'))
  }
  const effects = group.expire(300_000)
  assert.equal(joins(effects).get('b')?.error, Errors.UNKNOWN_MEMBER_ID)
})

test('a waiting member that is removed gets an answer', () => {
  const group = stable(['a'])
  group.join(request('b'), 0)
  const { effects } = group.leave('b', null, 1)
  assert.equal(joins(effects).get('b')?.error, Errors.UNKNOWN_MEMBER_ID)
})

test('a static member that comes back takes its old place without a rebalance (F30)', () => {
  const group = stable(['a', 'b'], { b: 'i' })
  const outcome = group.join(request('b2', { instanceId: 'i' }), 1)
  assert.equal(outcome.memberId, 'b2')
  const asked = write(outcome.effects)
  assert.equal(asked.reason, 'static')
  const answer = joins(group.persisted(asked, Errors.NONE, 2)).get('b2')
  assert.equal(answer?.generation, group.generation)
  assert.equal(group.state, 'Stable')
  assert.equal(group.members.get('b2')?.assignment.toString(), 'b')
  assert.equal(group.memberProblem('b', 'i'), Errors.FENCED_INSTANCE_ID)
  assert.equal(group.memberProblem('b2', 'i'), Errors.NONE)
})

test('a static leader that comes back is told not to assign: by the old id, or by the flag from version 9', () => {
  for (const supportsSkipAssignment of [false, true]) {
    const group = stable(['a', 'b'], { a: 'i', b: 'j' })
    const leader = group.leaderId ?? ''
    const instanceId = leader === 'a' ? 'i' : 'j'
    const { effects } = group.join(request('new', { instanceId, supportsSkipAssignment }), 1)
    const answer = joins(group.persisted(write(effects), Errors.NONE, 2)).get('new')
    assert.equal(answer?.leader, supportsSkipAssignment ? 'new' : leader)
    assert.equal(answer?.skipAssignment, supportsSkipAssignment)
    assert.equal(answer?.members.length, supportsSkipAssignment ? 2 : 0)
    assert.equal(group.leaderId, 'new')
  }
})

test('a static member whose new id could not be written has its old one back', () => {
  const group = stable(['a', 'b'], { b: 'i' })
  const { effects } = group.join(request('b2', { instanceId: 'i' }), 1)
  const answers = joins(group.persisted(write(effects), Errors.NOT_COORDINATOR, 2))
  assert.equal(answers.get('b2')?.error, Errors.NOT_COORDINATOR)
  assert.equal(group.memberProblem('b', 'i'), Errors.NONE)
})

test('a static member that comes back with another protocol, or before the sync, does rebalance (F30)', () => {
  const group = stable(['a'], { a: 'i' })
  group.join(request('a2', { instanceId: 'i', protocols: [range, sticky] }), 1)
  assert.equal(group.state, 'Stable')
  const completing = newGroup()
  completing.join(request('a', { instanceId: 'i' }), 0)
  const { effects } = completing.join(request('a2', { instanceId: 'i' }), 1)
  assert.equal(joins(effects).get('a2')?.generation, 2)
})

test('a second holder of an instance id fences the first, whose waiting request ends at once (F30)', () => {
  const group = newGroup({ delayMs: 3000 })
  group.join(request('a', { instanceId: 'i' }), 0)
  const { effects } = group.join(request('a2', { instanceId: 'i' }), 1)
  assert.equal(joins(effects).get('a')?.error, Errors.FENCED_INSTANCE_ID)
})

test('a static member stays through a rebalance that it misses, until its session ends', () => {
  const group = stable(['a', 'b'], { b: 'i' })
  group.join(request('c'), 0)
  group.join(request('a', { memberId: 'a' }), 0)
  group.heartbeat('b', 55_000)
  assert.equal(joins(group.expire(rebalanceTimeoutMs)).size, 2)
  assert.ok(group.members.has('b'))
  group.expire(rebalanceTimeoutMs + sessionTimeoutMs)
  assert.equal(group.members.has('b'), false)
})

test('a static member leaves when it is named by its instance id', () => {
  const group = stable(['a', 'b'], { b: 'i' })
  assert.equal(group.leave('', 'unknown', 0).error, Errors.UNKNOWN_MEMBER_ID)
  assert.equal(group.leave('a', 'i', 0).error, Errors.FENCED_INSTANCE_ID)
  assert.equal(group.leave('', 'i', 0).error, Errors.NONE)
  assert.deepEqual([...group.members.keys()], ['a'])
})

test('the last member to leave leaves an empty generation behind, which is written', () => {
  const group = stable(['a'])
  const { generation } = group
  assert.deepEqual(writes(group.leave('a', null, 0).effects), [{ reason: 'empty' }])
  assert.deepEqual([group.state, group.generation], ['Empty', generation + 1])
})

test('a group that is taken away tells everybody who waits', () => {
  const group = stable(['a'])
  group.join(request('b'), 0)
  assert.equal(joins(group.unload()).get('b')?.error, Errors.NOT_COORDINATOR)
  assert.equal(group.heartbeat('a', 0), Errors.COORDINATOR_NOT_AVAILABLE)
  assert.equal(group.nextDeadlineMs, Infinity)
})

// A client of the group, as the property test plays it.
type Step =
  | { readonly act: 'join' | 'rejoin' | 'sync' | 'heartbeat' | 'leave'; readonly who: number }
  | { readonly act: 'write'; readonly fails: boolean }
  | { readonly act: 'wait'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    act: fc.constantFrom('join' as const, 'rejoin', 'sync', 'heartbeat', 'leave'),
    who: fc.nat(4),
  }),
  fc.record({ act: fc.constant('write' as const), fails: fc.boolean() }),
  fc.record({ act: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
)

/** Plays steps, and holds what must hold after each. */
class Play {
  readonly group: Group
  readonly joining = new Set<string>()
  readonly syncing = new Set<string>()
  readonly writes: GroupWrite[] = []
  generation = 0
  now = 0
  #count = 0

  constructor(delayMs: number) {
    this.group = newGroup({ delayMs, sizeMax: 4 })
  }

  #take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'persist') this.writes.push(effect.write)
      else {
        const waiting = effect.type === 'joined' ? this.joining : this.syncing
        assert.ok(waiting.delete(effect.memberId), 'an answer that nobody waits for')
      }
      if (effect.type !== 'joined' || effect.answer.error !== Errors.NONE) continue
      assert.ok(effect.answer.generation >= this.generation, 'generations do not go back')
      this.generation = effect.answer.generation
      const { leader, members, memberId, skipAssignment } = effect.answer
      if (members.length > 0) assert.ok(leader === memberId || skipAssignment)
    }
  }

  #nameOf(who: number): string {
    return [...this.group.members.keys()][who] ?? 'nobody'
  }

  play(one: Step): void {
    const { group, now } = this
    if (one.act === 'wait') {
      // As a broker does: each deadline on its way is looked at.
      const until = now + one.ms
      for (let turns = 0; group.nextDeadlineMs <= until; turns += 1) {
        assert.ok(turns < 1000, 'deadlines do not come to an end')
        this.now = Math.max(this.now, group.nextDeadlineMs)
        this.#take(group.expire(this.now))
      }
      this.now = until
    } else if (one.act === 'write') {
      const asked = this.writes.shift()
      const error = one.fails ? Errors.NOT_COORDINATOR : Errors.NONE
      if (asked !== undefined) this.#take(group.persisted(asked, error, now))
    } else if (one.act === 'join') {
      const isStatic = one.who >= 3
      this.#count += 1
      const id = `m${this.#count}`
      const requiresKnownMemberId = one.who === 0
      const instanceId = isStatic ? `i${one.who}` : null
      this.#join(request(id, { instanceId, requiresKnownMemberId }), id)
    } else {
      this.#act(one.act, this.#nameOf(one.who))
    }
    this.#check()
  }

  #join(asked: JoinRequest, id: string): void {
    const { error, memberId, effects } = this.group.join(asked, this.now)
    if (error === Errors.NONE) this.joining.add(memberId)
    else if (error === Errors.MEMBER_ID_REQUIRED) assert.equal(memberId, id)
    this.#take(effects)
  }

  #act(act: 'rejoin' | 'sync' | 'heartbeat' | 'leave', id: string): void {
    const { group, now } = this
    const instanceId = group.members.get(id)?.instanceId ?? null
    if (act === 'rejoin') {
      // A client has one request at a time: this one gave up on the one before.
      this.joining.delete(id)
      this.#join(request('unused', { memberId: id, instanceId }), id)
    } else if (act === 'leave') this.#take(group.leave(id, instanceId, now).effects)
    else if (act === 'heartbeat') group.heartbeat(id, now)
    else {
      this.syncing.delete(id)
      const { error, effects } = group.sync(id, new Map([[id, Buffer.from('x')]]), now)
      if (error === Errors.NONE) this.syncing.add(id)
      this.#take(effects)
    }
  }

  #check(): void {
    const { group } = this
    assert.equal(
      group.state === 'Empty',
      group.members.size === 0 && group.state !== 'PreparingRebalance',
    )
    for (const id of this.joining) assert.ok(group.members.has(id), 'who waits is a member')
    for (const id of this.syncing) assert.ok(group.members.has(id), 'who waits is a member')
    if (this.joining.size > 0 && group.state !== 'Stable')
      assert.equal(group.state, 'PreparingRebalance')
    if (this.syncing.size > 0) assert.equal(group.state, 'CompletingRebalance')
    if (group.members.size > 0) assert.ok(group.members.has(group.leaderId ?? ''))
    if (group.state === 'CompletingRebalance' || group.state === 'Stable')
      assert.equal(group.protocolName, 'range')
    const instances = [...group.members.values()].flatMap(({ instanceId }) => instanceId ?? [])
    assert.equal(new Set(instances).size, instances.length)
  }
}

test('whatever members do, answers go to those who wait, and nobody waits for ever', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 3000), (steps, delayMs) => {
      const play = new Play(delayMs)
      for (const one of steps) play.play(one)
      // Everybody is gone: writes end, sessions and phases run out.
      for (let round = 0; round < 20; round += 1) {
        while (play.writes.length > 0) play.play({ act: 'write', fails: false })
        play.play({ act: 'wait', ms: 100_000 })
      }
      assert.deepEqual([...play.joining, ...play.syncing], [])
      assert.deepEqual([play.group.state, play.group.members.size], ['Empty', 0])
      assert.equal(play.group.nextDeadlineMs, Infinity)
    }),
    { numRuns: 500 },
  )
})
