import type { MetricRow, Metrics } from '../../runtime/metrics.ts'
import type { SessionState } from '../../zookeeper/client/client.ts'
import type { BrokerParts } from '../handler.ts'
import type { Partition } from '../replication/partition.ts'
import { stateMetrics } from './catalogue.ts'

/** What of the broker is not among its handlers' parts. */
export interface BrokerView {
  readonly isController: () => boolean
  readonly connectionCount: () => number
  readonly brokerState: () => number
  readonly sessionState: () => SessionState
  /** Every directory of log.dirs that was opened, by whether it still works. */
  readonly directories: () => Iterable<{ readonly path: string; readonly isOffline: boolean }>
}

type Parts = Pick<
  BrokerParts,
  'replicas' | 'metadata' | 'groups' | 'configs' | 'answers' | 'fetchSessions'
>

/** Registers what is only looked up: nothing is kept, so that no request pays for it. */
export function registerState(metrics: Metrics, parts: Parts, view: BrokerView): void {
  const value = (key: keyof typeof stateMetrics, read: () => number): void => {
    metrics.gauge(stateMetrics[key].name, stateMetrics[key].about, read)
  }
  const rows = (key: keyof typeof stateMetrics, read: () => Iterable<MetricRow>): void => {
    metrics.table(stateMetrics[key].name, 'gauge', stateMetrics[key].about, read)
  }
  const { replicas } = parts
  const led = (): Partition[] => [...replicas.all()].filter((one) => one.isLeader)
  value('partitions', () => replicas.count)
  value('leaders', () => led().length)
  value('offline', () => [...replicas.all()].filter(({ log }) => log.offline).length)
  value('underReplicated', () => led().filter(isUnderReplicated).length)
  const margin = (one: Partition): number =>
    one.inSyncCount() - parts.configs.of(one.topic).minInSyncReplicas
  value('underMinInSync', () => led().filter((one) => margin(one) < 0).length)
  value('atMinInSync', () => led().filter((one) => margin(one) === 0).length)
  rows('logSize', () => ofPartitions(replicas.all(), ({ log }) => log.segments.sizeBytes()))
  rows('logStart', () => ofPartitions(replicas.all(), ({ log }) => log.logStartOffset))
  rows('logEnd', () => ofPartitions(replicas.all(), ({ log }) => log.logEndOffset))
  rows('highWatermark', () => ofPartitions(led(), ({ log }) => log.highWatermark))
  rows('inSyncReplicas', () => ofPartitions(led(), (one) => one.inSyncCount()))
  registerCluster(value, parts, view)
  registerGroups(value, rows, parts)
  value('offlineDirectories', () => [...view.directories()].filter((one) => one.isOffline).length)
  rows('directoryOffline', () =>
    [...view.directories()].map(({ path, isOffline }) => ({
      labels: { logDirectory: path },
      value: isOffline ? 1 : 0,
    })),
  )
  value('fetchSessions', () => parts.fetchSessions.size)
  value('fetchSessionPartitions', () => parts.fetchSessions.partitionCount)
  value('connections', view.connectionCount)
  value('pendingAnswerBytes', () => parts.answers.usedBytes)
  value('brokerState', view.brokerState)
  rows('sessionState', () => [{ labels: { state: view.sessionState() }, value: 1 }])
}

type Value = (key: keyof typeof stateMetrics, read: () => number) => void
type Rows = (key: keyof typeof stateMetrics, read: () => Iterable<MetricRow>) => void

function registerCluster(value: Value, { metadata }: Parts, view: BrokerView): void {
  const count = (isCounted: (one: ClusterPartition) => boolean): number => {
    let counted = 0
    for (const { partitions } of metadata.topics.values())
      for (const one of partitions) if (one !== undefined && isCounted(one)) counted += 1
    return counted
  }
  value('activeController', () => (view.isController() ? 1 : 0))
  value('activeBrokers', () => metadata.brokers.size)
  value('topics', () => metadata.topics.size)
  value('clusterPartitions', () => count(() => true))
  value('offlinePartitions', () => count(({ leader }) => leader < 0))
  value('preferredImbalance', () => count((one) => one.leader !== one.replicas[0]))
}

interface ClusterPartition {
  readonly leader: number
  readonly replicas: readonly number[]
}

function registerGroups(value: Value, rows: Rows, { groups }: Parts): void {
  value('groups', () => [...groups.groups()].length)
  value('offsets', () => groups.offsetCount)
  rows('groupsOfState', () => {
    const states = new Map<string, number>()
    for (const { state } of groups.groups()) states.set(state, (states.get(state) ?? 0) + 1)
    return [...states].map(([state, count]) => ({ labels: { state }, value: count }))
  })
}

function isUnderReplicated(one: Partition): boolean {
  return one.inSyncCount() < (one.leadership?.replicas.length ?? 0)
}

function* ofPartitions(
  partitions: Iterable<Partition>,
  read: (partition: Partition) => number,
): Generator<MetricRow> {
  for (const one of partitions)
    yield { labels: { topic: one.topic, partition: String(one.index) }, value: read(one) }
}
