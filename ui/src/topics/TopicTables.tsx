import { Switch, UnstyledButton } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { TopicDetail } from '../api/types.ts'
import { EmptyState } from '../parts/EmptyState.tsx'
import { formatCount } from '../parts/format.ts'
import styles from './Topics.module.css'

export function Partitions(props: {
  readonly topic: TopicDetail
  readonly onOpen: (partition: number) => void
}): ReactNode {
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Partition</th>
            <th scope="col">Leader</th>
            <th scope="col">Replicas</th>
            <th scope="col">In sync</th>
            <th scope="col" className={styles.number}>
              First offset
            </th>
            <th scope="col" className={styles.number}>
              End offset
            </th>
            <th scope="col" className={styles.number}>
              Messages
            </th>
          </tr>
        </thead>
        <tbody>
          {props.topic.partitions.map((partition) => {
            const { begin, end, inSync, replicas, leader } = partition
            const lagging = inSync.length < replicas.length
            return (
              <tr key={partition.partition}>
                <td>
                  <UnstyledButton
                    className={styles.name}
                    aria-label={`Messages of partition ${partition.partition}`}
                    onClick={() => props.onOpen(partition.partition)}
                  >
                    {partition.partition}
                  </UnstyledButton>
                </td>
                <td>{leader ?? <span className={styles.bad}>none</span>}</td>
                <td>{replicas.join(', ')}</td>
                <td className={lagging ? styles.warn : undefined}>{inSync.join(', ') || 'none'}</td>
                <td className={styles.number}>{begin === undefined ? '–' : formatCount(begin)}</td>
                <td className={styles.number}>{end === undefined ? '–' : formatCount(end)}</td>
                <td className={styles.number}>
                  {begin === undefined || end === undefined ? '–' : formatCount(end - begin)}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

export function Settings(props: { readonly topic: TopicDetail }): ReactNode {
  const [all, setAll] = useState(false)
  const { configs } = props.topic
  if (configs === undefined) {
    return (
      <EmptyState title="Settings are not available">
        The brokers do not tell them: they are older than 0.11, or do not allow it.
      </EmptyState>
    )
  }
  const own = configs.filter(({ isDefault }) => !isDefault)
  const shown = (all ? configs : own).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return (
    <div className={styles.scroll}>
      <div className={styles.tools}>
        <Switch
          size="xs"
          label={`Show all ${configs.length}, with defaults`}
          checked={all}
          onChange={(event) => setAll(event.currentTarget.checked)}
        />
      </div>
      {shown.length === 0 ? (
        <EmptyState title="Everything is at its default">
          This topic overrides none of the broker’s settings.
        </EmptyState>
      ) : (
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Value</th>
              <th scope="col">Set</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ name, value, isDefault }) => (
              <tr key={name}>
                <td className={styles.mono}>{name}</td>
                <td className={styles.mono}>{value ?? '(hidden)'}</td>
                <td className={styles.dim}>{isDefault ? 'default' : 'on this topic'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}
