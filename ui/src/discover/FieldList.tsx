import { TextInput, UnstyledButton } from '@mantine/core'
import { type ReactNode, useMemo, useState } from 'react'
import type { SearchField } from '../api/types.ts'
import { Icon } from '../parts/icons.tsx'
import styles from './Discover.module.css'
import type { Row } from './DocumentTable.tsx'
import { FieldValues } from './FieldValues.tsx'
import type { Question } from './query.ts'
import type { DiscoverState } from './useDiscoverState.ts'

const badges: Readonly<Record<string, string>> = {
  text: 't',
  keyword: 'k',
  match_only_text: 't',
  date: 'd',
  date_nanos: 'd',
  boolean: 'b',
  ip: 'ip',
  geo_point: 'g',
  conflict: '!',
}

export function FieldList(props: {
  readonly index: string
  readonly fields: readonly SearchField[]
  readonly rows: readonly Row[]
  readonly question: Question
  readonly state: DiscoverState
}): ReactNode {
  const { fields, rows, state } = props
  const [wanted, setWanted] = useState('')
  const [open, setOpen] = useState<string>()
  const [showEmpty, setShowEmpty] = useState(false)
  const present = useMemo(
    () => new Set(rows.flatMap((row) => row.fields.map(({ name }) => name))),
    [rows],
  )
  const matching = fields.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()))
  const selected = matching.filter(({ name }) => state.columns.includes(name))
  const others = matching.filter(({ name }) => !state.columns.includes(name))
  const available = others.filter(({ name }) => present.has(name))
  const empty = others.filter(({ name }) => !present.has(name))
  const item = (field: SearchField): ReactNode => (
    <FieldItem
      key={field.name}
      {...props}
      field={field}
      open={open === field.name}
      onToggle={() => setOpen(open === field.name ? undefined : field.name)}
    />
  )
  return (
    <aside className={styles.fields} aria-label="Fields">
      <TextInput
        size="xs"
        m={8}
        mb={4}
        aria-label="Search field names"
        placeholder="Search field names"
        leftSection={<Icon name="search" size={13} />}
        value={wanted}
        onChange={(event) => setWanted(event.currentTarget.value)}
      />
      <div className={styles.fieldScroll}>
        {selected.length === 0 ? null : <h3 className={styles.fieldHead}>Columns</h3>}
        {selected.map(item)}
        <h3 className={styles.fieldHead}>
          Fields <span className={styles.fieldCount}>{available.length}</span>
        </h3>
        {available.map(item)}
        {available.length === 0 ? <p className={styles.note}>None in these documents.</p> : null}
        {empty.length === 0 ? null : (
          <UnstyledButton
            className={styles.fieldHead}
            aria-expanded={showEmpty}
            onClick={() => setShowEmpty(!showEmpty)}
          >
            {showEmpty ? 'Hide empty fields' : 'Show empty fields'}{' '}
            <span className={styles.fieldCount}>{empty.length}</span>
          </UnstyledButton>
        )}
        {showEmpty ? empty.map(item) : null}
      </div>
    </aside>
  )
}

function FieldItem(props: {
  readonly index: string
  readonly fields: readonly SearchField[]
  readonly rows: readonly Row[]
  readonly question: Question
  readonly state: DiscoverState
  readonly field: SearchField
  readonly open: boolean
  readonly onToggle: () => void
}): ReactNode {
  const { field, state } = props
  const isColumn = state.columns.includes(field.name)
  return (
    <div className={styles.fieldBox} data-open={props.open}>
      <div className={styles.field}>
        <UnstyledButton
          className={styles.fieldName}
          aria-expanded={props.open}
          onClick={props.onToggle}
          title={`${field.name} (${field.type})`}
        >
          <span className={styles.badge} data-type={field.type} aria-hidden>
            {badges[field.type] ?? '#'}
          </span>
          <span className={styles.ellipsis}>{field.name}</span>
        </UnstyledButton>
        <UnstyledButton
          className={styles.fieldAdd}
          aria-label={`${isColumn ? 'Remove' : 'Add'} column ${field.name}`}
          onClick={() => state.toggleColumn(field.name)}
        >
          <Icon name={isColumn ? 'close' : 'plus'} size={13} />
        </UnstyledButton>
      </div>
      {props.open ? <FieldValues {...props} /> : null}
    </div>
  )
}
