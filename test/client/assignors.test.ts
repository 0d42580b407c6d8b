// Members of one group may be ours and Java's: whoever leads, the assignment must be the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AssignorMember } from '../../src/client/consumer/assignors/assignor.ts'
import { assignorOf, assignors } from '../../src/client/consumer/assignors/table.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/client/consumer/protocol.ts'
import type { TopicPartition } from '../../src/client/types.ts'
import { golden } from './support/golden.ts'

interface Scenario {
  readonly scenario: number
  readonly assignor: 'range' | 'roundrobin'
  readonly rounds: readonly {
    readonly topics: Readonly<Record<string, number>>
    readonly members: readonly (AssignorMember & { readonly subscription: string | null })[]
    readonly assignment: Readonly<Record<string, readonly (readonly [string, number])[]>>
    readonly assignmentBytes: Readonly<Record<string, string>>
  }[]
}

const scenarios = golden<Scenario>('assignors')

const sorted = (partitions: readonly (readonly [string, number])[]): string[] =>
  partitions.map(([topic, partition]) => `${topic}-${partition}`).sort()

for (const name of ['range', 'roundrobin'] as const) {
  test(`the ${name} assignor assigns as Kafka 3.9.1 does`, () => {
    const mine = scenarios.filter(({ assignor }) => assignor === name)
    assert.equal(mine.length, 100)
    for (const { scenario, rounds } of mine) {
      for (const { topics, members, assignment } of rounds) {
        const result = assignors[name](members, new Map(Object.entries(topics)))
        assert.equal(result.size, members.length)
        for (const [memberId, partitions] of Object.entries(assignment)) {
          const ours = result.get(memberId)?.map((one) => [one.topic, one.partition] as const)
          assert.deepEqual(sorted(ours ?? []), sorted(partitions), `scenario ${scenario}`)
        }
      }
    }
  })
}

test('subscriptions are written as Kafka 3.9.1 writes them, and read back', () => {
  let compared = 0
  for (const { rounds } of scenarios) {
    for (const { topics, subscription } of rounds.flatMap(({ members }) => members)) {
      const bytes = encodeSubscription(topics)
      assert.deepEqual(decodeSubscription(bytes), [...topics].sort())
      if (subscription === null) continue
      assert.equal(bytes.toString('hex'), subscription)
      compared += 1
    }
  }
  assert.ok(compared > 100, `${compared} subscriptions compared`)
})

test('assignments of Kafka 3.9.1 are read, and ours are read back', () => {
  for (const { rounds } of scenarios) {
    for (const { assignment, assignmentBytes } of rounds) {
      for (const [memberId, hex] of Object.entries(assignmentBytes)) {
        const read = decodeAssignment(Buffer.from(hex, 'hex'))
        const pairs = read.map((one) => [one.topic, one.partition] as const)
        assert.deepEqual(sorted(pairs), sorted(assignment[memberId] ?? []))
        assert.deepEqual(decodeAssignment(encodeAssignment(read)), read)
      }
    }
  }
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), [])
})

test('every partition goes to one subscribed member, whatever the group', () => {
  const topicNames = ['a', 'b', 'c', 'd']
  const member = fc.record({
    groupInstanceId: fc.constant(null),
    topics: fc.subarray(topicNames, { minLength: 1 }),
  })
  const counts = fc.record({ a: fc.nat(9), b: fc.nat(9), c: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 6 }), counts, (drafts, topics) => {
      const members = drafts.map((draft, index) => ({ ...draft, memberId: `m${index}` }))
      for (const assign of Object.values(assignors)) {
        const result = assign(members, new Map(Object.entries(topics)))
        const all: TopicPartition[] = [...result.values()].flat()
        const names = new Set(all.map(({ topic, partition }) => `${topic}-${partition}`))
        assert.equal(names.size, all.length, 'no partition twice')
        const wanted = new Set(members.flatMap((one) => one.topics))
        const expected = Object.entries(topics)
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

test('an assignor we do not have is told apart', () => {
  assert.equal(assignorOf('sticky'), undefined)
  assert.equal(assignorOf('toString'), undefined)
  assert.equal(assignorOf('range'), assignors.range)
})
