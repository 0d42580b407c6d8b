// Pure.
import { AssertionError } from '../../runtime/assert.ts'
import { isZooKeeperError } from '../../zookeeper/client/client.ts'
import type { Invariant } from './invariant.ts'

/**
 * No bug of ours comes to light: no request fails by an unexpected error, and no promise rejects unheard.
 * Coordination that is away is no bug.
 */
export function noInternalError(): Invariant {
  return {
    number: 'I17',
    name: 'no internal error',
    observe(seen) {
      if (seen.kind === 'unheard') return `a rejection nobody heard: ${describe(seen.error)}`
      if (seen.kind !== 'log' || isZooKeeperError(seen.error)) return undefined
      if (!isMistake(seen.error) && !seen.message.includes('Unexpected error')) return undefined
      return `${seen.host}: ${seen.message}: ${describe(seen.error)}`
    },
  }
}

/** What only wrong code throws, wherever it was caught. */
function isMistake(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError ||
    error instanceof AssertionError
  )
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
