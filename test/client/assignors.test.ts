// Members of one group may be ours and Java's: whoever leads, the assignment must be the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AssignorMember,
  type AssignorTopics,
  javaHash,
  javaHashOrder,
} from '../../src/client/consumer/assignors/assignor.ts'
import {
  cooperativeClaim,
  encodeCooperativeData,
  encodeStickyData,
  stickyClaim,
} from '../../src/client/consumer/assignors/sticky-data.ts'
import { assignorOf, assignors, isCooperative } from '../../src/client/consumer/assignors/table.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/client/consumer/protocol.ts'
import type { AssignorName } from '../../src/client/consumer/types.ts'
import type { TopicPartition } from '../../src/client/types.ts'
import { golden } from './support/golden.ts'

type Pair = readonly [string, number]

interface GoldenMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly rackId: string | null
  readonly topics: readonly string[]
  readonly ownedPartitions: readonly Pair[]
  readonly generationId: number
  readonly userData: string | null
  readonly subscription?: string
  readonly older?: readonly string[]
}

interface Round {
  readonly topics: Readonly<Record<string, number>>
  readonly replicaRacks?: Readonly<Record<string, readonly (readonly string[])[]>>
  readonly members: readonly GoldenMember[]
  readonly assignment: Readonly<Record<string, readonly Pair[]>>
  readonly assignmentBytes?: Readonly<Record<string, string>>
}

interface Scenario {
  readonly scenario: number
  readonly assignor: AssignorName
  readonly rounds: readonly Round[]
}

const scenarios = golden<Scenario>('assignors')
const names = Object.keys(assignors) as AssignorName[]

const partitionOf = ([topic, partition]: Pair): TopicPartition => ({ topic, partition })
const pairOf = ({ topic, partition }: TopicPartition): Pair => [topic, partition]

function memberOf(recorded: GoldenMember): AssignorMember & { generationId: number } {
  const { memberId, groupInstanceId, rackId, topics, generationId } = recorded
  const userData = recorded.userData === null ? null : Buffer.from(recorded.userData, 'base64')
  const ownedPartitions = recorded.ownedPartitions.map(partitionOf)
  return { memberId, groupInstanceId, rackId, topics, generationId, userData, ownedPartitions }
}

function topicsOf({ topics, replicaRacks }: Round): AssignorTopics {
  return new Map(
    Object.entries(topics).map(([name, partitionCount]) => {
      return [name, { partitionCount, racks: replicaRacks?.[name] }]
    }),
  )
}

for (const name of names) {
  test(`the ${name} assignor assigns as Kafka 3.9.1 does, in the same order`, () => {
    const mine = scenarios.filter(({ assignor }) => assignor === name)
    assert.equal(mine.length, 120)
    for (const { scenario, rounds } of mine) {
      for (const [number, round] of rounds.entries()) {
        const result = assignors[name].assign(round.members.map(memberOf), topicsOf(round))
        const ours = [...result].map(([memberId, list]) => [memberId, list.map(pairOf)] as const)
        const what = `scenario ${scenario}, round ${number}`
        assert.deepEqual(Object.fromEntries(ours), round.assignment, what)
      }
    }
  })
}

test('subscriptions are written as Kafka 3.9.1 writes them, and read back', () => {
  let compared = 0
  for (const recorded of scenarios.flatMap(({ rounds }) => rounds.flatMap((one) => one.members))) {
    if (recorded.subscription === undefined) continue
    const {
      topics,
      userData = null,
      ownedPartitions = [],
      generationId,
      rackId = null,
    } = memberOf(recorded)
    const bytes = encodeSubscription({ topics, userData, ownedPartitions, generationId, rackId })
    assert.equal(bytes.toString('hex'), recorded.subscription)
    const read = decodeSubscription(bytes)
    assert.deepEqual(read.topics, [...topics].sort())
    assert.deepEqual([read.generationId, read.rackId], [generationId, rackId])
    assert.equal(read.ownedPartitions.length, ownedPartitions.length)
    compared += 1
  }
  assert.ok(compared > 500, `${compared} subscriptions compared`)
})

test('subscriptions of older members are read as far as they go', () => {
  const recorded = scenarios.flatMap(({ rounds }) => rounds.flatMap((one) => one.members))
  for (const { older = [], ...member } of recorded) {
    for (const [version, hex] of older.entries()) {
      const read = decodeSubscription(Buffer.from(hex, 'hex'))
      assert.deepEqual(read.topics, [...member.topics].sort())
      assert.equal(read.ownedPartitions.length, version >= 1 ? member.ownedPartitions.length : 0)
      assert.equal(read.generationId, version >= 2 ? member.generationId : -1)
      assert.equal(read.rackId, null)
    }
  }
})

test('assignments are written as Kafka 3.9.1 writes them, and read back', () => {
  let compared = 0
  for (const { assignment, assignmentBytes = {} } of scenarios.flatMap(({ rounds }) => rounds)) {
    for (const [memberId, hex] of Object.entries(assignmentBytes)) {
      const given = (assignment[memberId] ?? []).map(partitionOf)
      assert.equal(encodeAssignment(given).toString('hex'), hex)
      // Of topics that come in turns, the wire keeps the partitions together.
      const read = decodeAssignment(Buffer.from(hex, 'hex'))
      assert.equal(encodeAssignment(read).toString('hex'), hex)
      compared += 1
    }
  }
  assert.ok(compared > 500, `${compared} assignments compared`)
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), [])
})

test('what sticky members tell each other is written as Kafka 3.9.1 writes it', () => {
  let compared = 0
  for (const { rounds } of scenarios.filter(({ assignor }) => assignor === 'sticky')) {
    for (const member of rounds.flatMap((round) => round.members)) {
      const { partitions, generation } = stickyClaim(memberOf(member))
      assert.equal(generation === undefined, member.userData === null)
      if (generation === undefined) continue
      const again = encodeStickyData({ partitions, generationId: generation })
      assert.equal(again?.toString('base64'), member.userData)
      compared += 1
    }
  }
  assert.ok(compared > 500, `${compared} compared`)
  assert.equal(encodeStickyData(undefined), null)
  assert.deepEqual(encodeCooperativeData(undefined).toString('hex'), 'ffffffff')
  assert.equal(
    encodeCooperativeData({ partitions: [], generationId: 7 }).toString('hex'),
    '00000007',
  )
})

test('damaged user data is no claim', () => {
  const member = { memberId: 'm', groupInstanceId: null, topics: [] }
  const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data))
  fc.assert(
    fc.property(bytes, (userData) => {
      for (const claimOf of [stickyClaim, cooperativeClaim]) {
        const { partitions, generation } = claimOf({ ...member, userData })
        assert.ok(partitions.length <= userData.length)
        assert.ok(generation === undefined || Number.isInteger(generation))
      }
    }),
  )
})

const topicNames = ['a', 'b', 'c', 'd']
const groupMember = fc.record({
  groupInstanceId: fc.constant(null),
  topics: fc.subarray(topicNames, { minLength: 1 }),
  rackId: fc.constantFrom(null, 'x', 'y'),
})
const group = fc.array(groupMember, { minLength: 1, maxLength: 6 })
const counts = fc.record({ a: fc.nat(9), b: fc.nat(9), c: fc.nat(9) })

function groupTopics(partitionCounts: Readonly<Record<string, number>>): AssignorTopics {
  return new Map(
    Object.entries(partitionCounts).map(([name, partitionCount]) => {
      const racks = Array.from({ length: partitionCount }, (_, index) => {
        return [['x'], ['y'], ['x', 'y']][index % 3] ?? []
      })
      return [name, { partitionCount, racks }]
    }),
  )
}

test('every partition goes to one subscribed member, whatever the group', () => {
  fc.assert(
    fc.property(group, counts, (drafts, partitionCounts) => {
      const members = drafts.map((draft, index) => ({ ...draft, memberId: `m${index}` }))
      for (const { assign } of Object.values(assignors)) {
        const result = assign(members, groupTopics(partitionCounts))
        const all: TopicPartition[] = [...result.values()].flat()
        const seen = new Set(all.map(({ topic, partition }) => `${topic}-${partition}`))
        assert.equal(seen.size, all.length, 'no partition twice')
        const wanted = new Set(members.flatMap((one) => one.topics))
        const expected = Object.entries(partitionCounts)
          .filter(([topic]) => wanted.has(topic))
          .reduce((sum, [, count]) => sum + count, 0)
        assert.equal(all.length, expected)
        for (const { memberId, topics: subscribed } of members) {
          for (const { topic } of result.get(memberId) ?? []) assert.ok(subscribed.includes(topic))
        }
      }
    }),
  )
})

/** Rebalances a cooperative group until nobody has to give anything up any more. */
function settle(
  drafts: readonly AssignorMember[],
  topics: AssignorTopics,
  owned: ReadonlyMap<string, readonly TopicPartition[]>,
  generation: number,
): Map<string, readonly TopicPartition[]> {
  let held = new Map(owned)
  // Nearly always two; where members want different topics and sit in racks, five were seen.
  for (let round = 0; round < 10; round++) {
    const members = drafts.map((member) => {
      const ownedPartitions = held.get(member.memberId) ?? []
      return { ...member, ownedPartitions, generationId: generation + round }
    })
    const result = assignors['cooperative-sticky'].assign(members, topics)
    const keyOf = (one: TopicPartition): string => `${one.topic}-${one.partition}`
    const others = new Map<string, string>()
    for (const [memberId, list] of held) for (const one of list) others.set(keyOf(one), memberId)
    let gaveUp = false
    for (const [memberId, list] of result) {
      const kept = new Set(list.map(keyOf))
      for (const one of list) {
        assert.equal(others.get(keyOf(one)) ?? memberId, memberId, 'nobody else holds it still')
      }
      gaveUp ||= (held.get(memberId) ?? []).some((one) => !kept.has(keyOf(one)))
    }
    held = new Map(result)
    if (!gaveUp) return held
  }
  throw new Error('the group does not come to rest')
}

test('a cooperative group never gives a partition to two, and comes to rest', () => {
  fc.assert(
    fc.property(group, group, counts, counts, (before, after, countsBefore, countsAfter) => {
      const named = (drafts: readonly object[], prefix: string): AssignorMember[] =>
        drafts.map((draft, index) => ({
          ...(draft as Omit<AssignorMember, 'memberId'>),
          memberId: index % 2 === 0 ? `m${index}` : `${prefix}${index}`,
        }))
      const first = settle(named(before, 'n'), groupTopics(countsBefore), new Map(), 0)
      const wants = new Map(named(after, 'p').map((member) => [member.memberId, member]))
      const kept = new Map(
        [...first].map(([memberId, list]) => {
          const topics = wants.get(memberId)?.topics ?? []
          return [memberId, list.filter(({ topic }) => topics.includes(topic))]
        }),
      )
      const current = new Map([...kept].filter(([memberId]) => wants.has(memberId)))
      const last = settle([...wants.values()], groupTopics(countsAfter), current, 5)
      const total = [...last.values()].flat().length
      const wanted = new Set([...wants.values()].flatMap(({ topics }) => topics))
      const expected = Object.entries(countsAfter)
        .filter(([topic]) => wanted.has(topic))
        .reduce((sum, [, count]) => sum + count, 0)
      assert.equal(total, expected)
    }),
  )
})

test('a large group is assigned without anything quadratic in the way', () => {
  const members = Array.from({ length: 200 }, (_, index): AssignorMember => {
    const topics = index % 2 === 0 ? ['t0', 't1'] : ['t1', 't2']
    return { memberId: `m${index}`, groupInstanceId: null, topics }
  })
  const topics = new Map(['t0', 't1', 't2'].map((name) => [name, { partitionCount: 2000 }]))
  for (const { assign } of Object.values(assignors)) {
    const sizes = [...assign(members, topics).values()].map(({ length }) => length)
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      6000,
    )
  }
})

test('keys come in the order of a Java HashMap', () => {
  assert.equal(javaHash('hello'), 99_162_322)
  assert.equal(javaHash('consumer-1'), -166_239_206)
  assert.equal(javaHash(''), 0)
  const one = ['topic0', 'topic1', 'topic2', 'topic3']
  assert.deepEqual(javaHashOrder(one), ['topic1', 'topic2', 'topic0', 'topic3'])
})

test('an assignor we do not have is told apart', () => {
  assert.equal(assignorOf('uniform'), undefined)
  assert.equal(assignorOf('toString'), undefined)
  assert.equal(assignorOf('range'), assignors.range)
  assert.equal(isCooperative(['cooperative-sticky']), true)
  assert.equal(isCooperative(['range', 'cooperative-sticky']), false)
})
