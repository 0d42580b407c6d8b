/**
 * A topic's settings: each is given by the topic, or by the broker under another name, or is Kafka's
 * default. Overrides that are not known are kept and shown, as the original does.
 */
import {
  boolean,
  defineSettings,
  double,
  int,
  list,
  long,
  parseSetting,
  string,
} from '../../runtime/settings.ts'
import { UserError } from '../../runtime/service.ts'
import type { LogSettings } from '../../storage/settings.ts'
import { isInternalTopic } from '../topic-names.ts'
import type { BrokerSettings } from './broker.ts'
import { configSources, configTypes, type DescribedConfig } from './described.ts'

const unlimited = Number.MAX_SAFE_INTEGER

export const topicDeclarations = defineSettings({
  'cleanup.policy': list({ default: 'delete', oneOf: ['compact', 'delete'] }),
  'compression.gzip.level': int({ default: -1 }),
  'compression.lz4.level': int({ default: 9, min: 1, max: 17 }),
  'compression.type': string({
    default: 'producer',
    oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
  }),
  'compression.zstd.level': int({ default: 3, min: -131072, max: 22 }),
  'delete.retention.ms': long({ default: 86400000, min: 0 }),
  'file.delete.delay.ms': long({ default: 60000, min: 0 }),
  'flush.messages': long({ default: unlimited, min: 1 }),
  'flush.ms': long({ default: unlimited, min: 0 }),
  'follower.replication.throttled.replicas': list({ default: '' }),
  'index.interval.bytes': int({ default: 4096, min: 0 }),
  'leader.replication.throttled.replicas': list({ default: '' }),
  'local.retention.bytes': long({ default: -2, min: -2 }),
  'local.retention.ms': long({ default: -2, min: -2 }),
  'max.compaction.lag.ms': long({ default: unlimited, min: 1 }),
  'max.message.bytes': int({ default: 1048588, min: 0 }),
  'message.downconversion.enable': boolean({ default: true }),
  'message.format.version': string({ default: '3.0-IV1' }),
  'message.timestamp.after.max.ms': long({ default: unlimited, min: 0 }),
  'message.timestamp.before.max.ms': long({ default: unlimited, min: 0 }),
  'message.timestamp.difference.max.ms': long({ default: unlimited, min: 0 }),
  'message.timestamp.type': string({
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
  }),
  'min.cleanable.dirty.ratio': double({ default: 0.5, min: 0, max: 1 }),
  'min.compaction.lag.ms': long({ default: 0, min: 0 }),
  'min.insync.replicas': int({ default: 1, min: 1 }),
  preallocate: boolean({ default: false }),
  'remote.log.copy.disable': boolean({ default: false }),
  'remote.log.delete.on.disable': boolean({ default: false }),
  'remote.storage.enable': boolean({ default: false }),
  'retention.bytes': long({ default: -1 }),
  'retention.ms': long({ default: 604800000, min: -1 }),
  'segment.bytes': int({ default: 1073741824, min: 14 }),
  'segment.index.bytes': int({ default: 10485760, min: 4 }),
  'segment.jitter.ms': long({ default: 0, min: 0 }),
  'segment.ms': long({ default: 604800000, min: 1 }),
  'unclean.leader.election.enable': boolean({ default: false }),
})

type TopicSettingName = keyof typeof topicDeclarations.settings

/** Under which name the broker's settings give a topic's default; where the names are equal: none. */
const brokerNames: Readonly<Partial<Record<TopicSettingName, string>>> = {
  'cleanup.policy': 'log.cleanup.policy',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'index.interval.bytes': 'log.index.interval.bytes',
  'local.retention.bytes': 'log.local.retention.bytes',
  'local.retention.ms': 'log.local.retention.ms',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'max.message.bytes': 'message.max.bytes',
  'message.downconversion.enable': 'log.message.downconversion.enable',
  'message.format.version': 'log.message.format.version',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.difference.max.ms': 'log.message.timestamp.difference.max.ms',
  'message.timestamp.type': 'log.message.timestamp.type',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  preallocate: 'log.preallocate',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'segment.bytes': 'log.segment.bytes',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'segment.jitter.ms': 'log.roll.jitter.ms',
  'segment.ms': 'log.roll.ms',
}

export interface TopicConfig {
  readonly log: LogSettings
  readonly minInSyncReplicas: number
  readonly downConversionAllowed: boolean
  /** Replicas, as `partition:broker` or `*`, that are copied no faster than the brokers' rates. */
  readonly throttled: { readonly leaders: readonly string[]; readonly followers: readonly string[] }
  /** By the topic itself, whatever brokers say of all. */
  readonly uncleanElectionAllowed: boolean
  readonly describe: () => DescribedConfig[]
}

/** The effective settings. Overrides were checked when they were written; a bad one falls back. */
export function topicConfig(
  overrides: Readonly<Record<string, string>>,
  broker: BrokerSettings,
): TopicConfig {
  const values = effective(overrides, broker)
  const log: LogSettings = {
    segmentBytes: values['segment.bytes'],
    segmentMs: values['segment.ms'],
    segmentJitterMs: values['segment.jitter.ms'],
    segmentIndexBytes: values['segment.index.bytes'],
    indexIntervalBytes: values['index.interval.bytes'],
    retentionMs: values['retention.ms'],
    retentionBytes: values['retention.bytes'],
    deletes: values['cleanup.policy'].includes('delete'),
    compacts: values['cleanup.policy'].includes('compact'),
    maxMessageBytes: values['max.message.bytes'],
    messageTimestampType: values['message.timestamp.type'],
    timestampBeforeMaxMs: values['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: values['message.timestamp.after.max.ms'],
    compressionType: values['compression.type'],
    messageFormat: messageFormat(values['message.format.version'], broker),
    flushMessages: values['flush.messages'],
    flushMs: values['flush.ms'],
    fileDeleteDelayMs: values['file.delete.delay.ms'],
  }
  return {
    log,
    minInSyncReplicas: values['min.insync.replicas'],
    downConversionAllowed: values['message.downconversion.enable'],
    throttled: {
      leaders: values['leader.replication.throttled.replicas'],
      followers: values['follower.replication.throttled.replicas'],
    },
    uncleanElectionAllowed:
      overrides['unclean.leader.election.enable'] !== undefined &&
      values['unclean.leader.election.enable'],
    describe: () => describe(overrides, broker),
  }
}

/**
 * From level 3.0 on the original ignores message.format.version and writes format 2; a lower
 * inter.broker.protocol.version must be given for it to count.
 */
function messageFormat(version: string, broker: BrokerSettings): 0 | 1 | 2 {
  const level = broker.textOf('inter.broker.protocol.version')
  if (level === undefined || Number.parseInt(level, 10) >= 3) return 2
  if (/^0\.[89]/.test(version)) return 0
  return version.startsWith('0.10') ? 1 : 2
}

function effective(overrides: Readonly<Record<string, string>>, broker: BrokerSettings) {
  const texts: Record<string, string> = {}
  for (const name of Object.keys(topicDeclarations.settings)) {
    const inherited = broker.textOf(brokerNameOf(name))
    if (inherited !== undefined) texts[name] = inherited
    const own = overrides[name]
    if (own !== undefined && problemOf(name, own) === undefined) texts[name] = own
  }
  return topicDeclarations.parse(texts).values
}

function brokerNameOf(name: string): string {
  return brokerNames[name as TopicSettingName] ?? name
}

function problemOf(name: string, text: string): string | undefined {
  const declared = topicDeclarations.settings[name as TopicSettingName]
  try {
    parseSetting<unknown>(name, declared, text)
    return undefined
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}

interface Problem {
  readonly message: string
  /** One value is wrong, rather than a name or what values come to together. */
  readonly isValue: boolean
}

/** Why a topic cannot have these settings; undefined where it can. */
export function topicConfigProblem(
  topic: string,
  configs: Readonly<Record<string, string>>,
  broker: BrokerSettings,
): string | undefined {
  return findProblem(topic, configs, broker)?.message
}

/** The same in the words of the APIs that alter settings. */
export function topicAlterationProblem(
  topic: string,
  configs: Readonly<Record<string, string>>,
  broker: BrokerSettings,
): string | undefined {
  const problem = findProblem(topic, configs, broker)
  if (problem?.isValue !== true) return problem?.message
  return `Invalid config value for resource ConfigResource(type=TOPIC, name='${topic}'): ${problem.message}`
}

function findProblem(
  topic: string,
  configs: Readonly<Record<string, string>>,
  broker: BrokerSettings,
): Problem | undefined {
  const unknown = Object.keys(configs).find(
    (name) => !Object.hasOwn(topicDeclarations.settings, name),
  )
  if (unknown !== undefined)
    return { message: `Unknown topic config name: ${unknown}`, isValue: false }
  for (const [name, text] of Object.entries(configs)) {
    const message = problemOf(name, text) ?? formProblem(name, text)
    if (message !== undefined) return { message, isValue: true }
  }
  const values = effective(configs, broker)
  const [least, most] = [values['min.compaction.lag.ms'], values['max.compaction.lag.ms']]
  if (least > most)
    return {
      message: `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`,
      isValue: false,
    }
  if (values['cleanup.policy'].includes('compact') && !isInternalTopic(topic))
    return {
      message: 'cleanup.policy=compact is not supported yet: records would be kept for ever.',
      isValue: false,
    }
  return undefined
}

const throttledReplicas = /^(\*|\d+:\d+(\s*,\s*\d+:\d+)*)?$/
const formatVersion = /^(0\.8\.[0-2]|0\.9\.0|0\.1[01]\.\d|[1-3]\.\d)([.-].*)?$/

/** What a declaration's type and bounds do not say. */
function formProblem(name: string, text: string): string | undefined {
  const refused = (value: string, reason: string): string =>
    `Invalid value ${value} for configuration ${name}: ${reason}`
  if (name.endsWith('.replication.throttled.replicas') && !throttledReplicas.test(text.trim()))
    return refused(
      `[${text}]`,
      `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
    )
  if (name === 'message.format.version' && !formatVersion.test(text))
    return refused(text, `Version ${text} is not a valid version`)
  if (name === 'remote.storage.enable' && text.trim().toLowerCase() === 'true')
    return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
  return undefined
}

function describe(
  overrides: Readonly<Record<string, string>>,
  broker: BrokerSettings,
): DescribedConfig[] {
  return Object.entries(topicDeclarations.settings).map(([name, declared]) => {
    const brokerName = brokerNameOf(name)
    const synonyms = broker.synonymsOf(brokerName)
    const own = overrides[name]
    if (own !== undefined) synonyms.unshift({ name, value: own, source: configSources.topic })
    return {
      name,
      value: own ?? broker.textOf(brokerName) ?? declared.defaultText,
      source: synonyms[0]?.source ?? configSources.default,
      readOnly: false,
      isSensitive: false,
      type: configTypes[declared.type],
      about: declared.about,
      synonyms,
    }
  })
}
