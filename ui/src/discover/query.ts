// Pure. What Discover asks of Elasticsearch, from the query bar, the filter chips and the time range.
import type { SearchAnswer } from '../api/types.ts'
import type { Interval } from '../time/interval.ts'
import type { ResolvedRange } from '../time/range.ts'

/** One chip. Without a value: the field exists. */
export interface Filter {
  readonly field: string
  readonly value?: string | number | boolean
  readonly negate?: boolean
  /** Analysed text without a keyword view is compared as a phrase, all else as a term. */
  readonly phrase?: boolean
}

export interface Question {
  /** Lucene syntax; empty: everything. */
  readonly query: string
  readonly filters: readonly Filter[]
  readonly timeField: string | undefined
  readonly range: ResolvedRange
}

type Clause = Readonly<Record<string, unknown>>

export const documentsShown = 500

export function documentsBody(question: Question, order: 'asc' | 'desc'): Clause {
  const { timeField } = question
  return {
    size: documentsShown,
    query: queryClause(question),
    ...(timeField === undefined
      ? {}
      : { sort: [{ [timeField]: { order, unmapped_type: 'date' } }] }),
  }
}

/** The newest document that matches at any time. */
export function newestBody(question: Question, timeField: string): Clause {
  return {
    size: 1,
    query: queryClause({
      ...question,
      timeField: undefined,
      filters: [...question.filters, { field: timeField }],
    }),
    sort: [{ [timeField]: { order: 'desc', unmapped_type: 'date' } }],
  }
}

/** Counts over time and in all. */
export function histogramBody(
  question: Question,
  shape: { readonly interval: Interval; readonly timeZone: string; readonly serverVersion: string },
): Clause {
  const { timeField } = question
  const total = { size: 0, query: queryClause(question), track_total_hits: true }
  if (timeField === undefined) return total
  const key = knowsFixedIntervals(shape.serverVersion) ? 'fixed_interval' : 'interval'
  const histogram = {
    field: timeField,
    [key]: shape.interval.text,
    time_zone: shape.timeZone,
    min_doc_count: 1,
  }
  return { ...total, aggs: { time: { date_histogram: histogram } } }
}

/** The most frequent values of a field, and in all how many documents have one. */
export function topValuesBody(question: Question, field: string): Clause {
  const filters = [...question.filters, { field }]
  return {
    size: 0,
    query: queryClause({ ...question, filters }),
    track_total_hits: true,
    aggs: { values: { terms: { field, size: 5 } } },
  }
}

export function queryClause(question: Question): Clause {
  const filter: Clause[] = []
  const mustNot: Clause[] = []
  const query = question.query.trim()
  if (query !== '' && query !== '*') {
    filter.push({ query_string: { query, analyze_wildcard: true } })
  }
  if (question.timeField !== undefined) {
    const { fromMs, toMs } = question.range
    const bounds = { gte: fromMs, lte: toMs, format: 'epoch_millis' }
    filter.push({ range: { [question.timeField]: bounds } })
  }
  for (const chip of question.filters)
    (chip.negate === true ? mustNot : filter).push(clauseOf(chip))
  if (filter.length === 0 && mustNot.length === 0) return { match_all: {} }
  return { bool: { filter, ...(mustNot.length === 0 ? {} : { must_not: mustNot }) } }
}

function clauseOf({ field, value, phrase }: Filter): Clause {
  if (value === undefined) return { exists: { field } }
  return phrase === true ? { match_phrase: { [field]: value } } : { term: { [field]: value } }
}

/** `interval` was split in 7.2 and went in 8.0. */
function knowsFixedIntervals(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 7 || (major === 7 && minor >= 2)
}

/** `hits.total` was a number up to 6.x. */
export function totalOf(answer: SearchAnswer | undefined): number | undefined {
  const total = answer?.hits.total
  return typeof total === 'object' ? total.value : total
}
