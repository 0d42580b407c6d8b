/** How long requests have been worked on in the present turn of the loop, all clients together. */
import type { Clock } from '../../runtime/clock.ts'

const SLICE_MS = 10

export class TurnSlice {
  private readonly clock: Clock
  private began: number | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Whether others should have their turn first. `now` is monotonic. */
  isOver(now: number): boolean {
    if (this.began !== undefined) return now - this.began > SLICE_MS
    this.began = now
    this.clock.atEndOfTurn(() => {
      this.began = undefined
    })
    return false
  }
}
