// Reads and changes Discover's address, which is where its state lives.
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { TimeRange } from '../time/range.ts'
import type { Filter } from './query.ts'
import { type DiscoverSearch, refreshSecondsOf } from './state.ts'

export interface DiscoverState {
  readonly search: DiscoverSearch
  readonly range: TimeRange
  /** Undefined: only by hand. */
  readonly refreshSeconds: number | undefined
  readonly filters: readonly Filter[]
  readonly columns: readonly string[]
  /** Undefined removes a key. */
  readonly change: (
    changes: {
      readonly [Key in keyof DiscoverSearch]?: DiscoverSearch[Key] | undefined
    },
  ) => void
  readonly addFilter: (filter: Filter) => void
  readonly toggleColumn: (name: string) => void
}

const noFilters: readonly Filter[] = []
const noColumns: readonly string[] = []

export function useDiscoverState(): DiscoverState {
  const search = useSearch({ from: '/discover' })
  const navigate = useNavigate({ from: '/discover' })
  const change = useCallback<DiscoverState['change']>(
    (changes) => {
      void navigate({
        search: (before) => {
          const merged = Object.entries({ ...before, ...changes })
          return Object.fromEntries(merged.filter(([, value]) => value !== undefined))
        },
      })
    },
    [navigate],
  )
  const filters = search.filters ?? noFilters
  const columns = search.columns ?? noColumns
  const { from = 'now-15m', to = 'now' } = search
  return useMemo(
    () => ({
      search,
      range: { from, to },
      refreshSeconds: refreshSecondsOf(search),
      filters,
      columns,
      change,
      addFilter: (filter) => {
        const others = filters.filter(
          ({ field, value }) => field !== filter.field || value !== filter.value,
        )
        change({ filters: [...others, filter] })
      },
      toggleColumn: (name) => {
        const next = columns.includes(name)
          ? columns.filter((column) => column !== name)
          : [...columns, name]
        change({ columns: next.length === 0 ? undefined : next })
      },
    }),
    [search, from, to, filters, columns, change],
  )
}
