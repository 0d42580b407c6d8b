import { Button, Loader, Select, Switch, TextInput } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import type { TopicDetail } from '../api/types.ts'
import { Icon } from '../parts/icons.tsx'
import { formatTime, resolveTime } from '../time/range.ts'
import { isLive, type MessagesFrom, messageLimits, type TopicSearch } from './state.ts'
import type { ChangeTopicSearch } from './TopicPage.tsx'
import styles from './Topics.module.css'

/** Where to read, what to look for, how much. */
export function MessageTools(props: {
  readonly topic: TopicDetail
  readonly search: TopicSearch
  readonly change: ChangeTopicSearch
  readonly busy: boolean
  readonly onRefresh: () => void
}): ReactNode {
  const { search, change, topic } = props
  const from = search.from ?? 'newest'
  return (
    <div className={styles.tools}>
      <Select
        size="xs"
        w={120}
        aria-label="Read from"
        allowDeselect={false}
        value={from}
        onChange={(value) =>
          change({
            from: value === 'newest' ? undefined : (value as MessagesFrom),
            live: undefined,
          })
        }
        data={[
          { value: 'newest', label: 'Newest' },
          { value: 'oldest', label: 'Oldest' },
          { value: 'offset', label: 'From offset' },
          { value: 'timestamp', label: 'From time' },
        ]}
      />
      {from === 'offset' ? (
        <Committed
          label="Offset"
          width={120}
          value={String(search.offset ?? 0)}
          problemOf={(text) => (/^\d{1,15}$/.test(text) ? undefined : 'A whole number')}
          onCommit={(text) => change({ offset: Number(text) })}
        />
      ) : null}
      {from === 'timestamp' ? (
        <Committed
          label="Time"
          width={190}
          value={editable(search.time ?? 'now-1h')}
          problemOf={(text) =>
            resolveTime(text, 0) === undefined ? '2026-11-23 10:00 or now-2h' : undefined
          }
          onCommit={(text) => change({ time: stored(text) })}
        />
      ) : null}
      <Select
        size="xs"
        w={140}
        aria-label="Partition"
        allowDeselect={false}
        searchable={topic.partitions.length > 12}
        value={search.partition === undefined ? 'all' : String(search.partition)}
        onChange={(value) => change({ partition: value === 'all' ? undefined : Number(value) })}
        data={[
          { value: 'all', label: 'All partitions' },
          ...topic.partitions.map(({ partition }) => ({
            value: String(partition),
            label: `Partition ${partition}`,
          })),
        ]}
      />
      <Committed
        label="Filter by text"
        placeholder="Filter: text in key, value or headers"
        icon
        value={search.filter ?? ''}
        problemOf={() => undefined}
        onCommit={(text) => change({ filter: text === '' ? undefined : text })}
      />
      <Select
        size="xs"
        w={86}
        aria-label="Messages at a time"
        allowDeselect={false}
        value={String(search.limit ?? 100)}
        onChange={(value) => change({ limit: value === '100' ? undefined : Number(value) })}
        data={messageLimits.map(String)}
      />
      <Switch
        size="xs"
        label="Live"
        disabled={from !== 'newest'}
        checked={isLive(search)}
        onChange={(event) => change({ live: event.currentTarget.checked ? true : undefined })}
      />
      <Button
        size="xs"
        variant="default"
        onClick={props.onRefresh}
        leftSection={
          props.busy ? <Loader size={12} color="currentColor" /> : <Icon name="refresh" size={14} />
        }
      >
        Refresh
      </Button>
    </div>
  )
}

/** A text field that acts on Enter and on leaving it. */
function Committed(props: {
  readonly label: string
  readonly placeholder?: string
  readonly width?: number
  readonly icon?: boolean
  readonly value: string
  readonly problemOf: (text: string) => string | undefined
  readonly onCommit: (text: string) => void
}): ReactNode {
  const [typed, setTyped] = useState(props.value)
  useEffect(() => setTyped(props.value), [props.value])
  const problem = props.problemOf(typed.trim())
  const commit = (): void => {
    const text = typed.trim()
    if (problem === undefined && text !== props.value) props.onCommit(text)
  }
  return (
    <TextInput
      size="xs"
      aria-label={props.label}
      placeholder={props.placeholder ?? props.label}
      title={problem ?? props.label}
      error={problem !== undefined}
      leftSection={props.icon === true ? <Icon name="search" size={13} /> : null}
      style={props.width === undefined ? { flex: 1, minWidth: 160 } : { width: props.width }}
      styles={{ input: { fontFamily: 'var(--mono)' } }}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit()
      }}
      spellCheck={false}
    />
  )
}

function editable(text: string): string {
  const ms = text.startsWith('now') ? undefined : resolveTime(text, 0)
  return ms === undefined ? text : formatTime(ms).replace(/\.000$/, '')
}

function stored(text: string): string {
  const ms = text.startsWith('now') ? undefined : resolveTime(text, 0)
  return ms === undefined ? text : new Date(ms).toISOString()
}
