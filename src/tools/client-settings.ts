// Pure.
// The properties that Java clients take (--producer-property, --consumer.config, --command-config …),
// as settings of our client. Defaults are the client's own; whatever is not declared draws a warning.
import type { ConsumerSettings } from '../client/consumer/types.ts'
import type { ProducerSettings } from '../client/producer/types.ts'
import type { ClientSettings } from '../client/settings.ts'
import type { CompressionName } from '../client/types.ts'
import { boolean, defineSettings, int, long, string } from '../runtime/settings.ts'

export type Properties = Readonly<Record<string, string>>

/** TLS and SASL say nothing while the protocol is PLAINTEXT, which is the only one built. */
const foreignPrefixes = [
  'ssl.',
  'sasl.',
  'key.',
  'value.',
  'metric',
  'interceptor.',
  'enable.metrics',
]

const common = {
  'bootstrap.servers': string({ default: null, about: 'host:port of one or more brokers.' }),
  'client.id': string({ default: null, about: 'The name brokers log and meter by.' }),
  'security.protocol': string({ default: 'PLAINTEXT', support: 'refused' }),
  'request.timeout.ms': int({ default: null, min: 0 }),
  'default.api.timeout.ms': int({ default: null, min: 0 }),
  'socket.connection.setup.timeout.ms': long({ default: null, min: 1 }),
  'reconnect.backoff.ms': long({ default: null, min: 0 }),
  'reconnect.backoff.max.ms': long({ default: null, min: 0 }),
  'retry.backoff.ms': long({ default: null, min: 0 }),
  'retry.backoff.max.ms': long({ default: null, min: 0 }),
  'metadata.max.age.ms': long({ default: null, min: 0 }),
  'send.buffer.bytes': int({ default: null, support: 'ignored' }),
  'receive.buffer.bytes': int({ default: null, support: 'ignored' }),
}

const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export const producerProperties = defineSettings(
  {
    ...common,
    acks: string({ default: null, oneOf: ['all', '-1', '0', '1'] }),
    'batch.size': int({ default: null, min: 0 }),
    'linger.ms': long({ default: null, min: 0 }),
    'compression.type': string({ default: null, oneOf: compressionNames }),
    'enable.idempotence': boolean({ default: null }),
    'max.in.flight.requests.per.connection': int({ default: null, min: 1 }),
    'delivery.timeout.ms': int({ default: null, min: 0 }),
    retries: int({ default: null, min: 0 }),
    'buffer.memory': long({ default: null, min: 0 }),
    'max.request.size': int({ default: null, min: 0 }),
    'max.block.ms': long({ default: null, min: 0, support: 'ignored' }),
    'transactional.id': string({ default: null, support: 'refused' }),
    'partitioner.class': string({ default: null, support: 'ignored' }),
  },
  { foreignPrefixes },
)

export const consumerProperties = defineSettings(
  {
    ...common,
    'group.id': string({ default: null }),
    'group.instance.id': string({ default: null, nonEmpty: true }),
    'auto.offset.reset': string({ default: null, oneOf: ['latest', 'earliest', 'none'] }),
    'enable.auto.commit': boolean({ default: null }),
    'auto.commit.interval.ms': int({ default: null, min: 0 }),
    'max.poll.records': int({ default: null, min: 1 }),
    'max.poll.interval.ms': int({ default: null, min: 1 }),
    'fetch.min.bytes': int({ default: null, min: 0 }),
    'fetch.max.wait.ms': int({ default: null, min: 0 }),
    'fetch.max.bytes': int({ default: null, min: 0 }),
    'max.partition.fetch.bytes': int({ default: null, min: 0 }),
    'isolation.level': string({ default: null, oneOf: ['read_committed', 'read_uncommitted'] }),
    'session.timeout.ms': int({ default: null, min: 1 }),
    'heartbeat.interval.ms': int({ default: null, min: 1 }),
    'allow.auto.create.topics': boolean({ default: null }),
    'check.crcs': boolean({ default: null, support: 'ignored' }),
    'partition.assignment.strategy': string({ default: null, support: 'ignored' }),
    'group.protocol': string({ default: 'classic', support: 'refused' }),
  },
  { foreignPrefixes },
)

export const adminProperties = defineSettings({ ...common }, { foreignPrefixes })

/** What the properties say of the client as a whole; bootstrap servers only where they name some. */
export type CommonSettings = Omit<ClientSettings, 'bootstrapServers'> & {
  readonly bootstrapServers?: readonly string[]
}

export interface ReadSettings<S> {
  readonly client: CommonSettings
  readonly settings: S
  /** Sentences about what is not known or not acted on. */
  readonly warnings: readonly string[]
}

type CommonValues = { readonly [Name in keyof typeof common]: string | number | null }

/** @throws UserError that names the property */
export function producerSettings(properties: Properties): ReadSettings<ProducerSettings> {
  const { values, warnings } = producerProperties.parse(properties)
  const compression: CompressionName | null = values['compression.type']
  const settings = given<ProducerSettings>({
    acks: acksFrom(values.acks),
    batchBytes: values['batch.size'],
    lingerMs: values['linger.ms'],
    compression,
    idempotence: values['enable.idempotence'],
    maxInFlight: values['max.in.flight.requests.per.connection'],
    deliveryTimeoutMs: values['delivery.timeout.ms'],
    retries: values.retries,
    bufferMemoryBytes: values['buffer.memory'],
    requestBytesMax: values['max.request.size'],
  })
  return { client: commonSettings(values), settings, warnings }
}

/** @throws UserError that names the property */
export function consumerSettings(properties: Properties): ReadSettings<ConsumerSettings> {
  const { values, warnings } = consumerProperties.parse(properties)
  const settings = given<ConsumerSettings>({
    groupId: values['group.id'],
    groupInstanceId: values['group.instance.id'],
    autoOffsetReset: values['auto.offset.reset'],
    autoCommit: values['enable.auto.commit'],
    autoCommitIntervalMs: values['auto.commit.interval.ms'],
    maxPollRecords: values['max.poll.records'],
    maxPollIntervalMs: values['max.poll.interval.ms'],
    fetchMinBytes: values['fetch.min.bytes'],
    fetchMaxWaitMs: values['fetch.max.wait.ms'],
    fetchBytesMax: values['fetch.max.bytes'],
    partitionFetchBytesMax: values['max.partition.fetch.bytes'],
    isolationLevel: values['isolation.level'],
    sessionTimeoutMs: values['session.timeout.ms'],
    heartbeatIntervalMs: values['heartbeat.interval.ms'],
    allowAutoTopicCreation: values['allow.auto.create.topics'],
  })
  return { client: commonSettings(values), settings, warnings }
}

/** @throws UserError that names the property */
export function adminSettings(properties: Properties): ReadSettings<undefined> {
  const { values, warnings } = adminProperties.parse(properties)
  return { client: commonSettings(values), settings: undefined, warnings }
}

function commonSettings(values: CommonValues): CommonSettings {
  const text = (name: keyof CommonValues): string | null => {
    const value = values[name]
    return value === null ? null : String(value)
  }
  const number = (name: keyof CommonValues): number | null => {
    const value = values[name]
    return typeof value === 'number' ? value : null
  }
  return given<CommonSettings>({
    bootstrapServers: text('bootstrap.servers')?.split(',') ?? null,
    clientId: text('client.id'),
    requestTimeoutMs: number('request.timeout.ms'),
    callTimeoutMs: number('default.api.timeout.ms'),
    connectTimeoutMs: number('socket.connection.setup.timeout.ms'),
    reconnectBackoffMs: number('reconnect.backoff.ms'),
    reconnectBackoffMsMax: number('reconnect.backoff.max.ms'),
    retryBackoffMs: number('retry.backoff.ms'),
    retryBackoffMsMax: number('retry.backoff.max.ms'),
    metadataMaxAgeMs: number('metadata.max.age.ms'),
  })
}

function acksFrom(text: string | null): -1 | 0 | 1 | null {
  if (text === null) return null
  return text === '0' ? 0 : text === '1' ? 1 : -1
}

/** Leaves out what is null, so that the client's default holds. */
function given<S extends object>(
  settings: { readonly [Name in keyof S]: S[Name] | null },
): Partial<S> {
  const entries = Object.entries(settings).filter(([, value]) => value !== null)
  return Object.fromEntries(entries) as Partial<S>
}

/** `name=value` words, the last of equal names wins; a name alone has an empty value. */
export function keyValues(words: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const word of words) {
    const equals = word.indexOf('=')
    pairs[equals < 0 ? word : word.slice(0, equals)] = equals < 0 ? '' : word.slice(equals + 1)
  }
  return pairs
}
