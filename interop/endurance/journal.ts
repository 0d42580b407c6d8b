/**
 * What a producer was told of its numbered records, and whether the log agrees: each partition holds the
 * numbers 0, 1, 2 … in order, each once, and each acknowledged one at the offset it was told.
 */
import assert from 'node:assert/strict'

export class Journal {
  readonly #acknowledged = new Map<number, number>()
  readonly partition: number
  readonly topic: string
  acknowledged = 0
  /** Acknowledgements that came after their record was compared, and contradict it. */
  readonly #late: string[] = []
  /** Both are equal, since nothing else is written there and nothing may be there twice. */
  #checked = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  acknowledge(number: number, offset: number): void {
    this.acknowledged += 1
    if (number >= this.#checked) this.#acknowledged.set(number, offset)
    else if (offset !== number) this.#late.push(`${number} was acknowledged at ${offset}`)
  }

  /** How far the log has been compared: the offset to read on from. */
  get checked(): number {
    return this.#checked
  }

  /** The next record of the log. */
  check(offset: number, number: number): void {
    assert.equal(offset, this.#checked, `${this.#where(offset)}: no offset is left out`)
    assert.equal(number, this.#checked, `${this.#where(offset)}: none twice, none missing`)
    const told = this.#acknowledged.get(number)
    if (told !== undefined) assert.equal(told, offset, `${this.#where(offset)}: as acknowledged`)
    this.#acknowledged.delete(number)
    this.#checked += 1
  }

  /** The log has been read to its end: what was acknowledged before must have been there. */
  endReached(acknowledgedBefore: ReadonlySet<number>): void {
    const lost = [...acknowledgedBefore].filter((number) => number >= this.#checked)
    assert.deepEqual(this.#late, [], `${this.topic}-${this.partition}`)
    assert.deepEqual(lost, [], `${this.topic}-${this.partition}: acknowledged and lost`)
  }

  /** Numbers acknowledged and not seen in the log yet. */
  outstanding(): Set<number> {
    return new Set(this.#acknowledged.keys())
  }

  #where(offset: number): string {
    return `${this.topic}-${this.partition} at ${offset}`
  }
}
