import { Loader, UnstyledButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api } from '../api/calls.ts'
import type { SearchField } from '../api/types.ts'
import { formatCount } from '../parts/format.ts'
import { Icon } from '../parts/icons.tsx'
import styles from './Discover.module.css'
import type { Row } from './DocumentTable.tsx'
import { countable, filterOn } from './filters.ts'
import type { FieldValue } from './flatten.ts'
import { type Question, topValuesBody, totalOf } from './query.ts'
import type { DiscoverState } from './useDiscoverState.ts'

interface Counted {
  readonly value: FieldValue
  readonly text: string
  readonly count: number
}

/** The most frequent values: of all that matches where the field can be counted, else of what is shown. */
export function FieldValues(props: {
  readonly index: string
  readonly field: SearchField
  readonly fields: readonly SearchField[]
  readonly rows: readonly Row[]
  readonly question: Question
  readonly state: DiscoverState
}): ReactNode {
  const { field, index, question, rows } = props
  const counted = countable(field)
  const answer = useQuery({
    queryKey: ['values', index, question, counted],
    queryFn: ({ signal }) => api.search(index, topValuesBody(question, counted ?? ''), signal),
    enabled: counted !== undefined,
  })
  if (counted === undefined) {
    const { values, total } = countRows(rows, field.name)
    const note = `In ${formatCount(total)} of the ${formatCount(rows.length)} documents shown`
    return <Values {...props} values={values} total={total} note={note} />
  }
  if (answer.error !== null) return <p className={styles.note}>{answer.error.message}</p>
  if (answer.data === undefined) return <Loader size={14} m={8} />
  const total = totalOf(answer.data) ?? 0
  const values = (answer.data.aggregations?.values?.buckets ?? []).map((bucket) => ({
    value: field.type === 'boolean' ? bucket.key_as_string === 'true' : bucket.key,
    text: bucket.key_as_string ?? String(bucket.key),
    count: bucket.doc_count,
  }))
  return (
    <Values {...props} values={values} total={total} note={`In ${formatCount(total)} documents`} />
  )
}

function Values(props: {
  readonly values: readonly Counted[]
  readonly total: number
  readonly note: string
  readonly field: SearchField
  readonly fields: readonly SearchField[]
  readonly state: DiscoverState
}): ReactNode {
  const add = (value: FieldValue, negate: boolean): void => {
    const filter = filterOn(props.field.name, value, { fields: props.fields, negate })
    if (filter !== undefined) props.state.addFilter(filter)
  }
  return (
    <div className={styles.values}>
      {props.values.map(({ value, text, count }) => {
        const share = props.total === 0 ? 0 : count / props.total
        return (
          <div key={text} className={styles.value}>
            <div className={styles.valueLine}>
              <span className={styles.ellipsis} title={text}>
                {text === '' ? '(empty)' : text}
              </span>
              <span className={styles.share} title={formatCount(count)}>
                {`${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`}
              </span>
              <UnstyledButton
                className={styles.valueButton}
                aria-label={`Only ${props.field.name} ${text}`}
                onClick={() => add(value, false)}
              >
                <Icon name="plus" size={12} />
              </UnstyledButton>
              <UnstyledButton
                className={styles.valueButton}
                aria-label={`Without ${props.field.name} ${text}`}
                onClick={() => add(value, true)}
              >
                <Icon name="minus" size={12} />
              </UnstyledButton>
            </div>
            <div className={styles.track}>
              <div className={styles.fillBar} style={{ width: `${Math.min(100, share * 100)}%` }} />
            </div>
          </div>
        )
      })}
      <p className={styles.note}>{props.note}</p>
    </div>
  )
}

function countRows(
  rows: readonly Row[],
  name: string,
): { readonly values: Counted[]; readonly total: number } {
  const counts = new Map<string, Counted>()
  let total = 0
  for (const row of rows) {
    const field = row.fields.find((candidate) => candidate.name === name)
    if (field === undefined) continue
    total++
    for (const value of new Set(field.values)) {
      const text = String(value)
      counts.set(text, { value, text, count: (counts.get(text)?.count ?? 0) + 1 })
    }
  }
  return { values: [...counts.values()].toSorted((a, b) => b.count - a.count).slice(0, 5), total }
}
