// Pure.
import type { Invariant } from './invariant.ts'

/** When all is healed, everything that was asked for ends within its bound. */
export function progress(): Invariant {
  return {
    number: 'I18',
    name: 'progress after healing',
    observe: (seen) => (seen.kind === 'stuck' ? seen.what : undefined),
  }
}
