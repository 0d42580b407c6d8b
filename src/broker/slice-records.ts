import { Errors } from '../kafka/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { LogSlice } from '../storage/results.ts'
import type { RecordsSource } from '../wire/schema.ts'
import { ReadPace } from './read-pace.ts'

/** Records of an answer, and the place in its buffer that is theirs. */
interface SliceRead {
  readonly log: PartitionLog
  readonly slice: LogSlice
  readonly at: number
}

/** What one encoding may read on the loop: some milliseconds' worth. */
const onLoopBytesMax = 8 * 1024 * 1024

/**
 * Reads the records of answers while these are encoded: new ones, and old ones that seem to be in the
 * page cache, at once; others leave holes, which are filled off the loop before the answer is sent.
 */
export class SliceReads {
  readonly #clock: Clock
  readonly #pace = new ReadPace()
  #holes: SliceRead[] = []
  #bytesOnLoop = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  read(read: SliceRead, target: Buffer): void {
    const { log, slice, at } = read
    const isCached = slice.hot || this.#pace.seemsCached
    if (!isCached || this.#bytesOnLoop + slice.length > onLoopBytesMax) {
      this.#holes.push(read)
      return
    }
    this.#bytesOnLoop += slice.length
    const startedAt = this.#clock.monotonicMs()
    fillMissing(target, at, slice, log.readInto(slice, target, at))
    this.#pace.note(slice.length, this.#clock.monotonicMs() - startedAt)
  }

  /** Ends an encoding: starts to fill the holes it left in `target`; undefined: there are none. */
  fill(target: Buffer): Promise<unknown> | undefined {
    this.#bytesOnLoop = 0
    if (this.#holes.length === 0) return undefined
    const holes = this.#holes
    this.#holes = []
    return Promise.all(holes.map((hole) => this.#fillHole(hole, target)))
  }

  /** The encoding failed. */
  forget(): void {
    this.#holes = []
  }

  async #fillHole({ log, slice, at }: SliceRead, target: Buffer): Promise<void> {
    const startedAt = this.#clock.monotonicMs()
    const length = await log.readIntoAsync(slice, target, at)
    this.#pace.note(slice.length, this.#clock.monotonicMs() - startedAt)
    fillMissing(target, at, slice, length)
  }
}

/** The log was cut meanwhile: a tail of zeroes reads as a partial batch, which clients drop. */
function fillMissing(target: Buffer, at: number, slice: LogSlice, length: number): void {
  if (length < slice.length) target.fill(0, at + length, at + slice.length)
}

/**
 * The records of an answer, still in the log: read straight into the answer's buffer, so that their
 * bytes are copied once.
 */
export class RecordsOfSlice implements RecordsSource {
  readonly problem = Errors.NONE
  readonly #log: PartitionLog
  readonly #slice: LogSlice
  readonly #reads: SliceReads

  constructor(log: PartitionLog, slice: LogSlice, reads: SliceReads) {
    this.#log = log
    this.#slice = slice
    this.#reads = reads
  }

  get byteLength(): number {
    return this.#slice.length
  }

  fill(target: Buffer, at: number): void {
    this.#reads.read({ log: this.#log, slice: this.#slice, at }, target)
  }
}
