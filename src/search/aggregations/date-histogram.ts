// Pure. date_histogram: intervals, zones, gaps that are filled, and how the keys are shown.
import { addLocal, type DateUnit, roundLocal, unitMs } from '../dates/math.ts'
import { parseDateMath } from '../dates/math.ts'
import { defaultDatePattern } from '../dates/format.ts'
import { offsetSpans, toUtc, utc, type Zone } from '../dates/zone.ts'
import { RequestParseError, ShardError } from '../errors.ts'
import { isObject, textOf } from '../json/value.ts'
import { formatOf, zoneOf } from '../query/values.ts'
import type { DateGrouping } from '../storage/plan.ts'
import { type AggregationContext, type NamedSource, sourceOf } from './sources.ts'
import type { AggregationNode } from './tree.ts'

export interface DateHistogram {
  readonly source: NamedSource
  readonly grouping: DateGrouping
  readonly zone: Zone
  /** The local bucket start that follows. */
  next(localMs: number): number
  /** Local bucket start to the moment in UTC. */
  keyOf(localMs: number): number
  show(keyMs: number): string
  /** Local starts of the first and last bucket that must be there. */
  readonly bounds: { readonly first: number; readonly last: number } | undefined
}

type Interval =
  | { readonly kind: 'fixed'; readonly ms: number }
  | { readonly kind: 'unit'; readonly unit: DateUnit }

const calendar: Readonly<Record<string, DateUnit>> = {
  second: 'second',
  '1s': 'second',
  minute: 'minute',
  '1m': 'minute',
  hour: 'hour',
  '1h': 'hour',
  day: 'day',
  '1d': 'day',
  week: 'week',
  '1w': 'week',
  month: 'month',
  '1M': 'month',
  quarter: 'quarter',
  '1q': 'quarter',
  year: 'year',
  '1y': 'year',
}

export function makeDateHistogram(
  context: AggregationContext,
  node: AggregationNode,
): DateHistogram {
  const { body } = node
  const source = sourceOf(context, node, 'date')
  const interval = intervalOf(node)
  const zone = body['time_zone'] === undefined ? utc : zoneOf(textOf(body['time_zone']))
  const offsetMs = body['offset'] === undefined ? 0 : durationMs(textOf(body['offset']), node)
  const format =
    body['format'] === undefined
      ? (source.field?.dateFormat ?? formatOf(defaultDatePattern))
      : formatOf(textOf(body['format']))
  const span = timeSpan(context)
  const sqlInterval = sqlIntervalOf(interval)
  const start = (localMs: number): number => startOf(sqlInterval, localMs - offsetMs) + offsetMs
  const boundsBody = body['extended_bounds']
  let bounds: DateHistogram['bounds']
  if (isObject(boundsBody)) {
    const read = (key: string): number | undefined => {
      const value = boundsBody[key]
      if (value === undefined || value === null) return undefined
      return parseDateMath(textOf(value), { now: context.now, format, zone })
    }
    const first = read('min')
    const last = read('max')
    if (first !== undefined && last !== undefined && first > last) {
      throw new ShardError(
        400,
        'search_parse_exception',
        `[extended_bounds.min][${first}] cannot be greater than [extended_bounds.max][${last}] ` +
          `for histogram aggregation [${node.name}]`,
      )
    }
    const local = (ms: number): number => start(ms + zone.offsetAt(ms))
    const [from, to] = [first ?? last, last ?? first]
    if (from !== undefined && to !== undefined) bounds = { first: local(from), last: local(to) }
  }
  return {
    source,
    grouping: {
      kind: 'dates',
      source,
      interval: sqlInterval,
      offsetMs,
      zone: offsetSpans(zone, span.first, span.last),
    },
    zone,
    next: (localMs) => nextStart(interval, localMs, offsetMs),
    keyOf: (localMs) => toUtc(zone, localMs),
    show: (keyMs) => format.format(keyMs, zone),
    bounds,
  }
}

function sqlIntervalOf(interval: Interval): DateGrouping['interval'] {
  if (interval.kind === 'fixed') return { kind: 'fixed', ms: interval.ms }
  switch (interval.unit) {
    case 'second':
    case 'minute':
    case 'hour':
    case 'day':
      return { kind: 'fixed', ms: unitMs[interval.unit] }
    case 'month':
    case 'quarter':
    case 'week':
    case 'year':
    default:
      return { kind: 'calendar', unit: interval.unit }
  }
}

function startOf(interval: DateGrouping['interval'], localMs: number): number {
  if (interval.kind === 'fixed') return Math.floor(localMs / interval.ms) * interval.ms
  return roundLocal(localMs, interval.unit)
}

function nextStart(interval: Interval, localMs: number, offsetMs: number): number {
  if (interval.kind === 'fixed') return localMs + interval.ms
  return addLocal(localMs - offsetMs, interval.unit, 1) + offsetMs
}

function intervalOf(node: AggregationNode): Interval {
  const { body } = node
  const fixed = body['fixed_interval']
  if (fixed !== undefined) return { kind: 'fixed', ms: durationMs(textOf(fixed), node) }
  const named = body['calendar_interval'] ?? body['interval']
  if (named === undefined) {
    throw new RequestParseError(
      'Required one of fields [interval, calendar_interval, fixed_interval], but none were specified. ',
      { path: node.path, type: 'illegal_argument_exception', form: 'prefix' },
    )
  }
  const unit = calendar[textOf(named)]
  if (unit !== undefined) return { kind: 'unit', unit }
  if (body['calendar_interval'] !== undefined) {
    throw new RequestParseError(
      `The supplied interval [${textOf(named)}] could not be parsed as a calendar interval.`,
      { path: node.path, type: 'illegal_argument_exception', form: 'prefix' },
    )
  }
  const ms = typeof named === 'number' ? named : durationMs(textOf(named), node)
  return { kind: 'fixed', ms }
}

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

function durationMs(text: string, node: AggregationNode): number {
  const match = /^([+-]?)(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?$/.exec(text)
  const factor = durationUnits[match?.[3] ?? 'ms']
  const value = match === null || factor === undefined ? 0 : Math.round(Number(match[2]) * factor)
  const offset = match?.[1] !== undefined && match[1] !== ''
  if (match === null || (value <= 0 && !offset && text !== '0')) {
    throw new RequestParseError(
      `failed to parse setting [DateHistogramAggregationBuilder.parse] with value [${text}] as a ` +
        'time value: unit is missing or unrecognized',
      { path: node.path, type: 'parse_exception' },
    )
  }
  return match[1] === '-' ? -value : value
}

/** The moments that rows of the search can have, for the zone's changes. */
function timeSpan(context: AggregationContext): { first: number; last: number } {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const index of context.indices) {
    const range = index.storage.timeRange()
    if (range === undefined) continue
    first = Math.min(first, range.first)
    last = Math.max(last, range.last)
  }
  if (first > last) return { first: context.now, last: context.now }
  const century = 100 * 365 * 86_400_000
  return {
    first: Math.max(first, context.now - century),
    last: Math.min(last, context.now + century),
  }
}
