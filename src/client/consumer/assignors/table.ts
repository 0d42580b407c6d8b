// Pure.
// The assignors by the names that go over the wire.
import type { AssignorName } from '../types.ts'
import type { Assignor } from './assignor.ts'
import { assignRange } from './range.ts'
import { assignRoundRobin } from './round-robin.ts'
import { encodeCooperativeData, encodeStickyData } from './sticky-data.ts'
import { assignCooperativeSticky, assignSticky } from './sticky.ts'

const nothing = (): null => null

export const assignors: Readonly<Record<AssignorName, Assignor>> = {
  range: { assign: assignRange, cooperative: false, userData: nothing },
  roundrobin: { assign: assignRoundRobin, cooperative: false, userData: nothing },
  sticky: { assign: assignSticky, cooperative: false, userData: encodeStickyData },
  'cooperative-sticky': {
    assign: assignCooperativeSticky,
    cooperative: true,
    userData: encodeCooperativeData,
  },
}

/** The assignor of a protocol name the coordinator chose; undefined for one we do not have. */
export function assignorOf(name: string): Assignor | undefined {
  return Object.hasOwn(assignors, name) ? assignors[name as AssignorName] : undefined
}

/** Members keep their partitions while they join only where every assignor they offer allows it. */
export function isCooperative(names: readonly AssignorName[]): boolean {
  return names.length > 0 && names.every((name) => assignors[name].cooperative)
}
