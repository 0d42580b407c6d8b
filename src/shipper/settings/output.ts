// Pure. The one output of a shipper.

import { UserError } from '../../runtime/service.ts'
import type { KafkaOutputSettings, OutputSettings, PartitionSettings } from '../settings.ts'
import type { Section } from './section.ts'

/** @throws UserError unless exactly one output is enabled */
export function readOutput(root: Section): OutputSettings {
  const output = root.section('output')
  const enabled = output.keys().filter((name) => {
    const section = output.section(name)
    const isOn = section.boolean('enabled', true)
    if (!isOn) section.accept(section.keys())
    return isOn
  })
  const [name, other] = enabled
  if (name === undefined) {
    throw new UserError(
      'No outputs are defined. Please define one under the output section (output.kafka)',
    )
  }
  if (other !== undefined) {
    throw output.fail(other, `more than one output is defined: ${enabled.join(', ')}`)
  }
  const section = output.section(name)
  if (name === 'kafka') return kafkaOutput(section)
  if (name === 'console') return consoleOutput(section)
  throw output.fail(name, 'this output is not built; kafka and console are')
}

function consoleOutput(section: Section): OutputSettings {
  section.accept(['bulk_max_size'])
  return { kind: 'console', pretty: readCodec(section) }
}

const security = ['username', 'password', 'ssl', 'sasl', 'kerberos']

function kafkaOutput(section: Section): KafkaOutputSettings {
  for (const key of security) {
    if (!section.has(key)) continue
    // `ssl.enabled: false` asks for nothing.
    if (key === 'ssl' && !section.boolean('ssl.enabled', true)) section.accept(['ssl'])
    else throw section.fail(key, 'encrypted and authenticated connections are not built yet')
  }
  section.refuse(['topics', 'keys', 'codec.format'], 'is not built yet')
  section.accept(['headers', 'max_retries', 'worker', 'channel_buffer_size', 'keep_alive'])
  section.accept(['bulk_flush_frequency', 'metadata.full', 'metadata.retry.max', 'version'])
  section.accept(['compression_level', 'loadbalance'])
  const hosts = section.texts('hosts').map(withPort)
  if (hosts.length === 0) throw section.fail('hosts', 'no hosts configured')
  const topic = section.text('topic')
  if (topic === undefined || topic === '') {
    throw section.fail('topic', "either 'topic' or 'topics' must be defined")
  }
  const acks = section.integer('required_acks', 1, { min: -1, max: 1 })
  return {
    kind: 'kafka',
    hosts,
    topic,
    key: section.text('key'),
    partition: readPartition(section),
    clientId: section.text('client_id') ?? 'beats',
    compression: section.oneOf('compression', ['none', 'gzip', 'snappy', 'lz4'], 'gzip'),
    requiredAcks: acks === -1 ? -1 : acks === 0 ? 0 : 1,
    bulkMaxSize: section.integer('bulk_max_size', 2048, { min: 1 }),
    maxMessageBytes: section.bytes('max_message_bytes', 1_000_000, { min: 1 }),
    timeoutMs: section.duration('timeout', 30_000),
    brokerTimeoutMs: section.duration('broker_timeout', 10_000),
    metadataRefreshMs: section.duration('metadata.refresh_frequency', 600_000),
    retryBackoffMs: section.duration('metadata.retry.backoff', 250),
    backoffInitMs: section.duration('backoff.init', 1000),
    backoffMaxMs: section.duration('backoff.max', 60_000),
    pretty: readCodec(section),
  }
}

function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:9092`
}

function readCodec(section: Section): boolean {
  section.accept(['codec.json.escape_html'])
  section.refuse(['codec.format'], 'is not built yet')
  return section.boolean('codec.json.pretty', false)
}

const partitioners = ['hash', 'random', 'round_robin'] as const

function readPartition(section: Section): PartitionSettings {
  const partition = section.section('partition')
  const [name, other] = partition.keys()
  if (name === undefined) return { kind: 'hash', groupEvents: 1, hashFields: [] }
  if (other !== undefined) throw section.fail('partition', 'too many partitioners')
  const kind = partitioners.find((one) => one === name)
  if (kind === undefined) throw partition.fail(name, 'unknown kafka partition mode')
  partition.accept([`${kind}.reachable_only`, `${kind}.random`])
  return {
    kind,
    groupEvents: kind === 'hash' ? 1 : partition.integer(`${kind}.group_events`, 1, { min: 1 }),
    hashFields: kind === 'hash' ? partition.texts('hash.hash') : [],
  }
}
