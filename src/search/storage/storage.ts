/**
 * What search needs of a storage: indices whose rows are durable once appended, lookups by id, and the
 * execution of plans. DuckDB stands behind it (storage/duckdb).
 */
import type { GroupPlan, GroupRow, HitsPlan, ShardPlan, StoredHit } from './plan.ts'
import type { IndexIdentity, IndexStorage } from './index-storage.ts'

export interface SearchStorage {
  /** Opens what is there. @throws UserError where the directory cannot be used */
  open(): Promise<IndexStorage[]>
  /** Durable when it resolves. */
  create(identity: IndexIdentity, definition: string): Promise<IndexStorage>
  /** Closes an index's file and removes it. */
  drop(index: IndexStorage): Promise<void>
  close(): Promise<void>
  /** How many rows meet the conditions; beyond `atMost` some greater number. */
  count(shards: readonly ShardPlan[], atMost?: number): Promise<number>
  hits(plan: HitsPlan): Promise<StoredHit[]>
  /** The greatest score, or undefined where nothing matches. */
  maxScore(shards: readonly ShardPlan[]): Promise<number | undefined>
  groups(plan: GroupPlan): Promise<GroupRow[]>
}

/** The statement ran longer than allowed and was stopped. */
export class SearchTimeoutError extends Error {
  override readonly name = 'SearchTimeoutError'
}

/** There was no room for what was to be written, and nothing of it was. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError'
}
