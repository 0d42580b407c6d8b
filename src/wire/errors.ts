/**
 * Bytes that do not follow their format, or a value that its format cannot carry.
 * `position` is the byte at which the trouble was seen.
 */
export class WireError extends Error {
  override readonly name: string = 'WireError'
  readonly position: number

  constructor(message: string, position: number) {
    super(`${message} (at byte ${position})`)
    this.position = position
  }
}
