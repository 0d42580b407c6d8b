import { Autocomplete, Button, Group, Loader } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import type { SearchIndex } from '../api/types.ts'
import { Icon } from '../parts/icons.tsx'
import styles from './Discover.module.css'
import { suggestPatterns } from './patterns.ts'
import { QueryBar } from './QueryBar.tsx'
import { TimePicker } from './TimePicker.tsx'
import type { DiscoverState } from './useDiscoverState.ts'

export function TopBar(props: {
  readonly index: string
  readonly indices: readonly SearchIndex[]
  readonly state: DiscoverState
  readonly error: string | undefined
  readonly busy: boolean
  readonly onRefresh: () => void
}): ReactNode {
  const { state } = props
  return (
    <div className={styles.topBar}>
      <IndexSelect
        index={props.index}
        indices={props.indices}
        onChange={(index) => state.change({ index, columns: undefined, time: undefined })}
      />
      <QueryBar
        query={state.search.q ?? ''}
        error={props.error}
        onSubmit={(q) => {
          state.change({ q: q === '' ? undefined : q })
          props.onRefresh()
        }}
      />
      <Group gap={6} wrap="nowrap">
        <TimePicker
          range={state.range}
          refreshSeconds={state.refreshSeconds}
          onRange={({ from, to }) => {
            state.change({ from, to })
            props.onRefresh()
          }}
          onRefreshSeconds={(refresh) => state.change({ refresh })}
        />
        <Button
          size="xs"
          h={32}
          onClick={props.onRefresh}
          leftSection={
            props.busy ? (
              <Loader size={12} color="currentColor" />
            ) : (
              <Icon name="refresh" size={14} />
            )
          }
        >
          Refresh
        </Button>
      </Group>
    </div>
  )
}

function IndexSelect(props: {
  readonly index: string
  readonly indices: readonly SearchIndex[]
  readonly onChange: (index: string) => void
}): ReactNode {
  const [typed, setTyped] = useState(props.index)
  useEffect(() => setTyped(props.index), [props.index])
  const names = props.indices.map(({ name }) => name)
  const patterns = suggestPatterns(names)
  const commit = (value: string): void => {
    if (value !== '' && value !== props.index) props.onChange(value)
    else setTyped(props.index)
  }
  return (
    <Autocomplete
      aria-label="Index pattern"
      size="xs"
      w={220}
      styles={{ input: { height: 32, fontSize: 13 } }}
      value={typed}
      onChange={setTyped}
      onOptionSubmit={commit}
      onBlur={() => commit(typed.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit(typed.trim())
      }}
      data={[
        { group: 'Patterns', items: patterns },
        { group: 'Indices', items: names.filter((name) => !patterns.includes(name)) },
      ]}
      filter={({ options }) => options}
      maxDropdownHeight={360}
      comboboxProps={{ width: 320, position: 'bottom-start' }}
    />
  )
}
