/** What every Clock must do. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { delay } from '../clock.ts'
import type { Clock } from '../clock.ts'

export interface ClockHarness {
  readonly clock: Clock
  /** Lets time pass until the promise has settled. */
  readonly drive: <T>(promise: Promise<T>) => Promise<T>
}

export function clockContract(name: string, create: () => ClockHarness): void {
  describe(`the clock contract, ${name}`, () => {
    test('an action runs when its delay has passed, by the monotonic clock', async () => {
      const { clock, drive } = create()
      const before = clock.monotonicMs()
      await drive(delay(clock, 20))
      // Timers count whole milliseconds from a cached time.
      assert.ok(clock.monotonicMs() - before >= 19)
    })

    test('actions run in the order of their times, equal ones in the order of asking', async () => {
      const { clock, drive } = create()
      const ran: string[] = []
      clock.schedule(30, () => ran.push('late'))
      clock.schedule(5, () => ran.push('first'))
      clock.schedule(5, () => ran.push('second'))
      await drive(delay(clock, 60))
      assert.deepEqual(ran, ['first', 'second', 'late'])
    })

    test('a cancelled action does not run, and cancelling late is harmless', async () => {
      const { clock, drive } = create()
      const ran: string[] = []
      const cancelled = clock.schedule(1, () => ran.push('cancelled'))
      const kept = clock.schedule(1, () => ran.push('kept'))
      cancelled.cancel()
      await drive(delay(clock, 10))
      kept.cancel()
      assert.deepEqual(ran, ['kept'])
    })

    test('end-of-turn actions run after promises and before timers, in the order of asking', async () => {
      const { clock, drive } = create()
      const ran: string[] = []
      const turn = new Promise<void>((resolve) => {
        clock.schedule(0, () => {
          clock.schedule(0, () => {
            ran.push('timer')
            resolve()
          })
          clock.atEndOfTurn(() => ran.push('end one'))
          clock.atEndOfTurn(() => ran.push('end two'))
          void Promise.resolve().then(() => ran.push('promise'))
          ran.push('turn')
        })
      })
      await drive(turn)
      assert.deepEqual(ran, ['turn', 'promise', 'end one', 'end two', 'timer'])
    })

    test('what an end-of-turn action asks for still belongs to the turn', async () => {
      const { clock, drive } = create()
      const ran: string[] = []
      const turn = new Promise<void>((resolve) => {
        clock.schedule(0, () => {
          clock.schedule(0, resolve)
          clock.atEndOfTurn(() => {
            ran.push('flush')
            clock.atEndOfTurn(() => {
              ran.push('answer')
              clock.atEndOfTurn(() => ran.push('send'))
            })
          })
        })
      })
      await drive(turn)
      assert.deepEqual(ran, ['flush', 'answer', 'send'])
    })

    test('wall time is in whole milliseconds of this century', () => {
      const { clock } = create()
      assert.ok(Number.isInteger(clock.now()))
      assert.ok(clock.now() > Date.UTC(2020, 0, 1))
    })
  })
}
