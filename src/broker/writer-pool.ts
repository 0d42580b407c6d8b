import { Writer } from '../wire/writer.ts'

/** Buffers that answers are written into, used again when they have left. Bounded in bytes kept. */
export class WriterPool {
  readonly #free: Writer[] = []
  readonly #keptBytesMax: number
  #keptBytes = 0

  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax
  }

  take(): Writer {
    const writer = this.#free.pop()
    if (writer === undefined) return new Writer(4096)
    this.#keptBytes -= writer.buffer.length
    writer.reset()
    return writer
  }

  give(writer: Writer): void {
    if (this.#keptBytes + writer.buffer.length > this.#keptBytesMax) return
    this.#keptBytes += writer.buffer.length
    this.#free.push(writer)
  }
}
