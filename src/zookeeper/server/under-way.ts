// Pure.
// How much of all clients' requests is under way to the disk. As in the original (globalOutstandingLimit),
// beyond a bound who has a request there is not heard until it is through; everybody may have one.

/** What the requests may carry, in bytes; the original counts requests alone. */
const BYTES_MAX = 64 << 20

export class RequestsUnderWay {
  private readonly countMax: number
  private count = 0
  private bytes = 0

  constructor(countMax: number) {
    this.countMax = countMax
  }

  begin(bytes: number): void {
    this.count += 1
    this.bytes += bytes
  }

  end(bytes: number): void {
    this.count -= 1
    this.bytes -= bytes
  }

  get isFull(): boolean {
    return this.count > this.countMax || this.bytes > BYTES_MAX
  }

  /** Whether whoever was held may go on: not at the first that ends, so that they go on many at a time. */
  get hasRoom(): boolean {
    return this.count <= this.countMax / 2 && this.bytes <= BYTES_MAX / 2
  }
}
