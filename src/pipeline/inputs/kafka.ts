// The input kafka: reads topics as a member of a group. Offsets are committed only after the outputs
// have acknowledged the events, in order for each partition; `enable_auto_commit => false` means no
// commits at all, as in the original.

import type { KafkaClient } from '../../client/client.ts'
import type { AssignorName, Consumer, TopicPattern } from '../../client/consumer/types.ts'
import { KafkaClient as RealKafkaClient } from '../../client/client.ts'
import { compileRubyPattern } from '../../text/regexp.ts'
import { configText } from '../decorate.ts'
import { type Input, defineInput } from '../plugin.ts'
import { inputDecoration } from './define.ts'
import { KafkaReader, type KafkaReaderSettings } from './kafka-reader.ts'

/** The names of the original's option, and the classes that may stand in their place. */
const strategies: Readonly<Record<string, AssignorName>> = {
  range: 'range',
  round_robin: 'roundrobin',
  sticky: 'sticky',
  cooperative_sticky: 'cooperative-sticky',
  'org.apache.kafka.clients.consumer.RangeAssignor': 'range',
  'org.apache.kafka.clients.consumer.RoundRobinAssignor': 'roundrobin',
  'org.apache.kafka.clients.consumer.StickyAssignor': 'sticky',
  'org.apache.kafka.clients.consumer.CooperativeStickyAssignor': 'cooperative-sticky',
}

export const kafka = defineInput({
  name: 'kafka',
  options: {
    bootstrap_servers: { type: 'string', default: 'localhost:9092' },
    topics: { type: 'array', default: ['logstash'] },
    group_id: { type: 'string', default: 'logstash' },
    group_instance_id: { type: 'string' },
    client_id: { type: 'string', default: 'logstash' },
    client_rack: { type: 'string' },
    consumer_threads: { type: 'number', default: 1 },
    auto_offset_reset: { type: ['earliest', 'latest', 'none'] },
    enable_auto_commit: { type: 'boolean', default: true },
    auto_commit_interval_ms: { type: 'number', default: 5000 },
    decorate_events: {
      type: ['none', 'basic', 'extended', 'false', 'true'],
      default: 'none',
    },
    codec: { type: 'codec', default: 'plain' },
    max_poll_records: { type: 'number', default: 500 },
    max_poll_interval_ms: { type: 'number', default: 300_000 },
    poll_timeout_ms: { type: 'number', default: 100 },
    session_timeout_ms: { type: 'number', default: 10_000 },
    heartbeat_interval_ms: { type: 'number', default: 3000 },
    request_timeout_ms: { type: 'number', default: 40_000 },
    reconnect_backoff_ms: { type: 'number', default: 50 },
    retry_backoff_ms: { type: 'number', default: 100 },
    metadata_max_age_ms: { type: 'number', default: 300_000 },
    fetch_min_bytes: { type: 'number', default: 1 },
    fetch_max_wait_ms: { type: 'number', default: 500 },
    fetch_max_bytes: { type: 'number', default: 52_428_800 },
    max_partition_fetch_bytes: { type: 'number', default: 1_048_576 },
    isolation_level: { type: ['read_uncommitted', 'read_committed'], default: 'read_uncommitted' },
    partition_assignment_strategy: { type: Object.keys(strategies), default: 'range' },
    auto_create_topics: { type: 'boolean', default: true },
    check_crcs: { type: 'boolean', default: true, idle: true },
    connections_max_idle_ms: { type: 'number', default: 540_000, idle: true },
    receive_buffer_bytes: { type: 'number', idle: true },
    send_buffer_bytes: { type: 'number', idle: true },
    client_dns_lookup: { type: 'string', idle: true },
    security_protocol: { type: ['PLAINTEXT'], default: 'PLAINTEXT' },
    topics_pattern: { type: 'string' },
    sasl_mechanism: { type: 'string', refused: true },
    sasl_jaas_config: { type: 'password', refused: true },
    jaas_path: { type: 'string', refused: true },
    kerberos_config: { type: 'string', refused: true },
    ssl_truststore_location: { type: 'string', refused: true },
    ssl_truststore_password: { type: 'password', refused: true },
    ssl_keystore_location: { type: 'string', refused: true },
    ssl_keystore_password: { type: 'password', refused: true },
    ssl_endpoint_identification_algorithm: { type: 'string', refused: true },
    schema_registry_url: { type: 'string', refused: true },
    key_deserializer_class: {
      type: ['org.apache.kafka.common.serialization.StringDeserializer'],
      default: 'org.apache.kafka.common.serialization.StringDeserializer',
    },
    value_deserializer_class: {
      type: ['org.apache.kafka.common.serialization.StringDeserializer'],
      default: 'org.apache.kafka.common.serialization.StringDeserializer',
    },
  },
  build({ options, ports, template, codec }) {
    const settings: KafkaReaderSettings = {
      topics:
        options.topics_pattern === undefined
          ? options.topics.map(configText)
          : wholeNames(options.topics_pattern),
      groupId: options.group_id,
      commits: options.enable_auto_commit,
      commitIntervalMs: options.auto_commit_interval_ms,
      pollTimeoutMs: options.poll_timeout_ms,
      decoration: decorationOf(options.decorate_events),
    }
    const open = (): KafkaClient =>
      new RealKafkaClient(ports, {
        bootstrapServers: options.bootstrap_servers.split(',').map((server) => server.trim()),
        clientId: options.client_id,
        requestTimeoutMs: options.request_timeout_ms,
        reconnectBackoffMs: options.reconnect_backoff_ms,
        retryBackoffMs: options.retry_backoff_ms,
        metadataMaxAgeMs: options.metadata_max_age_ms,
      })
    const consume = (client: KafkaClient): Consumer =>
      client.consumer({
        groupId: options.group_id,
        autoCommit: false,
        maxPollRecords: options.max_poll_records,
        maxPollIntervalMs: options.max_poll_interval_ms,
        sessionTimeoutMs: options.session_timeout_ms,
        heartbeatIntervalMs: options.heartbeat_interval_ms,
        fetchMinBytes: options.fetch_min_bytes,
        fetchMaxWaitMs: options.fetch_max_wait_ms,
        fetchBytesMax: options.fetch_max_bytes,
        partitionFetchBytesMax: options.max_partition_fetch_bytes,
        isolationLevel: options.isolation_level,
        assignors: [strategies[options.partition_assignment_strategy] ?? 'range'],
        rackId: options.client_rack ?? '',
        allowAutoTopicCreation: options.auto_create_topics,
        ...(options.auto_offset_reset === undefined
          ? {}
          : { autoOffsetReset: options.auto_offset_reset }),
        ...(options.group_instance_id === undefined
          ? {}
          : { groupInstanceId: options.group_instance_id }),
      })
    const decorate = inputDecoration(options, template)
    const readers = Array.from({ length: Math.max(1, options.consumer_threads) }, () => {
      const decoder = codec(options.codec).decoder()
      return new KafkaReader(ports, { open, consume, decoder, decorate }, settings)
    })
    return together(readers)
  },
})

/** A pattern means the topics whose whole names it matches. @throws PatternError */
function wholeNames(pattern: string): TopicPattern {
  return compileRubyPattern(`\\A(?:${pattern})\\z`).regexp
}

function decorationOf(option: string): KafkaReaderSettings['decoration'] {
  if (option === 'true' || option === 'basic') return 'basic'
  return option === 'extended' ? 'extended' : 'none'
}

function together(readers: readonly Input[]): Input {
  return {
    async run(sink) {
      await Promise.all(readers.map((reader) => reader.run(sink)))
    },
    stop() {
      for (const reader of readers) reader.stop()
    },
    async close() {
      for (const reader of readers) await reader.close?.()
    },
  }
}
