// Pure. What Discover keeps in its address; whatever is malformed there falls back to its default.
import type { Filter } from './query.ts'

export interface DiscoverSearch {
  readonly index?: string
  readonly q?: string
  readonly from?: string
  readonly to?: string
  readonly filters?: readonly Filter[]
  readonly columns?: readonly string[]
  readonly sort?: 'asc'
  /** Seconds between refreshes; 0: none; absent: as refreshSecondsOf says. */
  readonly refresh?: number
  /** The time field, where it is not the one chosen by itself. */
  readonly time?: string
}

const followSeconds = 1

export function discoverSearch(search: Record<string, unknown>): DiscoverSearch {
  const index = text(search['index'])
  const q = text(search['q'])
  const from = text(search['from'])
  const to = text(search['to'])
  const time = text(search['time'])
  const filters = list(search['filters']).flatMap(readFilter)
  const columns = list(search['columns']).flatMap((column) => text(column) ?? [])
  const refresh = Number(search['refresh'])
  return {
    ...(index === undefined ? {} : { index }),
    ...(q === undefined ? {} : { q }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(time === undefined ? {} : { time }),
    ...(filters.length === 0 ? {} : { filters }),
    ...(columns.length === 0 ? {} : { columns }),
    ...(search['sort'] === 'asc' ? { sort: 'asc' } : {}),
    ...(refresh >= 1 || search['refresh'] === 0 ? { refresh } : {}),
  }
}

/** A range that ends now follows by itself, as long as nothing else was chosen. */
export function refreshSecondsOf(search: DiscoverSearch): number | undefined {
  const seconds = search.refresh ?? ((search.to ?? 'now') === 'now' ? followSeconds : 0)
  return seconds === 0 ? undefined : seconds
}

/** The address parser makes numbers of texts that look like one. */
function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function readFilter(value: unknown): Filter[] {
  if (typeof value !== 'object' || value === null || !('field' in value)) return []
  if (typeof value.field !== 'string') return []
  const wanted = 'value' in value ? value.value : undefined
  const isValue = ['string', 'number', 'boolean'].includes(typeof wanted)
  if (wanted !== undefined && !isValue) return []
  return [
    {
      field: value.field,
      ...(isValue ? { value: wanted as string | number | boolean } : {}),
      ...('negate' in value && value.negate === true ? { negate: true } : {}),
      ...('phrase' in value && value.phrase === true ? { phrase: true } : {}),
    },
  ]
}
