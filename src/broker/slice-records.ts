import { Errors } from '../kafka/errors.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { LogSlice } from '../storage/results.ts'
import type { RecordsSource } from '../wire/schema.ts'
import type { AnswerBudget } from './answer-budget.ts'

/**
 * The records of an answer, still in the log: hot ones are read straight into the answer's buffer when
 * it is encoded, so that their bytes are copied once; cold ones are read off the loop before, and
 * counted as long as they are in memory.
 */
export class RecordsOfSlice implements RecordsSource {
  readonly slice: LogSlice
  readonly problem = Errors.NONE
  readonly #log: PartitionLog
  readonly #answers: AnswerBudget
  #loaded: Buffer | undefined
  #countedBytes = 0

  constructor(log: PartitionLog, slice: LogSlice, answers: AnswerBudget) {
    this.#log = log
    this.slice = slice
    this.#answers = answers
  }

  get byteLength(): number {
    return this.#loaded?.length ?? this.slice.length
  }

  /** `load` is to be awaited before the records are asked for. */
  get isCold(): boolean {
    return this.#loaded === undefined && !this.slice.hot
  }

  async load(): Promise<void> {
    const { length } = this.slice
    this.#countedBytes = length
    this.#answers.take(length)
    const buffer = Buffer.allocUnsafe(length)
    this.#loaded = buffer.subarray(0, await this.#log.readIntoAsync(this.slice, buffer, 0))
  }

  /** Harmless when called again. */
  release(): void {
    this.#answers.give(this.#countedBytes)
    this.#countedBytes = 0
  }

  fill(target: Buffer, at: number): void {
    if (this.#loaded !== undefined) {
      this.#loaded.copy(target, at)
      this.release()
      return
    }
    const { length: wanted } = this.slice
    const length = this.#log.readInto(this.slice, target, at)
    // The log was cut meanwhile: a tail of zeroes reads as a partial batch, which clients drop.
    if (length < wanted) target.fill(0, at + length, at + wanted)
  }
}
