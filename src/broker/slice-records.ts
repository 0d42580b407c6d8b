import { Errors } from '../kafka/errors.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { LogSlice } from '../storage/results.ts'
import type { RecordsSource } from '../wire/schema.ts'

/** Records that are not in the answer yet: a hole in its buffer, and where its bytes come from. */
interface ColdRead {
  readonly log: PartitionLog
  readonly slice: LogSlice
  readonly at: number
}

/**
 * What the answer that is being encoded still misses. Encoding leaves holes for records that are not to
 * be read on the loop; whoever encodes takes them from here, and sends the answer when they are filled.
 */
export class ColdReads {
  #reads: ColdRead[] = []

  note(read: ColdRead): void {
    this.#reads.push(read)
  }

  /** Starts to fill the holes that the last encoding left in `target`; undefined: there are none. */
  fill(target: Buffer): Promise<unknown> | undefined {
    if (this.#reads.length === 0) return undefined
    const reads = this.#reads
    this.#reads = []
    return Promise.all(reads.map((read) => fillHole(read, target)))
  }

  /** The encoding failed. */
  forget(): void {
    this.#reads = []
  }
}

async function fillHole({ log, slice, at }: ColdRead, target: Buffer): Promise<void> {
  const length = await log.readIntoAsync(slice, target, at)
  fillMissing(target, at, slice, length)
}

/** The log was cut meanwhile: a tail of zeroes reads as a partial batch, which clients drop. */
function fillMissing(target: Buffer, at: number, slice: LogSlice, length: number): void {
  if (length < slice.length) target.fill(0, at + length, at + slice.length)
}

/**
 * The records of an answer, still in the log: read straight into the answer's buffer, so that their
 * bytes are copied once; hot ones while it is encoded, cold ones off the loop after that.
 */
export class RecordsOfSlice implements RecordsSource {
  readonly problem = Errors.NONE
  readonly #log: PartitionLog
  readonly #slice: LogSlice
  readonly #coldReads: ColdReads

  constructor(log: PartitionLog, slice: LogSlice, coldReads: ColdReads) {
    this.#log = log
    this.#slice = slice
    this.#coldReads = coldReads
  }

  get byteLength(): number {
    return this.#slice.length
  }

  fill(target: Buffer, at: number): void {
    const slice = this.#slice
    if (slice.hot) fillMissing(target, at, slice, this.#log.readInto(slice, target, at))
    else this.#coldReads.note({ log: this.#log, slice, at })
  }
}
