// Pure.
// The assignors by the names that go over the wire.
import type { AssignorName } from '../types.ts'
import type { Assign } from './assignor.ts'
import { assignRange } from './range.ts'
import { assignRoundRobin } from './round-robin.ts'

export const assignors: Readonly<Record<AssignorName, Assign>> = {
  range: assignRange,
  roundrobin: assignRoundRobin,
}

/** The assignor of a protocol name the coordinator chose; undefined for one we do not have. */
export function assignorOf(name: string): Assign | undefined {
  return Object.hasOwn(assignors, name) ? assignors[name as AssignorName] : undefined
}
