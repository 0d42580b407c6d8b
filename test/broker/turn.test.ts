import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turn } from '../../src/broker/turn.ts'
import { VirtualClock } from '../../src/memory/clock.ts'

test('a turn ends with appends first, then waiting requests, then answers, each once', async () => {
  const clock = new VirtualClock()
  const turn = new Turn(clock)
  const log: string[] = []
  const waiter = { look: () => void log.push('look') }
  const gathering = (name: string) => ({
    endTurn() {
      log.push(name)
      turn.wake(waiter)
    },
  })
  const answering = { sendAnswers: () => void log.push('answer') }
  turn.owes(answering)
  turn.owes(answering)
  turn.gathered(gathering('a'))
  turn.gathered(gathering('b'))
  await clock.settle()
  assert.deepEqual(log, ['a', 'b', 'look', 'answer'])
})

test('what a waiting request appends is written before the answers leave', async () => {
  const clock = new VirtualClock()
  const turn = new Turn(clock)
  const log: string[] = []
  const second = { endTurn: () => void log.push('second') }
  turn.wake({ look: () => turn.gathered(second) })
  turn.owes({ sendAnswers: () => void log.push('answer') })
  await clock.settle()
  assert.deepEqual(log, ['second', 'answer'])
})

test('a bug in one of them is not silent, and does not stop the turns that follow', () => {
  const actions: (() => void)[] = []
  const clock = new VirtualClock()
  const turn = new Turn({
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    schedule: (delayMs, action) => clock.schedule(delayMs, action),
    atEndOfTurn: (action) => void actions.push(action),
  })
  let answers = 0
  turn.gathered({
    endTurn() {
      throw new Error('a bug')
    },
  })
  turn.owes({ sendAnswers: () => void (answers += 1) })
  assert.throws(() => actions.shift()?.(), /a bug/)
  assert.equal(answers, 0)
  actions.shift()?.()
  assert.equal(answers, 1)
})
