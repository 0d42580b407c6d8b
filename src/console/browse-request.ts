// Pure. The query string of the message browser, checked; and its cursors as text.
import type { BrowseCursor, BrowseRequest, BrowseStart } from './browse.ts'

export const limitMax = 1_000
const valueBytesMax = 1024 * 1024
const filterLengthMax = 500

/** A query parameter that cannot be; the message names it and what is allowed. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}

/** @throws QueryError */
export function parseBrowseQuery(
  topic: string,
  query: Readonly<Record<string, unknown>>,
): BrowseRequest {
  const text = (name: string): string | undefined => {
    const value = query[name]
    if (value === undefined || value === '') return undefined
    if (typeof value !== 'string') throw new QueryError(`${name} is given more than once.`)
    return value
  }
  const whole = (name: string, max: number): number | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    if (!/^\d{1,16}$/.test(value) || Number(value) > max) {
      throw new QueryError(`${name} must be a whole number from 0 to ${max}.`)
    }
    return Number(value)
  }
  const limit = whole('limit', limitMax) ?? 100
  if (limit === 0) throw new QueryError(`limit must be a whole number from 1 to ${limitMax}.`)
  const filter = text('filter') ?? ''
  if (filter.length > filterLengthMax) {
    throw new QueryError(`filter must be at most ${filterLengthMax} characters long.`)
  }
  return {
    topic,
    from: start(text('from') ?? 'newest', {
      offset: whole('offset', Number.MAX_SAFE_INTEGER),
      timestampMs: whole('timestamp', 8_640_000_000_000_000),
      cursor: text('cursor'),
    }),
    partition: whole('partition', 0x7fff_ffff),
    limit,
    filter,
    valueBytesMax: Math.max(64, whole('valueBytes', valueBytesMax) ?? 16 * 1024),
  }
}

function start(
  from: string,
  given: {
    readonly offset: number | undefined
    readonly timestampMs: number | undefined
    readonly cursor: string | undefined
  },
): BrowseStart {
  switch (from) {
    case 'newest':
    case 'oldest':
      return { kind: from }
    case 'offset':
      if (given.offset === undefined) throw new QueryError('from=offset needs offset=NUMBER.')
      return { kind: 'offset', offset: given.offset }
    case 'timestamp':
      if (given.timestampMs === undefined) {
        throw new QueryError('from=timestamp needs timestamp=MILLISECONDS.')
      }
      return { kind: 'timestamp', timestampMs: given.timestampMs }
    case 'cursor':
      if (given.cursor === undefined) throw new QueryError('from=cursor needs cursor=TEXT.')
      return { kind: 'cursor', cursor: parseCursor(given.cursor) }
    default:
      throw new QueryError('from must be newest, oldest, offset, timestamp or cursor.')
  }
}

/** `older~0.120~1.44`: the direction, then partition and offset of each bound. */
export function cursorText(cursor: BrowseCursor): string {
  const bounds = [...cursor.bounds].map(([partition, offset]) => `~${partition}.${offset}`)
  return cursor.direction + bounds.join('')
}

/** @throws QueryError */
export function parseCursor(text: string): BrowseCursor {
  const [direction, ...rest] = text.split('~')
  if (direction !== 'older' && direction !== 'newer') throw new QueryError('cursor is malformed.')
  const bounds = new Map<number, number>()
  for (const bound of rest) {
    const match = /^(\d{1,10})\.(\d{1,16})$/.exec(bound)
    if (match === null) throw new QueryError('cursor is malformed.')
    bounds.set(Number(match[1]), Number(match[2]))
  }
  return { direction, bounds }
}
