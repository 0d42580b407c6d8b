// Pure.
// Cuts a stream of bytes into lines as Java's readers do: a line ends with LF, CR LF or CR, and what
// follows the last end is a line too, unless it is empty. Bytes stay as they are.

const lineFeed = 10
const carriageReturn = 13

export class LineSplitter {
  /** The parts of a line whose end has not come yet. */
  #open: Buffer[] = []
  /** The chunk before ended with a CR: a LF at the start of this one belongs to it. */
  #afterReturn = false

  /** The lines that end in this chunk, as views of it where they also begin there. */
  split(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = []
    let start = this.#afterReturn && chunk[0] === lineFeed ? 1 : 0
    if (chunk.length > 0) this.#afterReturn = false
    let feed = chunk.indexOf(lineFeed, start)
    let back = chunk.indexOf(carriageReturn, start)
    while (feed >= 0 || back >= 0) {
      const isReturn = back >= 0 && (feed < 0 || back < feed)
      const end = isReturn ? back : feed
      lines.push(this.#finish(chunk.subarray(start, end)))
      start = end + 1
      if (isReturn && start === chunk.length) this.#afterReturn = true
      if (isReturn && feed === start) start += 1
      // Each is looked for again only once it was passed, so that no byte is searched twice.
      if (feed >= 0 && feed < start) feed = chunk.indexOf(lineFeed, start)
      if (back >= 0 && back < start) back = chunk.indexOf(carriageReturn, start)
    }
    if (start < chunk.length) this.#open.push(chunk.subarray(start))
    return lines
  }

  /** The last line, where the input does not end with a line's end. */
  end(): Buffer[] {
    return this.#open.length === 0 ? [] : [this.#finish(Buffer.alloc(0))]
  }

  #finish(last: Buffer): Buffer {
    if (this.#open.length === 0) return last
    const line = Buffer.concat([...this.#open, last])
    this.#open = []
    return line
  }
}
