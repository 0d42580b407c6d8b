import { UnstyledButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { Icon } from '../parts/icons.tsx'
import styles from './Discover.module.css'
import type { Filter } from './query.ts'
import type { DiscoverState } from './useDiscoverState.ts'

export function FilterChips(props: { readonly state: DiscoverState }): ReactNode {
  const { filters, change } = props.state
  if (filters.length === 0) return null
  const replace = (position: number, filter: Filter | undefined): void => {
    const next = filters.flatMap((other, at) => (at === position ? (filter ?? []) : other))
    change({ filters: next.length === 0 ? undefined : next })
  }
  return (
    <div className={styles.chips} role="group" aria-label="Filters">
      {filters.map((filter, position) => (
        <span
          key={`${filter.field}=${String(filter.value)}`}
          className={styles.chip}
          data-negate={filter.negate === true}
        >
          <UnstyledButton
            className={styles.chipText}
            title="Turn around"
            onClick={() => replace(position, { ...filter, negate: filter.negate !== true })}
          >
            {filter.negate === true ? <b>NOT </b> : null}
            <span className={styles.chipField}>{filter.field}</span>
            {filter.value === undefined ? ' exists' : `: ${String(filter.value)}`}
          </UnstyledButton>
          <UnstyledButton
            className={styles.chipClose}
            aria-label={`Remove the filter on ${filter.field}`}
            onClick={() => replace(position, undefined)}
          >
            <Icon name="close" size={11} />
          </UnstyledButton>
        </span>
      ))}
      <UnstyledButton className={styles.clear} onClick={() => change({ filters: undefined })}>
        Clear all
      </UnstyledButton>
    </div>
  )
}
