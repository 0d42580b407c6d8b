/** A broker's settings: server.properties read, checked, and given the names the code uses. */
import { UserError } from '../../runtime/service.ts'
import type { SettingsOf } from '../../runtime/settings.ts'
import type { ReplicationSettings } from '../replication/settings.ts'
import type { InterBrokerLevel } from '../controller/level.ts'
import type { Endpoint } from '../znodes.ts'
import type { ControlSettings } from '../controller/desk.ts'
import { brokerDeclarations } from './broker-settings.ts'
import { controlSettings } from './control.ts'
import {
  configSources,
  configTypes,
  type ConfigSynonym,
  type DescribedConfig,
} from './described.ts'
import { ConfigLayers, type DynamicProperties, type Properties } from './layers.ts'
import { parseListeners } from './listeners.ts'
import { levelOf, readsByRack, replicationSettings } from './replication.ts'

/** The values; those of dynamic settings change in place. */
export interface BrokerFields {
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
  /** The listener by which brokers reach each other. */
  readonly interBrokerListener: string
  /** replica.selector.class sends consumers to replicas in their racks. */
  readonly readsByRack: boolean
  readonly replication: ReplicationSettings
  readonly control: ControlSettings
}

export interface BrokerSettings extends BrokerFields {
  /** What was said of a setting, or of one that it stands for; undefined: nothing. */
  readonly textOf: (name: string) => string | undefined
  readonly synonymsOf: (name: string) => ConfigSynonym[]
  readonly describe: () => DescribedConfig[]
  readonly describeDefaults: () => DescribedConfig[]
  readonly dynamic: () => DynamicProperties
  /** Why the broker could not have these; undefined where it could. */
  readonly dynamicProblem: (properties: DynamicProperties) => string | undefined
  /** Replaces what was changed before. @throws UserError where there is a problem; nothing changed */
  readonly applyDynamic: (properties: DynamicProperties) => void
}

export interface GroupSettings {
  /** What versions of its records coordinators beside this one can read. */
  readonly level: Pick<InterBrokerLevel, 'groupRecord' | 'offsetRecord'>
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

/** @throws UserError that names the setting. Warnings go to the log. */
export function brokerSettings(properties: Properties): {
  settings: BrokerSettings
  warnings: readonly string[]
} {
  let layers = new ConfigLayers(properties)
  const { fields, warnings } = read(layers)
  const settings: BrokerSettings = {
    ...fields,
    textOf: (name) => layers.textOf(name),
    synonymsOf: (name) => layers.synonymsOf(name, isSensitive(name)),
    describe: () => describe(layers),
    describeDefaults: () => describeDefaults(layers),
    dynamic: () => layers.dynamic,
    applyDynamic(dynamic) {
      const next = new ConfigLayers(properties, dynamic)
      // Whoever holds the settings sees what changed at its next look.
      Object.assign(settings, read(next).fields)
      layers = next
    },
    dynamicProblem: (dynamic) => problemOf(new ConfigLayers(properties, dynamic)),
  }
  return { settings, warnings }
}

function problemOf(layers: ConfigLayers): string | undefined {
  try {
    read(layers)
    return undefined
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}

/** @throws UserError */
function read(layers: ConfigLayers): { fields: BrokerFields; warnings: readonly string[] } {
  const { values, given, warnings } = brokerDeclarations.parse(layers.merged)
  const zookeeperConnect = values['zookeeper.connect']
  if (zookeeperConnect === null || zookeeperConnect === '')
    throw new UserError(
      'Missing required configuration `zookeeper.connect` which has no default value.',
    )
  const fields: BrokerFields = {
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
    groups: groupSettings(values, given),
    interBrokerListener:
      values['inter.broker.listener.name'] ?? values['security.inter.broker.protocol'],
    readsByRack: readsByRack(values['replica.selector.class']),
    replication: replicationSettings(values, given),
    control: controlSettings(values),
  }
  refuseUnsafe(fields, layers)
  return { fields, warnings }
}

type BrokerValues = SettingsOf<typeof brokerDeclarations>

function groupSettings(values: BrokerValues, given: ReadonlySet<string>): GroupSettings {
  return {
    level: levelOf(values, given),
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
  }
}

/** What would let somebody in, or keep what should go, must not be overlooked. */
function refuseUnsafe(settings: BrokerFields, layers: ConfigLayers): void {
  for (const { listener, securityProtocol } of settings.listeners)
    if (securityProtocol !== 'PLAINTEXT')
      throw new UserError(
        `listeners: ${listener} is ${securityProtocol}, which is not supported yet; only PLAINTEXT is.`,
      )
  if (layers.textOf('log.cleanup.policy')?.includes('compact') === true)
    throw new UserError('log.cleanup.policy=compact is not supported yet; only delete is.')
  if (settings.logDirectories.length === 0)
    throw new UserError('log.dirs: at least one directory must be given.')
}

type BrokerSettingName = keyof typeof brokerDeclarations.settings

function isSensitive(name: string): boolean {
  return brokerDeclarations.settings[name as BrokerSettingName]?.type === 'password'
}

function describe(layers: ConfigLayers): DescribedConfig[] {
  return Object.keys(brokerDeclarations.settings).map((name) =>
    describeOne(name, layers.textOf(name), layers.synonymsOf(name, isSensitive(name))),
  )
}

/** Of the settings for all brokers alone. */
function describeDefaults(layers: ConfigLayers): DescribedConfig[] {
  return Object.entries(layers.dynamic.forAll).flatMap(([name, value]) => {
    if (!Object.hasOwn(brokerDeclarations.settings, name)) return []
    const source = configSources.dynamicDefaultBroker
    const shown = isSensitive(name) ? null : value
    return [describeOne(name, value, [{ name, value: shown, source }])]
  })
}

function describeOne(
  name: string,
  text: string | undefined,
  synonyms: readonly ConfigSynonym[],
): DescribedConfig {
  const declared = brokerDeclarations.settings[name as BrokerSettingName]
  const hidden = isSensitive(name)
  return {
    name,
    value: hidden ? null : (text ?? declared.defaultText),
    source: synonyms[0]?.source ?? configSources.default,
    readOnly: declared.mode === 'read-only',
    isSensitive: hidden,
    type: configTypes[declared.type],
    about: declared.about,
    synonyms,
  }
}
