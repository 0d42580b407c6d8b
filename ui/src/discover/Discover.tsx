import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { type ReactNode, useCallback, useMemo, useState } from 'react'
import { api } from '../api/calls.ts'
import type { SearchAnswer, SearchField, SearchIndex } from '../api/types.ts'
import { EmptyState } from '../parts/EmptyState.tsx'
import { formatCount } from '../parts/format.ts'
import { chooseInterval } from '../time/interval.ts'
import { resolveRange } from '../time/range.ts'
import styles from './Discover.module.css'
import { DocumentTable } from './DocumentTable.tsx'
import { FieldList } from './FieldList.tsx'
import { FilterChips } from './FilterChips.tsx'
import { flatten } from './flatten.ts'
import { Histogram } from './Histogram.tsx'
import { NothingFound } from './NothingFound.tsx'
import { documentsBody, histogramBody, type Question, totalOf } from './query.ts'
import { TopBar } from './TopBar.tsx'
import type { DiscoverState } from './useDiscoverState.ts'
import { useFollowing, useNow } from './useNow.ts'

const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone
const noFields: readonly SearchField[] = []
const hour = 3_600_000
/** Each refresh asks another question: its answer is not asked for again. */
const answersKeptMs = 5_000

export function Discover(props: {
  readonly index: string
  readonly indices: readonly SearchIndex[]
  readonly serverVersion: string
  readonly state: DiscoverState
}): ReactNode {
  const { index, state, serverVersion } = props
  const { search, range, filters } = state
  const [isReading, setReading] = useState(false)
  const { nowMs, refresh, follow, isByItself } = useNow()
  const fieldsAnswer = useQuery({
    queryKey: ['fields', index],
    queryFn: ({ signal }) => api.fields(index, signal),
    staleTime: 30_000,
  })
  const fields = fieldsAnswer.data?.fields ?? noFields
  const timeField = search.time ?? chooseTimeField(fields)
  const resolved = useMemo(
    () => resolveRange(range, nowMs) ?? { fromMs: nowMs - hour, toMs: nowMs },
    [range, nowMs],
  )
  const question = useMemo<Question>(
    () => ({ query: search.q ?? '', filters, timeField, range: resolved }),
    [search.q, filters, timeField, resolved],
  )
  const interval = chooseInterval(resolved.toMs - resolved.fromMs)
  const ready = fieldsAnswer.data !== undefined
  const order = search.sort ?? 'desc'
  const documents = useQuery({
    queryKey: ['documents', index, question, order],
    queryFn: ({ signal }) => api.search(index, documentsBody(question, order), signal),
    enabled: ready,
    placeholderData: keepPreviousData,
    gcTime: answersKeptMs,
  })
  const counts = useQuery({
    queryKey: ['counts', index, question, interval],
    queryFn: ({ signal }) =>
      api.search(index, histogramBody(question, { interval, timeZone, serverVersion }), signal),
    enabled: ready,
    placeholderData: keepPreviousData,
    gcTime: answersKeptMs,
  })
  const isFetching = documents.isFetching || counts.isFetching
  const rows = useMemo(
    () => (documents.data?.hits.hits ?? []).map((hit) => ({ hit, fields: flatten(hit._source) })),
    [documents.data],
  )
  const error = fieldsAnswer.error ?? documents.error ?? counts.error
  // A question that fails once fails again: it is asked anew by hand.
  const isHeld = isReading || error !== null
  useFollowing({ isFetching, isHeld, seconds: state.refreshSeconds, follow })
  const total = totalOf(counts.data)
  const setRange = useCallback(
    (fromMs: number, toMs: number) =>
      state.change({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }),
    [state],
  )
  return (
    <>
      <TopBar
        index={index}
        indices={props.indices}
        state={state}
        error={error?.message}
        busy={isFetching && !isByItself}
        onRefresh={refresh}
      />
      <FilterChips state={state} />
      <div className={styles.body}>
        <FieldList index={index} fields={fields} rows={rows} question={question} state={state} />
        <section className={styles.results} aria-label="Results">
          <div className={styles.summary}>
            <span>
              <strong className={styles.total}>
                {total === undefined ? '–' : formatCount(total)}
              </strong>
              {total === 1 ? ' hit' : ' hits'}
            </span>
            <Warning answer={documents.data} />
            {timeField === undefined ? null : (
              <span className={styles.dim}>{`${timeField} per ${interval.text}`}</span>
            )}
          </div>
          {timeField === undefined || documents.error !== null ? null : (
            <Histogram
              buckets={counts.data?.aggregations?.time?.buckets ?? []}
              intervalMs={interval.ms}
              range={resolved}
              onRange={setRange}
            />
          )}
          {documents.error !== null ? (
            <EmptyState tone="bad" title="The search failed">
              {documents.error.message}
            </EmptyState>
          ) : rows.length === 0 && documents.data !== undefined ? (
            <NothingFound index={index} question={question} state={state} />
          ) : (
            <DocumentTable
              rows={rows}
              fields={fields}
              timeField={timeField}
              state={state}
              onReading={setReading}
            />
          )}
        </section>
      </div>
    </>
  )
}

function chooseTimeField(fields: readonly SearchField[]): string | undefined {
  const dates = fields.filter(({ type }) => type === 'date' || type === 'date_nanos')
  return (dates.find(({ name }) => name === '@timestamp') ?? dates[0])?.name
}

/** Part of an answer is not the answer: the reader must know. */
function Warning(props: { readonly answer: SearchAnswer | undefined }): ReactNode {
  const { answer } = props
  if (answer?.timed_out === true) return <span className={styles.warning}>Partial: timed out</span>
  const failed = answer?._shards?.failed ?? 0
  if (failed === 0) return null
  const reason = answer?._shards?.failures?.[0]?.reason?.reason ?? ''
  return (
    <span className={styles.warning} title={reason}>
      {`Partial: ${failed} of ${answer?._shards?.total ?? '?'} shards failed`}
    </span>
  )
}
