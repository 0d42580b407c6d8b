import { Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api } from '../api/calls.ts'
import { EmptyState } from '../parts/EmptyState.tsx'
import { Discover } from './Discover.tsx'
import { defaultPattern } from './patterns.ts'
import { useDiscoverState } from './useDiscoverState.ts'

/** Finds out whether there is anything to search; says what to do where there is not. */
export function DiscoverPage(): ReactNode {
  const state = useDiscoverState()
  const status = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => api.status(signal) })
  const indices = useQuery({
    queryKey: ['indices'],
    queryFn: ({ signal }) => api.indices(signal),
    // Soon while there is nothing to search: whoever looks at this waits for it.
    refetchInterval: ({ state: { error, data } }) =>
      error === null && data?.indices.length ? 60_000 : 1_000,
  })
  if (indices.error !== null) {
    return (
      <EmptyState tone="bad" title="Search is not reachable">
        {indices.error.message}
      </EmptyState>
    )
  }
  if (indices.data === undefined || status.data === undefined) {
    return (
      <EmptyState title="Asking the search server">
        <Loader size="sm" type="dots" />
      </EmptyState>
    )
  }
  const index = state.search.index ?? defaultPattern(indices.data.indices)
  if (index === undefined) {
    return (
      <EmptyState title="No index yet">
        The search server at {status.data.search.url} is up but holds no documents. Ship some log
        files through the pipeline, or send documents to its _bulk call; they appear here by
        themselves.
      </EmptyState>
    )
  }
  return (
    <Discover
      key={index}
      index={index}
      indices={indices.data.indices}
      serverVersion={status.data.search.version ?? '7.17.0'}
      state={state}
    />
  )
}
