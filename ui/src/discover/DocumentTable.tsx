import { UnstyledButton } from '@mantine/core'
import { type CSSProperties, type ReactNode, useEffect, useState } from 'react'
import type { Hit, SearchField } from '../api/types.ts'
import { ChevronButton } from '../parts/ChevronButton.tsx'
import { Icon } from '../parts/icons.tsx'
import { VirtualRows } from '../parts/VirtualRows.tsx'
import { formatTime, resolveTime } from '../time/range.ts'
import styles from './Discover.module.css'
import { DocumentDetail } from './DocumentDetail.tsx'
import { type FlatField, showValues } from './flatten.ts'
import { documentsShown } from './query.ts'
import type { DiscoverState } from './useDiscoverState.ts'

export interface Row {
  readonly hit: Hit
  readonly fields: readonly FlatField[]
}

export function DocumentTable(props: {
  readonly rows: readonly Row[]
  readonly fields: readonly SearchField[]
  readonly timeField: string | undefined
  readonly state: DiscoverState
  /** Whether somebody looks at certain documents: one is open, or they were scrolled to. */
  readonly onReading: (isReading: boolean) => void
}): ReactNode {
  const { rows, timeField, state, onReading } = props
  const [isScrolled, setScrolled] = useState(false)
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set())
  const toggle = (key: string): void => {
    const next = new Set(open)
    if (!next.delete(key)) next.add(key)
    setOpen(next)
  }
  const isReading = isScrolled || open.size > 0
  useEffect(() => {
    onReading(isReading)
    return () => onReading(false)
  }, [isReading, onReading])
  const columns = state.columns
  const template: CSSProperties = {
    gridTemplateColumns: [
      '26px',
      ...(timeField === undefined ? [] : ['182px']),
      ...(columns.length === 0 ? ['minmax(0, 1fr)'] : columns.map(() => 'minmax(110px, 1fr)')),
    ].join(' '),
  }
  const keyOf = (index: number): string => {
    const hit = rows[index]?.hit
    return hit === undefined ? String(index) : `${hit._index}/${hit._id}`
  }
  return (
    <VirtualRows
      count={rows.length}
      rowHeight={27}
      label="Documents"
      keyOf={keyOf}
      onScrolled={setScrolled}
      header={<Header template={template} timeField={timeField} state={state} />}
      footer={
        rows.length < documentsShown ? null : (
          <p className={styles.end}>
            {`The ${state.search.sort === 'asc' ? 'oldest' : 'newest'} ${documentsShown} documents `}
            are shown. Narrow the time range or the query to see others.
          </p>
        )
      }
      row={(index) => {
        const row = rows[index]
        if (row === undefined) return null
        const key = keyOf(index)
        const isOpen = open.has(key)
        return (
          <>
            <div
              className={styles.row}
              role="row"
              style={template}
              data-level={levelOf(row)}
              data-open={isOpen}
              onClick={() => {
                if (window.getSelection()?.isCollapsed !== false) toggle(key)
              }}
            >
              <span role="cell">
                <ChevronButton
                  open={isOpen}
                  label={isOpen ? 'Close the document' : 'Open the document'}
                  onToggle={() => toggle(key)}
                />
              </span>
              {timeField === undefined ? null : (
                <span role="cell" className={styles.time}>
                  {timeOf(row, timeField)}
                </span>
              )}
              <Cells row={row} columns={columns} timeField={timeField} />
            </div>
            {isOpen ? <DocumentDetail row={row} fields={props.fields} state={state} /> : null}
          </>
        )
      }}
    />
  )
}

function Header(props: {
  readonly template: CSSProperties
  readonly timeField: string | undefined
  readonly state: DiscoverState
}): ReactNode {
  const { state } = props
  const ascending = state.search.sort === 'asc'
  return (
    <div className={styles.head} style={props.template} role="row">
      <span role="columnheader" aria-label="Open" />
      {props.timeField === undefined ? null : (
        <span role="columnheader" aria-sort={ascending ? 'ascending' : 'descending'}>
          <UnstyledButton
            className={styles.sort}
            onClick={() => state.change({ sort: ascending ? undefined : 'asc' })}
          >
            Time <Icon name={ascending ? 'up' : 'down'} size={12} />
          </UnstyledButton>
        </span>
      )}
      {state.columns.length === 0 ? <span role="columnheader">Document</span> : null}
      {state.columns.map((name) => (
        <span key={name} role="columnheader" className={styles.columnHead}>
          <span className={styles.ellipsis}>{name}</span>
          <UnstyledButton
            className={styles.fieldAdd}
            aria-label={`Remove column ${name}`}
            onClick={() => state.toggleColumn(name)}
          >
            <Icon name="close" size={11} />
          </UnstyledButton>
        </span>
      ))}
    </div>
  )
}

function Cells(props: {
  readonly row: Row
  readonly columns: readonly string[]
  readonly timeField: string | undefined
}): ReactNode {
  const { row, columns } = props
  if (columns.length > 0) {
    return columns.map((name) => {
      const field = row.fields.find((candidate) => candidate.name === name)
      const text = field === undefined ? '–' : showValues(field.values)
      return (
        <span key={name} role="cell" className={styles.cell} title={text}>
          {text}
        </span>
      )
    })
  }
  const message = row.fields.find(({ name }) => name === 'message')
  if (message !== undefined) {
    return (
      <span role="cell" className={styles.cell}>
        {showValues(message.values)}
      </span>
    )
  }
  return (
    <span role="cell" className={styles.cell}>
      {row.fields
        .filter(({ name }) => name !== props.timeField)
        .slice(0, 24)
        .map(({ name, values }) => (
          <span key={name} className={styles.pair}>
            <span className={styles.pairName}>{name}</span> {showValues(values).slice(0, 300)}
          </span>
        ))}
    </span>
  )
}

function timeOf(row: Row, timeField: string): string {
  const value = row.fields.find(({ name }) => name === timeField)?.values[0]
  if (value === undefined || value === null) return '–'
  const ms = resolveTime(String(value), 0)
  return ms === undefined ? String(value) : formatTime(ms)
}

/** For the coloured edge of rows that report trouble. */
function levelOf(row: Row): 'error' | 'warn' | undefined {
  const field = row.fields.find(({ name }) => /^(log\.)?(level|severity|loglevel)$/i.test(name))
  const level = field === undefined ? '' : showValues(field.values).toLowerCase()
  if (/^(err|crit|fatal|alert|emerg|severe|panic)/.test(level)) return 'error'
  return level.startsWith('warn') ? 'warn' : undefined
}
