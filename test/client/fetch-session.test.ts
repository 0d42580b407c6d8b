// Fetch sessions: what the broker remembers is what we want to read, whatever happens between.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  FetchSession,
  type FetchTarget,
  type SessionRequest,
} from '../../src/client/consumer/fetch-session.ts'

interface Partition {
  readonly name: string
  target: FetchTarget | undefined
}

const target = (partition: number, fetchOffset: number, topicId?: string): FetchTarget => {
  return { topic: 't', topicId, partition, fetchOffset, leaderEpoch: 0, bytesMax: 1 }
}

const all = (...partitions: Partition[]): Partition[] => partitions

/** What a broker does with a request: remembers first, forgets then. */
class Memory {
  readonly held = new Map<string, number>()
  #id = 0
  #epoch = 0

  receive(request: SessionRequest<Partition>): { sessionId: number } | 'refused' {
    const full = request.sessionEpoch === 0
    if (!full && (request.sessionId !== this.#id || request.sessionEpoch !== this.#epoch)) {
      return 'refused'
    }
    if (full) {
      this.held.clear()
      this.#id += 1
      this.#epoch = 0
    }
    const nameOf = (one: FetchTarget): string =>
      `${one.partition} ${request.byId ? one.topicId : one.topic}`
    for (const one of request.wanted) this.held.set(nameOf(one), one.fetchOffset)
    for (const one of request.forgotten) this.held.delete(nameOf(one))
    this.#epoch += 1
    return { sessionId: this.#id }
  }
}

const targetOf = (partition: Partition): FetchTarget | undefined => partition.target

test('the first request names all, the next only what changed', () => {
  const session = new FetchSession<Partition>()
  const [one, two] = [
    { name: 'one', target: target(0, 5) },
    { name: 'two', target: target(1, 7) },
  ]
  const first = session.next([], all(one, two), targetOf)
  assert.deepEqual([first.sessionId, first.sessionEpoch, first.wanted.length], [0, 0, 2])
  session.onAnswer(42)
  one.target = target(0, 6)
  const second = session.next([one, two], all(one, two), targetOf)
  assert.deepEqual([second.sessionId, second.sessionEpoch], [42, 1])
  assert.deepEqual(second.wanted, [target(0, 6)])
  assert.equal(second.asked.get('t', 1), two)
  session.onAnswer(42)
  const third = session.next([{ ...two, target: undefined }], [], targetOf)
  assert.deepEqual([third.sessionEpoch, third.wanted, third.forgotten], [2, [], []])
})

test('what is not read any more is forgotten, unless it comes back under its name', () => {
  const session = new FetchSession<Partition>()
  const old: Partition = { name: 'old', target: target(0, 5) }
  const other: Partition = { name: 'other', target: target(1, 5) }
  session.next([], [old, other], targetOf)
  session.onAnswer(1)
  old.target = undefined
  other.target = undefined
  const fresh: Partition = { name: 'fresh', target: target(0, 5) }
  const request = session.next([fresh, old, other], [fresh], targetOf)
  assert.deepEqual(request.wanted, [target(0, 5)])
  assert.deepEqual(request.forgotten, [target(1, 5)])
  assert.equal(request.asked.get('t', 0), fresh)
})

test('a broker that grants no session is asked for all each time', () => {
  const session = new FetchSession<Partition>()
  const one: Partition = { name: 'one', target: target(0, 5) }
  for (let round = 0; round < 3; round++) {
    const request = session.next([], [one], targetOf)
    assert.deepEqual([request.sessionId, request.sessionEpoch], [0, 0])
    assert.equal(request.wanted.length, 1)
    session.onAnswer(0)
  }
})

test('after a failure the old session is closed by beginning another', () => {
  const session = new FetchSession<Partition>()
  const one: Partition = { name: 'one', target: target(0, 5) }
  session.next([], [one], targetOf)
  session.onAnswer(9)
  session.onFailure()
  const again = session.next([], [one], targetOf)
  assert.deepEqual([again.sessionId, again.sessionEpoch, again.wanted.length], [9, 0, 1])
  session.onFailure({ unknownId: true })
  assert.equal(session.next([], [one], targetOf).sessionId, 0)
})

test('a topic that was created anew is forgotten and asked for by its new id', () => {
  const session = new FetchSession<Partition>()
  session.useIds(true)
  const one: Partition = { name: 'one', target: target(0, 5, 'a') }
  session.next([], [one], targetOf)
  session.onAnswer(1)
  one.target = target(0, 5, 'b')
  const request = session.next([one], [one], targetOf)
  assert.deepEqual(request.forgotten, [target(0, 5, 'a')])
  assert.deepEqual(request.wanted, [target(0, 5, 'b')])
  assert.equal(request.asked.get('b', 0), one)
  assert.equal(request.asked.get('a', 0), undefined)
})

test('whatever changes and fails, the broker remembers what is to be read', () => {
  const change = fc.record({
    partition: fc.nat(5),
    offset: fc.option(fc.nat(20), { nil: undefined }),
    replaces: fc.boolean(),
  })
  const round = fc.record({
    changes: fc.array(change, { maxLength: 6 }),
    fate: fc.constantFrom('arrives', 'arrives', 'arrives', 'request lost', 'answer lost'),
    byId: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(round, { maxLength: 30 }), (rounds) => {
      const session = new FetchSession<Partition>()
      const broker = new Memory()
      const current = new Map<number, Partition>()
      const dirty = new Set<Partition>()
      for (const { changes, fate, byId } of rounds) {
        for (const { partition, offset, replaces } of changes) {
          const known = current.get(partition)
          if (known !== undefined && replaces) {
            known.target = undefined
            dirty.add(known)
          }
          const wanted = offset === undefined ? undefined : target(partition, offset, 'id')
          const next = known === undefined || replaces ? { name: 'p', target: wanted } : known
          next.target = wanted
          current.set(partition, next)
          dirty.add(next)
        }
        session.useIds(byId)
        const ready = [...current.values()].filter((one) => one.target !== undefined)
        const request = session.next(dirty, ready, targetOf)
        dirty.clear()
        const answer = fate === 'request lost' ? 'refused' : broker.receive(request)
        if (answer === 'refused' || fate === 'answer lost') {
          session.onFailure()
          continue
        }
        session.onAnswer(answer.sessionId)
        const wanted = ready.map(({ target: one }) => [one?.partition, one?.fetchOffset])
        const held = [...broker.held].map(([name, offset]) => [Number.parseInt(name, 10), offset])
        const byNumber = (a: (number | undefined)[], b: (number | undefined)[]): number =>
          (a[0] ?? 0) - (b[0] ?? 0)
        assert.deepEqual(held.sort(byNumber), wanted.sort(byNumber))
      }
    }),
  )
})
