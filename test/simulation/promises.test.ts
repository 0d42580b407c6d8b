/** Goal: losses are excused where SPEC.md section 1 allows them, and nowhere else. Method: made-up lives. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Observation, Place, WrittenState } from '../../src/simulation/observation.ts'
import { Promises } from '../../src/simulation/promises.ts'

const place = { topic: 't', partition: 0 } as const

function state(mzxid: bigint, differs: Partial<WrittenState> = {}): Observation {
  const epochs = { leaderEpoch: 0, controllerEpoch: 1, currentControllerEpoch: 1 }
  const usual = { leader: 0, isr: [0, 1], ...epochs, czxid: 5n, mzxid }
  return { kind: 'stateWritten', ...place, ...usual, ...differs }
}

function created(flushed: boolean, topic = 't'): Observation {
  return { kind: 'topicCreated', topic, on: 't', flushed, unclean: false }
}

const registered = (broker: number, czxid: bigint | undefined): Observation => {
  return { kind: 'registered', broker, czxid }
}
const powerLost = (broker: number): Observation => ({ kind: 'powerLost', host: `broker-${broker}` })
const diskLost = (broker: number): Observation => ({ kind: 'diskLost', host: `broker-${broker}` })

/** Where losses are allowed in the end. */
function allowed(...seen: readonly Observation[]): Place[] {
  const promises = new Promises()
  for (const broker of [0, 1]) promises.observe(registered(broker, BigInt(broker + 1)))
  const losses = seen.flatMap((one) => promises.observe(one))
  return losses.map(({ topic, partition }) => ({ topic, partition }))
}

test('a machine that loses its power takes what nobody else has', () => {
  const alone = state(5n, { isr: [0] })
  assert.deepEqual(allowed(created(false), alone, powerLost(0)), [place])
  assert.deepEqual(allowed(created(true), alone, powerLost(0)), [])
  assert.deepEqual(allowed(created(true), alone, diskLost(0)), [place])
  assert.deepEqual(allowed(created(false), alone, powerLost(1)), [])
})

test('as long as one of the in-sync set has kept its data nothing may be lost', () => {
  assert.deepEqual(allowed(created(false), state(5n), powerLost(0)), [])
  assert.deepEqual(allowed(created(false), state(5n), powerLost(0), powerLost(1)), [place])
  // It left the set, and is back with all that the leader has.
  const away = state(6n, { isr: [1], leader: 1, leaderEpoch: 1 })
  const back = state(7n, { leader: 1, leaderEpoch: 1 })
  assert.deepEqual(allowed(created(false), state(5n), powerLost(0), away, back, powerLost(1)), [])
})

test('a leader that lost data is excused only where nobody could know better', () => {
  const again = state(9n, { leaderEpoch: 1 })
  const lives = [created(false), state(5n), powerLost(0)]
  assert.deepEqual(allowed(...lives, registered(0, 8n), again), [])
  assert.deepEqual(allowed(...lives, registered(1, undefined), registered(0, 8n), again), [place])
})

test('a leader that was not in sync is excused', () => {
  const unclean = state(6n, { leader: 2, leaderEpoch: 1, isr: [2] })
  assert.deepEqual(allowed(created(false), state(5n), unclean), [place])
})

test('a topic that was made again is told of by the names of its lives', () => {
  const lives = [created(false, 't@1'), created(false, 't@2')]
  const places = allowed(...lives, state(5n, { isr: [0] }), powerLost(0))
  assert.deepEqual(
    places.map(({ topic }) => topic),
    ['t@1', 't@2'],
  )
})
