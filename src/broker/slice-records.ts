import type { RecordsSource } from '../wire/schema.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { LogSlice } from '../storage/results.ts'

/**
 * The records of an answer, still in the log: hot ones are read straight into the answer's buffer when
 * it is encoded, so that their bytes are copied once; cold ones are read off the loop before.
 */
export class RecordsOfSlice implements RecordsSource {
  readonly #log: PartitionLog
  readonly #slice: LogSlice
  #loaded: Buffer | undefined

  constructor(log: PartitionLog, slice: LogSlice) {
    this.#log = log
    this.#slice = slice
  }

  get byteLength(): number {
    return this.#loaded?.length ?? this.#slice.length
  }

  /** Starts what must be done before encoding; undefined: nothing. */
  prepare(): Promise<void> | undefined {
    return this.#slice.hot ? undefined : this.#load()
  }

  async #load(): Promise<void> {
    const buffer = Buffer.allocUnsafe(this.#slice.length)
    const length = await this.#log.readIntoAsync(this.#slice, buffer, 0)
    this.#loaded = buffer.subarray(0, length)
  }

  fill(target: Buffer, at: number): void {
    if (this.#loaded !== undefined) {
      this.#loaded.copy(target, at)
      return
    }
    const length = this.#log.readInto(this.#slice, target, at)
    // The log was cut meanwhile: a tail of zeroes reads as a partial batch, which clients drop.
    if (length < this.#slice.length) target.fill(0, at + length, at + this.#slice.length)
  }
}
