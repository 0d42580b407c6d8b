import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api } from '../api/calls.ts'
import { EmptyState } from '../parts/EmptyState.tsx'
import { formatTime, resolveTime } from '../time/range.ts'
import { fieldOf } from './flatten.ts'
import { newestBody, type Question } from './query.ts'
import type { DiscoverState } from './useDiscoverState.ts'

const quarterHourMs = 15 * 60_000

/** Old logs are a usual reason for an empty page: one click leads to where the documents are. */
export function NothingFound(props: {
  readonly index: string
  readonly question: Question
  readonly state: DiscoverState
}): ReactNode {
  const { index, question, state } = props
  const { timeField, filters, query } = question
  const newest = useMutation({
    mutationFn: async (field: string) => {
      const body = newestBody(question, field)
      const answer = await api.search(index, body, AbortSignal.timeout(30_000))
      const value = fieldOf(answer.hits.hits[0]?._source, field)
      return value === undefined ? undefined : resolveTime(String(value), 0)
    },
    onSuccess: (ms) => {
      if (ms === undefined) return
      const from = new Date(ms - quarterHourMs).toISOString()
      state.change({ from, to: new Date(ms + 1_000).toISOString() })
    },
  })
  const hints: string[] = []
  if (timeField !== undefined) hints.push('choose a longer time range')
  if (filters.length > 0) hints.push('remove a filter')
  if (query !== '') hints.push('simplify the query')
  const advice =
    hints.length === 0 ? 'This index is empty.' : `To see more, ${hints.join(', or ')}.`
  return (
    <EmptyState title="No documents match">
      <p>{advice}</p>
      {timeField === undefined ? null : (
        <Button
          size="xs"
          variant="default"
          loading={newest.isPending}
          onClick={() => newest.mutate(timeField)}
        >
          Go to the newest that match at any time
        </Button>
      )}
      {newest.isSuccess ? <p>{outcome(newest.data)}</p> : null}
      {newest.error === null ? null : <p>{newest.error.message}</p>}
    </EmptyState>
  )
}

function outcome(ms: number | undefined): string {
  return ms === undefined
    ? 'No document matches at any time.'
    : `The newest is of ${formatTime(ms)}.`
}
