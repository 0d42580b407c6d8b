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

  /** Where the last delimiter of the chunk ends, counted from the left; it may have begun in the rest. */
  #lastDelimiter(chunk: Buffer): number {
    const length = this.#delimiter.length
    if (length === 1) return chunk.lastIndexOf(this.#delimiter) + 1 || -1
    const overlap = this.#restEnd(length - 1)
    const window = overlap.length === 0 ? chunk : Buffer.concat([overlap, chunk])
    let end = -1
    for (let at = window.indexOf(this.#delimiter); at >= 0; ) {
      end = at + length
      at = window.indexOf(this.#delimiter, end)
    }
    return end < 0 ? -1 : end - overlap.length
  }

  /** The last bytes of the rest, at most `count`. */
  #restEnd(count: number): Buffer {
    const ends: Buffer[] = []
    let missing = count
    for (let at = this.#rest.length - 1; at >= 0 && missing > 0; at -= 1) {
      const piece = this.#rest[at] ?? Buffer.alloc(0)
      const end = piece.subarray(Math.max(0, piece.length - missing))
      ends.unshift(end)
      missing -= end.length
    }
    return Buffer.concat(ends)
  }

  #split(bytes: Buffer): string[] {
    const { charset, delimiter } = this.#settings
    const text = charset.decode(bytes)
    const lines = text.split(delimiter)
    if (delimiter !== '\n' || !text.includes('\r')) return lines
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }
}
