// Pure. Which part of a file is acknowledged: pieces complete in any order, the position moves in
// order.

/** Some lines that were read together; they end at `end` in the file. */
export interface Piece {
  readonly end: number
  /** Events of this piece that are not acknowledged yet. */
  unacknowledged: number
}

export class AcknowledgedPosition {
  #pieces: Piece[] = []
  #head = 0
  #position: number

  constructor(position: number) {
    this.#position = position
  }

  /** Everything before it is acknowledged. */
  get position(): number {
    return this.#position
  }

  get isSettled(): boolean {
    return this.#head === this.#pieces.length
  }

  /** Lines were read up to `end`, of which `events` became events. 0: nothing to wait for. */
  add(end: number, events: number): Piece {
    const piece = { end, unacknowledged: events }
    this.#pieces.push(piece)
    if (events === 0) this.#advance()
    return piece
  }

  /** One event of the piece was acknowledged. True when the position moved. */
  acknowledge(piece: Piece): boolean {
    piece.unacknowledged -= 1
    return piece.unacknowledged === 0 && this.#pieces[this.#head] === piece && this.#advance()
  }

  #advance(): boolean {
    const before = this.#head
    for (;;) {
      const piece = this.#pieces[this.#head]
      if (piece === undefined || piece.unacknowledged > 0) break
      this.#position = piece.end
      this.#head += 1
    }
    const moved = this.#head > before
    if (this.#head === this.#pieces.length || this.#head > 1024) {
      this.#pieces = this.#pieces.slice(this.#head)
      this.#head = 0
    }
    return moved
  }
}
