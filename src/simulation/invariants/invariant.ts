// Pure.
import type { Observation } from '../observation.ts'

/** Something that must hold in every run; SPEC.md section 2 has the numbers. */
export interface Invariant {
  readonly number: string
  readonly name: string
  /** Takes in what was seen; says in a sentence what is wrong, or nothing. */
  observe(seen: Observation): string | undefined
}
