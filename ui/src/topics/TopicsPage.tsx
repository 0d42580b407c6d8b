import { Loader, Switch, TextInput, UnstyledButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api } from '../api/calls.ts'
import type { KafkaState, TopicSummary } from '../api/types.ts'
import { EmptyState } from '../parts/EmptyState.tsx'
import { formatBytes, formatCount, plural } from '../parts/format.ts'
import { Icon } from '../parts/icons.tsx'
import styles from './Topics.module.css'

export function TopicsPage(): ReactNode {
  const status = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => api.status(signal) })
  const kafka = status.data?.kafka
  const topics = useQuery({
    queryKey: ['topics'],
    queryFn: ({ signal }) => api.topics(signal),
    refetchInterval: 10_000,
    enabled: kafka !== undefined && kafka.state !== 'off',
  })
  if (kafka?.state === 'off') {
    return <EmptyState title="No Kafka is configured">{kafka.problem}</EmptyState>
  }
  if (topics.error !== null) {
    return (
      <EmptyState tone="bad" title="Kafka is not reachable">
        {topics.error.message}
      </EmptyState>
    )
  }
  if (topics.data === undefined) {
    return (
      <EmptyState title="Asking Kafka">
        <Loader size="sm" type="dots" />
      </EmptyState>
    )
  }
  return <TopicList topics={topics.data.topics} kafka={kafka} />
}

function TopicList(props: {
  readonly topics: readonly TopicSummary[]
  readonly kafka: KafkaState | undefined
}): ReactNode {
  const search = useSearch({ from: '/topics' })
  const navigate = useNavigate({ from: '/topics' })
  const wanted = (search.search ?? '').toLowerCase()
  const visible = props.topics.filter(({ internal }) => !internal || search.internal === true)
  const shown = visible.filter(({ name }) => name.toLowerCase().includes(wanted))
  const hidden = props.topics.length - visible.length
  return (
    <div className={styles.scroll}>
      <div className={styles.page}>
        <div className={styles.titleLine}>
          <h1 className={styles.title}>Topics</h1>
          <ClusterLine kafka={props.kafka} />
        </div>
        <div className={styles.tools}>
          <TextInput
            size="xs"
            w={280}
            aria-label="Search topics"
            placeholder="Search topics"
            leftSection={<Icon name="search" size={13} />}
            value={search.search ?? ''}
            onChange={(event) => {
              const text = event.currentTarget.value
              void navigate({
                replace: true,
                search: ({ search: _before, ...rest }) =>
                  text === '' ? rest : { ...rest, search: text },
              })
            }}
          />
          <Switch
            size="xs"
            label="Internal topics"
            checked={search.internal === true}
            onChange={(event) => {
              const on = event.currentTarget.checked
              void navigate({
                search: ({ internal: _before, ...rest }) =>
                  on ? { ...rest, internal: true } : rest,
              })
            }}
          />
          <span className={styles.dim}>
            {plural(shown.length, 'topic')}
            {hidden > 0 ? `, ${hidden} internal hidden` : ''}
          </span>
        </div>
        {shown.length === 0 ? (
          <EmptyState title={props.topics.length === 0 ? 'No topics yet' : 'No topic matches'}>
            {props.topics.length === 0 ? (
              <>
                Create one with <code>kafka-topics.sh --create</code>, or let a producer write: it
                appears here by itself.
              </>
            ) : (
              'Change the search, or show internal topics.'
            )}
          </EmptyState>
        ) : (
          <TopicTable topics={shown} />
        )}
      </div>
    </div>
  )
}

function ClusterLine(props: { readonly kafka: KafkaState | undefined }): ReactNode {
  const brokers = props.kafka?.brokers
  if (brokers === undefined) return null
  return (
    <span className={styles.dim}>
      {`Cluster ${props.kafka?.clusterId ?? 'without id'} · ${plural(brokers.length, 'broker')}: `}
      {brokers.map(({ id, host, port }) => `${id} at ${host}:${port}`).join(', ')}
    </span>
  )
}

type SortKey = 'name' | 'partitions' | 'replicas' | 'messageCount' | 'sizeBytes'

function TopicTable(props: { readonly topics: readonly TopicSummary[] }): ReactNode {
  const [sort, setSort] = useState<{ readonly key: SortKey; readonly descending: boolean }>({
    key: 'name',
    descending: false,
  })
  const hasSizes = props.topics.some(({ sizeBytes }) => sizeBytes !== undefined)
  const topics = props.topics.toSorted((a, b) => {
    const left = a[sort.key] ?? -1
    const right = b[sort.key] ?? -1
    const order = left < right ? -1 : left > right ? 1 : a.name < b.name ? -1 : 1
    return sort.descending ? -order : order
  })
  const head = (key: SortKey, label: string): ReactNode => (
    <th
      scope="col"
      className={key === 'name' ? undefined : styles.number}
      aria-sort={sort.key === key ? (sort.descending ? 'descending' : 'ascending') : 'none'}
    >
      <UnstyledButton
        className={styles.sort}
        onClick={() =>
          setSort({ key, descending: sort.key === key ? !sort.descending : key !== 'name' })
        }
      >
        {label}
        {sort.key === key ? <Icon name={sort.descending ? 'down' : 'up'} size={12} /> : null}
      </UnstyledButton>
    </th>
  )
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          {head('name', 'Name')}
          {head('partitions', 'Partitions')}
          {head('replicas', 'Replicas')}
          <th scope="col">In sync</th>
          {head('messageCount', 'Messages')}
          {hasSizes ? head('sizeBytes', 'Size') : null}
        </tr>
      </thead>
      <tbody>
        {topics.map((topic) => (
          <tr key={topic.name}>
            <td>
              <Link to="/topics/$name" params={{ name: topic.name }} className={styles.name}>
                {topic.name}
              </Link>
              {topic.internal ? <span className={styles.tag}>internal</span> : null}
            </td>
            <td className={styles.number}>{formatCount(topic.partitions)}</td>
            <td className={styles.number}>{topic.replicas}</td>
            <td>
              <InSync topic={topic} />
            </td>
            <td className={styles.number}>
              {topic.messageCount === undefined ? '–' : formatCount(topic.messageCount)}
            </td>
            {hasSizes ? (
              <td className={styles.number}>
                {topic.sizeBytes === undefined ? '–' : formatBytes(topic.sizeBytes)}
              </td>
            ) : null}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function InSync(props: { readonly topic: TopicSummary }): ReactNode {
  const { offline, underReplicated } = props.topic
  if (offline > 0) return <span className={styles.bad}>{`${offline} offline`}</span>
  if (underReplicated > 0) {
    return <span className={styles.warn}>{`${underReplicated} under-replicated`}</span>
  }
  return <span className={styles.good}>all</span>
}
