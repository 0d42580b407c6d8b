/** A bug of ours, as opposed to a client's mistake or a failing disk. Ends the process. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** States what must hold here if our own code is right. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the end of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected value ${JSON.stringify(value)}`)
}
