import { Button, Loader } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { type ReactNode, useMemo, useState } from 'react'
import { api, type MessagesQuery } from '../api/calls.ts'
import type { DecodedBytes, Message, MessagesAnswer, TopicDetail } from '../api/types.ts'
import { ChevronButton } from '../parts/ChevronButton.tsx'
import { EmptyState } from '../parts/EmptyState.tsx'
import { formatBytes, formatCount, plural } from '../parts/format.ts'
import { VirtualRows } from '../parts/VirtualRows.tsx'
import { formatTime, resolveTime } from '../time/range.ts'
import { MessageDetail } from './MessageDetail.tsx'
import { MessageTools } from './MessageTools.tsx'
import { isLive, type TopicSearch } from './state.ts'
import type { ChangeTopicSearch } from './TopicPage.tsx'
import styles from './Topics.module.css'

const liveEveryMs = 2_000

export function Messages(props: {
  readonly topic: TopicDetail
  readonly search: TopicSearch
  readonly change: ChangeTopicSearch
}): ReactNode {
  const { topic, search } = props
  const first = startQuery(search)
  const answer = useInfiniteQuery({
    queryKey: ['messages', topic.name, first],
    queryFn: ({ signal, pageParam }) => api.messages(topic.name, pageParam ?? first, signal),
    initialPageParam: undefined as MessagesQuery | undefined,
    getNextPageParam: (last: MessagesAnswer): MessagesQuery | undefined =>
      last.stoppedBy === 'end'
        ? undefined
        : { ...common(search), from: 'cursor', cursor: last.next },
    refetchInterval: isLive(search) ? liveEveryMs : false,
    placeholderData: keepPreviousData,
  })
  const pages = answer.data?.pages
  const messages = useMemo(() => pages?.flatMap((page) => page.messages) ?? [], [pages])
  return (
    <>
      <MessageTools
        topic={topic}
        search={search}
        change={props.change}
        busy={answer.isFetching}
        onRefresh={() => void answer.refetch()}
      />
      {answer.error === null ? null : (
        <p className={styles.problem} role="alert">
          {answer.error.message}
        </p>
      )}
      <MessageTable
        topic={topic.name}
        messages={messages}
        empty={pages === undefined ? <Waiting /> : <NoMessages search={search} pages={pages} />}
        footer={
          pages === undefined ? null : (
            <Footer
              pages={pages}
              count={messages.length}
              busy={answer.isFetchingNextPage}
              onMore={answer.hasNextPage ? () => void answer.fetchNextPage() : undefined}
            />
          )
        }
      />
    </>
  )
}

function common(search: TopicSearch): MessagesQuery {
  return { partition: search.partition, limit: search.limit ?? 100, filter: search.filter }
}

function startQuery(search: TopicSearch): MessagesQuery {
  const query = common(search)
  if (search.from === 'offset') return { ...query, from: 'offset', offset: search.offset ?? 0 }
  if (search.from === 'timestamp') {
    const timestamp = resolveTime(search.time ?? 'now-1h', Date.now())
    // Rounded, or every rendering would be another question.
    const minute = 60_000
    const steady = Math.floor((timestamp ?? 0) / minute) * minute
    return {
      ...query,
      from: 'timestamp',
      timestamp: search.time?.startsWith('now') ? steady : timestamp,
    }
  }
  return { ...query, from: search.from ?? 'newest' }
}

function Waiting(): ReactNode {
  return (
    <EmptyState title="Reading messages">
      <Loader size="sm" type="dots" />
    </EmptyState>
  )
}

function NoMessages(props: {
  readonly search: TopicSearch
  readonly pages: readonly MessagesAnswer[]
}): ReactNode {
  const { search, pages } = props
  const scanned = pages.reduce((sum, page) => sum + page.scannedRecords, 0)
  const isEmpty = pages.at(-1)?.partitions.every(({ begin, end }) => begin === end)
  if (isEmpty === true) {
    return (
      <EmptyState title="This topic is empty">
        Nothing has been written to it, or all of it has passed its retention. Switch on Live to see
        messages as they come.
      </EmptyState>
    )
  }
  if (search.filter !== undefined) {
    return (
      <EmptyState title="No message contains this text">
        {`${plural(scanned, 'message')} looked through. Search further below, or change the filter.`}
      </EmptyState>
    )
  }
  return (
    <EmptyState title="No messages here">
      Nothing lies at or after this place. Try Newest or Oldest.
    </EmptyState>
  )
}

function Footer(props: {
  readonly pages: readonly MessagesAnswer[]
  readonly count: number
  readonly busy: boolean
  readonly onMore: (() => void) | undefined
}): ReactNode {
  const last = props.pages.at(-1)
  const scanned = props.pages.reduce((sum, page) => sum + page.scannedRecords, 0)
  const bytes = props.pages.reduce((sum, page) => sum + page.scannedBytes, 0)
  const limits: Record<MessagesAnswer['stoppedBy'], string> = {
    limit: '',
    end: 'That is all in this direction.',
    time: 'Stopped: this took long enough.',
    bytes: 'Stopped: this was data enough.',
  }
  return (
    <div className={styles.footer}>
      <span>
        {`${plural(props.count, 'message')} of ${formatCount(scanned)} read (${formatBytes(bytes)}). `}
        {last === undefined ? '' : limits[last.stoppedBy]}
      </span>
      {props.onMore === undefined ? null : (
        <Button size="compact-xs" variant="default" loading={props.busy} onClick={props.onMore}>
          {last?.next.startsWith('older') === true ? 'Older messages' : 'Further messages'}
        </Button>
      )}
    </div>
  )
}

function MessageTable(props: {
  readonly topic: string
  readonly messages: readonly Message[]
  readonly empty: ReactNode
  readonly footer: ReactNode
}): ReactNode {
  const { messages } = props
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set())
  const keyOf = (index: number): string => {
    const message = messages[index]
    return message === undefined ? String(index) : `${message.partition}/${message.offset}`
  }
  const toggle = (key: string): void => {
    const next = new Set(open)
    if (!next.delete(key)) next.add(key)
    setOpen(next)
  }
  return (
    <VirtualRows
      count={messages.length}
      rowHeight={27}
      label="Messages"
      keyOf={keyOf}
      header={
        <div className={styles.messageHead} role="row">
          <span role="columnheader" aria-label="Open" />
          <span role="columnheader">Time</span>
          <span role="columnheader" className={styles.number}>
            Partition
          </span>
          <span role="columnheader" className={styles.number}>
            Offset
          </span>
          <span role="columnheader">Key</span>
          <span role="columnheader">Value</span>
        </div>
      }
      footer={
        <>
          {messages.length === 0 ? props.empty : null}
          {props.footer}
        </>
      }
      row={(index) => {
        const message = messages[index]
        if (message === undefined) return null
        const key = keyOf(index)
        const isOpen = open.has(key)
        return (
          <>
            <div
              className={styles.message}
              role="row"
              data-open={isOpen}
              onClick={() => {
                if (window.getSelection()?.isCollapsed !== false) toggle(key)
              }}
            >
              <span role="cell">
                <ChevronButton
                  open={isOpen}
                  label={`${isOpen ? 'Close' : 'Open'} message ${message.offset}`}
                  onToggle={() => toggle(key)}
                />
              </span>
              <span role="cell" className={styles.time}>
                {message.timestampMs < 0 ? '–' : formatTime(message.timestampMs)}
              </span>
              <span role="cell" className={styles.number}>
                {message.partition}
              </span>
              <span role="cell" className={styles.number}>
                {message.offset}
              </span>
              <span role="cell" className={styles.line}>
                <Line bytes={message.key} />
              </span>
              <span role="cell" className={styles.line}>
                <Line bytes={message.value} />
              </span>
            </div>
            {isOpen ? <MessageDetail topic={props.topic} message={message} /> : null}
          </>
        )
      }}
    />
  )
}

const lineLengthMax = 500

/** One line of a key or value. */
function Line(props: { readonly bytes: DecodedBytes }): ReactNode {
  const { bytes } = props
  if (bytes.kind === 'null') return <span className={styles.faint}>null</span>
  if (bytes.sizeBytes === 0) return <span className={styles.faint}>empty</span>
  if (bytes.kind === 'binary') {
    const hex = bytes.text.slice(0, 96).replace(/../g, '$& ')
    return (
      <>
        <span className={styles.tag}>{formatBytes(bytes.sizeBytes)}</span> {hex}
      </>
    )
  }
  return bytes.text.slice(0, lineLengthMax)
}
