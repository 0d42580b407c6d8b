/** One index as the storage keeps it. */
import type { Field } from '../mapping/field.ts'
import type { RowBuffer } from './rows.ts'

export interface IndexIdentity {
  /** 22 characters of base64url. Names the file. */
  readonly uuid: string
  readonly name: string
}

/** What the storage must know of a mapping by itself. */
export interface FieldSource {
  /** Fields to make postings of. */
  textFields(): readonly Field[]
  /** `@timestamp`, where it is a date. */
  timeField(): Field | undefined
}

export interface IndexStorage {
  readonly identity: IndexIdentity
  /** The index's definition (mapping, settings, aliases) as it was stored last. */
  readonly definition: string
  /** The number that the next operation gets; one more than the greatest used. */
  readonly nextSeq: number
  /** Documents, without those deleted or replaced. */
  readonly count: number
  readonly deletedCount: number
  readonly bytes: number
  /** Hands in the mapping; once, before anything is written or searched. */
  bind(fields: FieldSource): void
  /** What is stored under these ids now; unknown ids are left out. */
  lookup(ids: readonly string[]): Promise<Map<string, StoredVersion>>
  /** The id of a row that was written without one. */
  autoId(seq: number): string
  /** Sources by seq. */
  sources(seqs: readonly number[]): Promise<Map<number, string>>
  /** Rows, tombstones and definition together, or nothing. Durable when it resolves. @throws DiskFullError */
  append(batch: AppendBatch): Promise<void>
  /** Least and greatest `@timestamp` of all rows in milliseconds; undefined without any. */
  timeRange(): { readonly first: number; readonly last: number } | undefined
}

export interface StoredVersion {
  readonly seq: number
  readonly version: number
}

export interface AppendBatch {
  readonly rows: RowBuffer
  /** Rows that are no longer: deleted, or replaced by a later one. */
  readonly gone: readonly number[]
  /** Where it changed. */
  readonly definition: string | undefined
  readonly nextSeq: number
}
