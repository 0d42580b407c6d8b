// Pure. Which parts of an index's segments a condition has to look at.
import type { Field } from '../../mapping/field.ts'
import type { Condition } from '../plan.ts'
import type { IndexFile } from './index-file.ts'
import { eventTable, type Segment } from './segment.ts'

/** A part of a segment's rows that is searched in one way. */
export interface Slice {
  readonly file: IndexFile
  readonly segment: Segment
  readonly shard: number
  /** posted: text is looked up in posting tables; tail: it is scanned; whole: no text is asked for. */
  readonly part: 'posted' | 'tail' | 'whole'
}

/** Whether a condition looks for tokens, so that posted rows and the tail are asked differently. */
export function asksForTokens(condition: Condition): boolean {
  switch (condition.kind) {
    case 'token':
    case 'phrase':
      return true
    case 'pattern':
      return condition.field.type === 'text'
    case 'bool': {
      const { must, filter, should, mustNot } = condition
      return [must, filter, should, mustNot].some((list) => list.some(asksForTokens))
    }
    case 'constant':
      return asksForTokens(condition.inner)
    case 'dismax':
      return condition.inner.some(asksForTokens)
    case 'all':
    case 'equals':
    case 'ids':
    case 'none':
    case 'present':
    case 'range':
    default:
      return false
  }
}

/** Least and greatest moment that rows meeting the condition can have; infinite where it does not say. */
export function timeBounds(condition: Condition, time: Field | undefined): [number, number] {
  let first = Number.NEGATIVE_INFINITY
  let last = Number.POSITIVE_INFINITY
  if (time === undefined) return [first, last]
  if (condition.kind === 'range' && condition.field.column === time.column) {
    if (condition.lower !== undefined) first = Number(condition.lower.value)
    if (condition.upper !== undefined) last = Number(condition.upper.value)
  }
  const inner = condition.kind === 'constant' ? [condition.inner] : []
  const all = condition.kind === 'bool' ? [...condition.must, ...condition.filter] : inner
  for (const one of all) {
    const [from, to] = timeBounds(one, time)
    first = Math.max(first, from)
    last = Math.min(last, to)
  }
  return [first, last]
}

/** The slices in which rows can meet the condition. `text`: whether tokens are asked for. */
export function slicesOf(
  file: IndexFile,
  condition: Condition,
  { shard, text = asksForTokens(condition) }: { readonly shard: number; readonly text?: boolean },
): Slice[] {
  if (condition.kind === 'none') return []
  const [first, last] = timeBounds(condition, file.timeField())
  const bounded = first !== Number.NEGATIVE_INFINITY || last !== Number.POSITIVE_INFINITY
  return file.segments.flatMap((segment): Slice[] => {
    if (segment.rows === 0) return []
    if (bounded && (segment.lastTime < first || segment.firstTime > last)) return []
    if (!text) return [{ file, segment, shard, part: 'whole' }]
    const slices: Slice[] = []
    if (segment.postedBelow > segment.base) slices.push({ file, segment, shard, part: 'posted' })
    if (segment.lastSeq >= segment.postedBelow) slices.push({ file, segment, shard, part: 'tail' })
    return slices
  })
}

/** The slice's own limits: posted rows or the tail, and not what is deleted. */
export function sliceSql(slice: Slice): string[] {
  const { segment, file, part } = slice
  const parts: string[] = []
  if (part === 'posted') parts.push(`seq < ${segment.postedBelow}`)
  if (part === 'tail') parts.push(`seq >= ${segment.postedBelow}`)
  if (segment.gone > 0) parts.push(`seq NOT IN (SELECT seq FROM ${file.table('gone')})`)
  return parts
}

export function fromSql(slice: Slice): string {
  return slice.file.table(eventTable(slice.segment))
}
