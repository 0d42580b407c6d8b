/** Rows on their way into an index: one array per column, so that the storage can take them as they are. */
import type { ColumnKind, Field } from '../mapping/field.ts'
import type { ValueSink } from '../mapping/document.ts'
import type { Scalar } from '../mapping/values.ts'

export interface ColumnBuffer {
  readonly column: number
  readonly kind: ColumnKind
  /** By row; holes where the row has no value, or several. */
  readonly singles: (Scalar | null)[]
  /** Row to its values, where there are several. */
  readonly lists: Map<number, Scalar[]>
}

export interface RowHead {
  readonly seq: number
  /** Null for documents without an id of their own: theirs follows from seq. */
  readonly id: string | null
  readonly version: number
  readonly source: string
}

/** Collects documents. A document that turns out to be refused is taken back with `abandon`. */
export class RowBuffer implements ValueSink {
  readonly heads: RowHead[] = []
  /** Row to the names of fields whose values did not fit. */
  readonly ignored = new Map<number, readonly string[]>()
  readonly columns = new Map<number, ColumnBuffer>()
  #row = 0

  get length(): number {
    return this.heads.length
  }

  put(field: Field, value: Scalar): void {
    let buffer = this.columns.get(field.column)
    if (buffer === undefined) {
      buffer = { column: field.column, kind: field.columnKind, singles: [], lists: new Map() }
      this.columns.set(field.column, buffer)
    }
    const { singles } = buffer
    const row = this.#row
    while (singles.length < row) singles.push(null)
    const present = singles[row]
    if (present === undefined) singles.push(value)
    else if (present === null) {
      const list = buffer.lists.get(row)
      if (list === undefined) singles[row] = value
      else list.push(value)
    } else {
      buffer.lists.set(row, [present, value])
      singles[row] = null
    }
  }

  /** Ends the row at hand and begins the next. */
  finish(head: RowHead, ignored: readonly string[]): void {
    if (ignored.length > 0) this.ignored.set(this.#row, ignored)
    this.heads.push(head)
    this.#row++
  }

  /** Forgets the values of the row at hand. */
  abandon(): void {
    const row = this.#row
    for (const buffer of this.columns.values()) {
      if (buffer.singles.length > row) buffer.singles.length = row
      buffer.lists.delete(row)
    }
  }
}
