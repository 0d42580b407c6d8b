/** What running a search needs. */
import type { Compatibility } from '../compatibility.ts'
import type { SearchStorage } from '../storage/storage.ts'

export interface SearchParts {
  readonly storage: SearchStorage
  readonly compatibility: Compatibility
  readonly now: number
  readonly monotonicMs: () => number
}
