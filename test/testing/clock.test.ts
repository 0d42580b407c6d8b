// The clock that can be set forward, on a clock whose time the test owns.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import { JumpClock, SteadyClock, withoutDelay } from '../../src/testing/clock.ts'

const startMs = 1_000_000

function makeClock(): { base: VirtualClock; clock: JumpClock } {
  const base = new VirtualClock({ startMs })
  return { base, clock: new JumpClock(base) }
}

test('without a jump it is the other clock', async () => {
  const { base, clock } = makeClock()
  const fired: number[] = []
  clock.schedule(10, () => fired.push(clock.now()))
  await base.advance(9)
  assert.deepEqual(fired, [])
  await base.advance(1)
  assert.deepEqual(fired, [startMs + 10])
})

test('after a jump what is due runs once each, in the order in which it fell due', async () => {
  const { base, clock } = makeClock()
  const fired: string[] = []
  clock.schedule(300, () => fired.push('late'))
  clock.schedule(20, () => fired.push('early'))
  clock.schedule(20, () => fired.push('early, second'))
  clock.schedule(5000, () => fired.push('not yet'))
  const repeat = (): void => {
    fired.push(`repeat at ${clock.now() - startMs}`)
    clock.schedule(100, repeat)
  }
  clock.schedule(100, repeat)
  clock.jump(1000)
  assert.equal(clock.now(), startMs + 1000)
  assert.equal(clock.monotonicMs(), 1000)
  await base.until(clock.release())
  assert.deepEqual(fired, ['early', 'early, second', 'repeat at 1000', 'late'])
  await base.advance(100)
  assert.equal(fired.at(-1), 'repeat at 1100')
  await base.advance(3900)
  assert.equal(fired.filter((one) => one === 'not yet').length, 1)
})

test('until released no timer fires, were it due by itself', async () => {
  const { base, clock } = makeClock()
  const fired: string[] = []
  clock.schedule(10, () => fired.push('a'))
  clock.jump(5)
  await base.advance(50)
  assert.deepEqual(fired, [])
  await base.until(clock.release())
  assert.deepEqual(fired, ['a'])
})

test('a timer that is cancelled, even by another one that is due with it, does not run', async () => {
  const { base, clock } = makeClock()
  const fired: string[] = []
  const first = clock.schedule(10, () => fired.push('first'))
  clock.schedule(20, () => {
    fired.push('second')
    third.cancel()
  })
  const third = clock.schedule(30, () => fired.push('third'))
  first.cancel()
  clock.jump(1000)
  await base.until(clock.release())
  assert.deepEqual(fired, ['second'])
})

test('a steady clock shows the same time, and its timers do not jump', async () => {
  const { base, clock } = makeClock()
  const steady = new SteadyClock(base, clock)
  const fired: number[] = []
  steady.schedule(10, () => fired.push(steady.monotonicMs()))
  clock.jump(5000)
  await base.until(clock.release())
  assert.equal(steady.now(), startMs + 5000)
  assert.equal(fired.length, 0)
  await base.advance(10)
  assert.deepEqual(fired, [10])
})

test('a reset forgets every timer and sets the wall clock', async () => {
  const { base, clock } = makeClock()
  const fired: string[] = []
  clock.schedule(10, () => fired.push('a'))
  clock.jump(100)
  clock.reset(7)
  await base.advance(1000)
  assert.equal(fired.length, 0)
  assert.equal(clock.now(), startMs + 1007)
  clock.schedule(1, () => fired.push('b'))
  await base.advance(1)
  assert.deepEqual(fired, ['b'])
})

test('a disk in memory need not wait for a timer of no delay', async () => {
  const { base, clock } = makeClock()
  const fired: string[] = []
  const quick = withoutDelay(clock)
  quick.schedule(0, () => fired.push('at once'))
  quick.schedule(5, () => fired.push('later'))
  await base.settle()
  assert.deepEqual(fired, ['at once'])
  await base.advance(5)
  assert.deepEqual(fired, ['at once', 'later'])
})
