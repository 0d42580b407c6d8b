/** A broker's settings: server.properties read, checked, and given the names the code uses. */
import { UserError } from '../../runtime/service.ts'
import type { Endpoint } from '../znodes.ts'
import { brokerDeclarations } from './broker-settings.ts'
import { configSources, configTypes, type DescribedConfig } from './described.ts'
import { parseListeners } from './listeners.ts'

export interface BrokerSettings {
  /** -1: one is generated. */
  readonly brokerId: number
  readonly brokerIdGenerationEnable: boolean
  readonly reservedBrokerIdMax: number
  readonly rack: string | null
  readonly zookeeperConnect: string
  readonly zookeeperSessionTimeoutMs: number
  readonly zookeeperConnectionTimeoutMs: number
  readonly listeners: readonly Endpoint[]
  readonly advertisedListeners: readonly Endpoint[]
  readonly logDirectories: readonly string[]
  readonly requestMaxBytes: number
  readonly queuedRequestBytesMax: number
  readonly listenBacklog: number
  readonly connectionIdleMaxMs: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly fetchMaxBytes: number
  readonly fetchSessionSlots: number
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
  readonly autoCreateTopicsEnable: boolean
  readonly deleteTopicEnable: boolean
  readonly uncleanElectionEnable: boolean
  readonly recoveryConcurrency: number
  readonly retentionCheckIntervalMs: number
  readonly initialTaskDelayMs: number
  readonly checkpointIntervalMs: number
  readonly highWatermarkCheckpointIntervalMs: number
  readonly producerIdExpirationMs: number
  readonly httpAddress: string | null
  readonly groups: GroupSettings
  /** What the file says of a setting, or of one that it stands for; undefined: nothing. */
  readonly textOf: (name: string) => string | undefined
  readonly describe: () => DescribedConfig[]
}

export interface GroupSettings {
  readonly offsetsPartitionCount: number
  /** Undefined: min(3, live brokers), as 0.10.1 had it. */
  readonly offsetsReplicationFactor: number | undefined
  readonly offsetsSegmentBytes: number
  readonly offsetsRetentionMs: number
  readonly offsetsRetentionCheckMs: number
  readonly metadataBytesMax: number
  readonly sessionTimeoutMinMs: number
  readonly sessionTimeoutMaxMs: number
  readonly initialRebalanceDelayMs: number
  readonly sizeMax: number
}

/** Other spellings of one setting, the finest unit first; the factor leads to the finest. */
const spellings: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  'log.retention.ms': [
    ['log.retention.minutes', 60000],
    ['log.retention.hours', 3600000],
  ],
  'log.roll.ms': [['log.roll.hours', 3600000]],
  'log.roll.jitter.ms': [['log.roll.jitter.hours', 3600000]],
  'log.flush.interval.ms': [['log.flush.scheduler.interval.ms', 1]],
}

/** @throws UserError that names the setting. Warnings go to the log. */
export function brokerSettings(properties: Readonly<Record<string, string>>): {
  settings: BrokerSettings
  warnings: readonly string[]
} {
  const { values, given, warnings } = brokerDeclarations.parse(properties)
  const zookeeperConnect = values['zookeeper.connect']
  if (zookeeperConnect === null || zookeeperConnect === '')
    throw new UserError(
      'Missing required configuration `zookeeper.connect` which has no default value.',
    )
  const settings: BrokerSettings = {
    brokerId: values['broker.id'],
    brokerIdGenerationEnable: values['broker.id.generation.enable'],
    reservedBrokerIdMax: values['reserved.broker.max.id'],
    rack: values['broker.rack'],
    zookeeperConnect,
    zookeeperSessionTimeoutMs: values['zookeeper.session.timeout.ms'],
    zookeeperConnectionTimeoutMs: values['zookeeper.connection.timeout.ms'] ?? 18000,
    ...parseListeners({
      listeners: values['listeners'],
      advertised: values['advertised.listeners'],
      protocolMap: values['listener.security.protocol.map'],
      hostName: values['host.name'],
      port: values['port'],
      advertisedHostName: values['advertised.host.name'],
      advertisedPort: values['advertised.port'],
    }),
    logDirectories: (values['log.dirs'] ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
    requestMaxBytes: values['socket.request.max.bytes'],
    queuedRequestBytesMax: values['queued.max.request.bytes'],
    listenBacklog: values['socket.listen.backlog.size'],
    connectionIdleMaxMs: values['connections.max.idle.ms'],
    connectionsMax: values['max.connections'],
    connectionsPerAddressMax: values['max.connections.per.ip'],
    fetchMaxBytes: values['fetch.max.bytes'],
    fetchSessionSlots: values['max.incremental.fetch.session.cache.slots'],
    numPartitions: values['num.partitions'],
    defaultReplicationFactor: values['default.replication.factor'],
    autoCreateTopicsEnable: values['auto.create.topics.enable'],
    deleteTopicEnable: values['delete.topic.enable'],
    uncleanElectionEnable: values['unclean.leader.election.enable'],
    recoveryConcurrency: values['num.recovery.threads.per.data.dir'],
    retentionCheckIntervalMs: values['log.retention.check.interval.ms'],
    initialTaskDelayMs: values['log.initial.task.delay.ms'],
    checkpointIntervalMs: values['log.flush.offset.checkpoint.interval.ms'],
    highWatermarkCheckpointIntervalMs: values['replica.high.watermark.checkpoint.interval.ms'],
    producerIdExpirationMs: values['producer.id.expiration.ms'],
    httpAddress: values['millrace.http.address'],
    groups: {
      offsetsPartitionCount: values['offsets.topic.num.partitions'],
      offsetsReplicationFactor: given.has('offsets.topic.replication.factor')
        ? values['offsets.topic.replication.factor']
        : undefined,
      offsetsSegmentBytes: values['offsets.topic.segment.bytes'],
      offsetsRetentionMs: values['offsets.retention.minutes'] * 60000,
      offsetsRetentionCheckMs: values['offsets.retention.check.interval.ms'],
      metadataBytesMax: values['offset.metadata.max.bytes'],
      sessionTimeoutMinMs: values['group.min.session.timeout.ms'],
      sessionTimeoutMaxMs: values['group.max.session.timeout.ms'],
      initialRebalanceDelayMs: values['group.initial.rebalance.delay.ms'],
      sizeMax: values['group.max.size'],
    },
    textOf: (name) => textOf(properties, name),
    describe: () => describe(properties),
  }
  refuseUnsafe(settings)
  return { settings, warnings }
}

function textOf(properties: Readonly<Record<string, string>>, name: string): string | undefined {
  const own = properties[name]
  if (own !== undefined) return own
  for (const [other, factor] of spellings[name] ?? []) {
    const text = properties[other]
    if (text === undefined) continue
    const value = Number(text)
    return value < 0 ? '-1' : String(value * factor)
  }
  return undefined
}

/** What would let somebody in, or keep what should go, must not be overlooked. */
function refuseUnsafe(settings: BrokerSettings): void {
  for (const { listener, securityProtocol } of settings.listeners)
    if (securityProtocol !== 'PLAINTEXT')
      throw new UserError(
        `listeners: ${listener} is ${securityProtocol}, which is not supported yet; only PLAINTEXT is.`,
      )
  if (settings.textOf('log.cleanup.policy')?.includes('compact') === true)
    throw new UserError('log.cleanup.policy=compact is not supported yet; only delete is.')
  if (settings.logDirectories.length === 0)
    throw new UserError('log.dirs: at least one directory must be given.')
}

function describe(properties: Readonly<Record<string, string>>): DescribedConfig[] {
  return Object.entries(brokerDeclarations.settings).map(([name, declared]) => {
    const own = properties[name]
    const isSensitive = declared.type === 'password'
    const source = own === undefined ? configSources.default : configSources.staticBroker
    const value = isSensitive ? null : (own ?? declared.defaultText)
    return {
      name,
      value,
      source,
      readOnly: declared.mode === 'read-only',
      isSensitive,
      type: configTypes[declared.type],
      about: declared.about,
      synonyms: own === undefined ? [] : [{ name, value, source }],
    }
  })
}
