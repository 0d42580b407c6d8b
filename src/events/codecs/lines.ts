// Pure. Cuts a stream of bytes into lines.

import type { CharsetDecoder } from '../../text/charsets.ts'

export interface LineSettings {
  /** Text between lines; `\n` also takes away a `\r` in front of it. */
  readonly delimiter: string
  readonly charset: CharsetDecoder
  /** A longer line is cut into pieces of this size, so that memory stays bounded. */
  readonly lineBytesMax: number
}

export class LineSplitter {
  readonly #settings: LineSettings
  readonly #delimiter: Buffer
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(settings: LineSettings) {
    this.#settings = settings
    this.#delimiter = Buffer.from(settings.delimiter)
  }

  /** Gives the whole lines of a chunk, together with what was left of the one before. */
  push(chunk: Buffer): string[] {
    const end = this.#lastDelimiter(chunk)
    if (end < 0) {
      this.#rest.push(Buffer.from(chunk))
      this.#restBytes += chunk.length
      return this.#restBytes > this.#settings.lineBytesMax ? this.#cut() : []
    }
    const whole = chunk.subarray(0, end)
    const bytes = this.#rest.length === 0 ? whole : Buffer.concat([...this.#rest, whole])
    const tail = chunk.subarray(end)
    this.#rest = tail.length === 0 ? [] : [Buffer.from(tail)]
    this.#restBytes = tail.length
    const lines = this.#split(bytes)
    lines.pop()
    return lines
  }

  /** The unfinished line, if there is one. */
  flush(): string[] {
    return this.#restBytes === 0 ? [] : this.#cut()
  }

  #cut(): string[] {
    const lines = this.#split(Buffer.concat(this.#rest))
    this.#rest = []
    this.#restBytes = 0
    return lines
  }

  /** Where the last delimiter of the chunk ends; it may have begun in the rest. */
  #lastDelimiter(chunk: Buffer): number {
    const length = this.#delimiter.length
    if (length === 1 || this.#rest.length === 0) {
      const at = chunk.lastIndexOf(this.#delimiter)
      return at < 0 ? -1 : at + length
    }
    const rest = Buffer.concat(this.#rest)
    const overlap = rest.subarray(Math.max(0, rest.length - length + 1))
    const at = Buffer.concat([overlap, chunk]).lastIndexOf(this.#delimiter)
    return at < 0 ? -1 : at + length - overlap.length
  }

  #split(bytes: Buffer): string[] {
    const { charset, delimiter } = this.#settings
    const text = charset.decode(bytes)
    const lines = text.split(delimiter)
    if (delimiter !== '\n' || !text.includes('\r')) return lines
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }
}
