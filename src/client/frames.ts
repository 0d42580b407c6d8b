// Pure.
// Cuts a connection's input into answers. Each answer gets a buffer of its own and of its exact
// size, since decoded records are views of it and outlive the network's shared buffer.

export class AnswerFrames {
  readonly #frameBytesMax: number
  readonly #onFrame: (frame: Buffer) => void
  readonly #sizeBytes = Buffer.alloc(4)
  #sizeFilled = 0
  #frame: Buffer | undefined
  #frameFilled = 0

  /** `onFrame` gets the size and what follows it. */
  constructor(frameBytesMax: number, onFrame: (frame: Buffer) => void) {
    this.#frameBytesMax = frameBytesMax
    this.#onFrame = onFrame
  }

  /** Where the rest of a begun answer should be read to; undefined where none is begun. */
  target(): Buffer | undefined {
    return this.#frame?.subarray(this.#frameFilled)
  }

  /** False when the size of an answer is out of bounds: the connection is of no more use. */
  push(chunk: Buffer): boolean {
    let at = 0
    while (at < chunk.length) {
      const frame = this.#frame
      if (frame === undefined) {
        this.#sizeBytes[this.#sizeFilled++] = chunk[at++] ?? 0
        if (this.#sizeFilled === 4 && !this.#begin()) return false
        continue
      }
      const taken = Math.min(frame.length - this.#frameFilled, chunk.length - at)
      if (!isTarget(frame, this.#frameFilled, chunk)) {
        chunk.copy(frame, this.#frameFilled, at, at + taken)
      }
      this.#frameFilled += taken
      at += taken
      if (this.#frameFilled === frame.length) {
        this.#frame = undefined
        this.#onFrame(frame)
      }
    }
    return true
  }

  #begin(): boolean {
    const size = this.#sizeBytes.readInt32BE(0)
    this.#sizeFilled = 0
    // An answer holds its correlation id at least.
    if (size < 4 || size > this.#frameBytesMax) return false
    this.#frame = Buffer.allocUnsafe(size + 4)
    this.#sizeBytes.copy(this.#frame)
    this.#frameFilled = 4
    return true
  }
}

/** Whether the bytes were read straight into the frame. */
function isTarget(frame: Buffer, filled: number, chunk: Buffer): boolean {
  return chunk.buffer === frame.buffer && chunk.byteOffset === frame.byteOffset + filled
}
