import { SegmentedControl, UnstyledButton } from '@mantine/core'
import { type ReactNode, useMemo, useState } from 'react'
import type { SearchField } from '../api/types.ts'
import { CopyButton } from '../parts/CopyButton.tsx'
import { Icon } from '../parts/icons.tsx'
import { JsonView } from '../parts/JsonView.tsx'
import { prettyValue } from '../parts/json.ts'
import styles from './Discover.module.css'
import type { Row } from './DocumentTable.tsx'
import { filterOn } from './filters.ts'
import { type FlatField, showValues } from './flatten.ts'
import type { DiscoverState } from './useDiscoverState.ts'

export function DocumentDetail(props: {
  readonly row: Row
  readonly fields: readonly SearchField[]
  readonly state: DiscoverState
}): ReactNode {
  const { row } = props
  const [view, setView] = useState('table')
  const json = useMemo(() => prettyValue(row.hit._source), [row])
  const all: FlatField[] = [
    ...row.fields.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    { name: '_id', values: [row.hit._id] },
    { name: '_index', values: [row.hit._index] },
  ]
  return (
    <div className={styles.detail}>
      <div className={styles.detailBar}>
        <SegmentedControl
          size="xs"
          value={view}
          onChange={setView}
          aria-label="Show the document as"
          data={[
            { value: 'table', label: 'Table' },
            { value: 'json', label: 'JSON' },
          ]}
        />
        <CopyButton text={json} label="Copy JSON" />
      </div>
      {view === 'json' ? (
        <JsonView text={json} />
      ) : (
        <table className={styles.detailTable}>
          <tbody>
            {all.map((field) => (
              <DetailRow key={field.name} {...props} field={field} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function DetailRow(props: {
  readonly field: FlatField
  readonly fields: readonly SearchField[]
  readonly state: DiscoverState
}): ReactNode {
  const { field, state } = props
  const { name } = field
  const value = field.values[0] ?? null
  const add = (negate: boolean): void => {
    const filter = filterOn(name, value, { fields: props.fields, negate })
    if (filter !== undefined) state.addFilter(filter)
  }
  const isColumn = state.columns.includes(name)
  return (
    <tr>
      <td className={styles.actions}>
        <Action icon="plus" label={`Filter for ${name}`} onClick={() => add(false)} />
        <Action icon="minus" label={`Filter out ${name}`} onClick={() => add(true)} />
        <Action
          icon="column"
          label={`${isColumn ? 'Remove' : 'Add'} column ${name}`}
          active={isColumn}
          onClick={() => state.toggleColumn(name)}
        />
      </td>
      <th scope="row">{name}</th>
      <td className={styles.detailValue}>{showValues(field.values)}</td>
    </tr>
  )
}

function Action(props: {
  readonly icon: 'plus' | 'minus' | 'column'
  readonly label: string
  readonly active?: boolean
  readonly onClick: () => void
}): ReactNode {
  return (
    <UnstyledButton
      className={styles.action}
      aria-label={props.label}
      title={props.label}
      data-active={props.active === true}
      onClick={props.onClick}
    >
      <Icon name={props.icon} size={13} />
    </UnstyledButton>
  )
}
