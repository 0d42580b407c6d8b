import { Loader, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type ReactNode, useCallback } from 'react'
import { ApiError, api } from '../api/calls.ts'
import type { TopicDetail } from '../api/types.ts'
import { EmptyState } from '../parts/EmptyState.tsx'
import { plural } from '../parts/format.ts'
import { Messages } from './Messages.tsx'
import type { TopicSearch, TopicTab } from './state.ts'
import { Partitions, Settings } from './TopicTables.tsx'
import styles from './Topics.module.css'

export type ChangeTopicSearch = (
  changes: {
    readonly [Key in keyof TopicSearch]?: TopicSearch[Key] | undefined
  },
) => void

export function TopicPage(): ReactNode {
  const { name } = useParams({ from: '/topics/$name' })
  const search = useSearch({ from: '/topics/$name' })
  const navigate = useNavigate({ from: '/topics/$name' })
  const change = useCallback<ChangeTopicSearch>(
    (changes) => {
      void navigate({
        search: (before) => {
          const merged = Object.entries({ ...before, ...changes })
          return Object.fromEntries(merged.filter(([, value]) => value !== undefined))
        },
      })
    },
    [navigate],
  )
  const topic = useQuery({
    queryKey: ['topic', name],
    queryFn: ({ signal }) => api.topic(name, signal),
    refetchInterval: 5_000,
  })
  if (topic.data === undefined) {
    if (topic.error === null) {
      return (
        <EmptyState title={`Asking Kafka about ${name}`}>
          <Loader size="sm" type="dots" />
        </EmptyState>
      )
    }
    const missing = topic.error instanceof ApiError && topic.error.status === 404
    return (
      <EmptyState tone="bad" title={missing ? 'No such topic' : 'Kafka is not reachable'}>
        {topic.error.message} <Link to="/topics">All topics</Link>
      </EmptyState>
    )
  }
  const tab = search.tab ?? 'messages'
  return (
    <div className={styles.topic}>
      <TopicHead topic={topic.data} />
      <Tabs
        className={styles.tabs}
        value={tab}
        onChange={(next) => change({ tab: next === 'messages' ? undefined : (next as TopicTab) })}
        keepMounted={false}
      >
        <Tabs.List px={14}>
          <Tabs.Tab value="messages">Messages</Tabs.Tab>
          <Tabs.Tab value="partitions">Partitions</Tabs.Tab>
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="messages" className={styles.panel}>
          <Messages topic={topic.data} search={search} change={change} />
        </Tabs.Panel>
        <Tabs.Panel value="partitions" className={styles.panel}>
          <Partitions
            topic={topic.data}
            onOpen={(partition) => change({ tab: undefined, partition })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="settings" className={styles.panel}>
          <Settings topic={topic.data} />
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}

function TopicHead(props: { readonly topic: TopicDetail }): ReactNode {
  const { partitions, name } = props.topic
  const messages = partitions.reduce((sum, { begin = 0, end = 0 }) => sum + end - begin, 0)
  const replicas = Math.max(0, ...partitions.map((partition) => partition.replicas.length))
  const lagging = partitions.filter(({ inSync, replicas: all }) => inSync.length < all.length)
  return (
    <div className={styles.topicHead}>
      <Link to="/topics" className={styles.back}>
        Topics
      </Link>
      <span className={styles.slash} aria-hidden>
        /
      </span>
      <h1 className={styles.title}>{name}</h1>
      <span className={styles.dim}>
        {[
          plural(partitions.length, 'partition'),
          plural(replicas, 'replica'),
          plural(messages, 'message'),
        ].join(' · ')}
      </span>
      {lagging.length === 0 ? null : (
        <span className={styles.warn}>{`${lagging.length} under-replicated`}</span>
      )}
    </div>
  )
}
