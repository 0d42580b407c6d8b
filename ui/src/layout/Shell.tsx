import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { api } from '../api/calls.ts'
import { Icon } from '../parts/icons.tsx'
import styles from './Shell.module.css'

export function Shell(): ReactNode {
  return (
    <div className={styles.shell}>
      <header className={styles.bar}>
        <Link to="/discover" className={styles.brand} aria-label="Millrace, to Discover">
          <img src="/icon.svg" alt="" width={22} height={22} />
          <span>Millrace</span>
        </Link>
        <nav className={styles.nav} aria-label="Pages">
          <Link to="/discover" className={styles.tab} activeProps={{ 'data-active': true }}>
            Discover
          </Link>
          <Link to="/topics" className={styles.tab} activeProps={{ 'data-active': true }}>
            Topics
          </Link>
        </nav>
        <StatusDots />
        <SchemeSwitch />
      </header>
      <main className={styles.page}>
        <Outlet />
      </main>
    </div>
  )
}

function StatusDots(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => api.status(signal),
    refetchInterval: 10_000,
  })
  if (error !== null) return <Dot name="Console" state="down" text={error.message} />
  if (data === undefined) return null
  const { search, kafka } = data
  const searchText = search.problem ?? `Elasticsearch ${search.version ?? ''} at ${search.url}`
  const brokers = kafka.brokers?.length ?? 0
  const kafkaText =
    kafka.problem ??
    `${brokers} broker${brokers === 1 ? '' : 's'} at ${kafka.bootstrapServers.join(', ')}`
  return (
    <div className={styles.states}>
      <Dot name="Search" state={search.state} text={searchText} />
      <Dot name="Kafka" state={kafka.state} text={kafkaText} />
    </div>
  )
}

function Dot(props: {
  readonly name: string
  readonly state: 'up' | 'down' | 'off'
  readonly text: string
}): ReactNode {
  return (
    <Tooltip label={props.text} multiline maw={360} withArrow>
      <span className={styles.state} tabIndex={0} data-state={props.state}>
        <span className={styles.dot} aria-hidden />
        {props.name}
        <span className={styles.hidden}>{` ${props.state}: ${props.text}`}</span>
      </span>
    </Tooltip>
  )
}

function SchemeSwitch(): ReactNode {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const next = scheme === 'dark' ? 'light' : 'dark'
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={`Use ${next} colours`}
      onClick={() => setColorScheme(next)}
    >
      <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
    </ActionIcon>
  )
}
