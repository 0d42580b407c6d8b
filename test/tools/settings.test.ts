// Properties of Java clients as settings of ours, names of exceptions, brokers out of znodes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerError, clientError } from '../../src/client/errors.ts'
import { plaintextAddress } from '../../src/tools/bootstrap.ts'
import {
  adminSettings,
  consumerSettings,
  keyValues,
  producerSettings,
} from '../../src/tools/client-settings.ts'
import { exceptionName, exceptionText } from '../../src/tools/java-names.ts'
import { topicFilter } from '../../src/tools/topic-filter.ts'

test('what is not given is left to the client', () => {
  assert.deepEqual(producerSettings({}), { client: {}, settings: {}, warnings: [] })
  assert.deepEqual(consumerSettings({}), { client: {}, settings: {}, warnings: [] })
})

test('properties of the producer become its settings', () => {
  const { client, settings, warnings } = producerSettings({
    'bootstrap.servers': 'a:1,b:2',
    acks: 'all',
    'linger.ms': '7',
    'compression.type': 'zstd',
    'enable.idempotence': 'false',
    'request.timeout.ms': '1500',
    'key.serializer': 'org.example.Whatever',
    'no.such.thing': '1',
    'max.block.ms': '3',
  })
  assert.deepEqual(client, { bootstrapServers: ['a:1', 'b:2'], requestTimeoutMs: 1500 })
  assert.deepEqual(settings, { acks: -1, lingerMs: 7, compression: 'zstd', idempotence: false })
  assert.deepEqual(warnings, [
    "The configuration 'no.such.thing' was supplied but is not a known setting.",
    "The configuration 'max.block.ms' is not acted on yet.",
  ])
})

test('properties of the consumer become its settings', () => {
  const { client, settings } = consumerSettings({
    'group.id': 'g',
    'client.id': 'c',
    'auto.offset.reset': 'earliest',
    'isolation.level': 'read_committed',
    'max.poll.records': '10',
  })
  assert.deepEqual(client, { clientId: 'c' })
  assert.deepEqual(settings, {
    groupId: 'g',
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    maxPollRecords: 10,
  })
})

test('bad values are refused in the words of the original', () => {
  assert.throws(() => producerSettings({ acks: '5' }), {
    name: 'UserError',
    message: 'Invalid value 5 for configuration acks: String must be one of: all, -1, 0, 1',
  })
})

test('a protocol that would protect the traffic is refused rather than ignored', () => {
  assert.throws(
    () => adminSettings({ 'security.protocol': 'SASL_SSL' }),
    /security\.protocol=SASL_SSL is not supported/,
  )
  assert.deepEqual(adminSettings({ 'security.protocol': 'PLAINTEXT' }).warnings, [])
})

test('pairs are cut at the first equals sign', () => {
  assert.deepEqual(keyValues(['a=1', 'b=c=d', 'alone', 'a=2']), { a: '2', b: 'c=d', alone: '' })
})

test('errors go by the names of the exception classes that scripts look for', () => {
  const prefix = 'org.apache.kafka.common.errors.'
  assert.equal(exceptionName('TOPIC_ALREADY_EXISTS'), `${prefix}TopicExistsException`)
  assert.equal(
    exceptionName('INVALID_REPLICATION_FACTOR'),
    `${prefix}InvalidReplicationFactorException`,
  )
  const exists = brokerError(36, 'one', "Topic 'one' already exists.")
  assert.equal(exceptionText(exists), `${prefix}TopicExistsException: Topic 'one' already exists.`)
  const late = clientError('REQUEST_TIMEOUT', 'no answer')
  assert.equal(exceptionText(late), `${prefix}TimeoutException: no answer`)
  const old = brokerError(35, 'CreatePartitions of broker a:9092')
  assert.equal(
    exceptionText(old),
    `${prefix}UnsupportedVersionException: The node does not support CREATE_PARTITIONS`,
  )
})

test('the PLAINTEXT listener is found in znodes of all versions', () => {
  const address = (json: object): string | undefined =>
    plaintextAddress(Buffer.from(JSON.stringify(json)))
  assert.equal(address({ version: 1, host: 'h', port: 9092 }), 'h:9092')
  assert.equal(
    address({
      listener_security_protocol_map: { OUT: 'SSL', IN: 'PLAINTEXT' },
      endpoints: ['OUT://a:1', 'IN://[::1]:2'],
      host: null,
      port: -1,
    }),
    '[::1]:2',
  )
  assert.equal(address({ endpoints: ['PLAINTEXT://a:3'], host: 'x', port: 4 }), 'a:3')
  assert.equal(address({ endpoints: ['SSL://a:3'], host: null, port: -1 }), undefined)
  assert.equal(plaintextAddress(Buffer.from('no json')), undefined)
})

test('topics match as a whole, a comma separates alternatives', () => {
  const isWanted = topicFilter('"one, two.*"')
  assert.deepEqual(['one', 'ones', 'two', 'twofold', 'a-two'].filter(isWanted), [
    'one',
    'two',
    'twofold',
  ])
  assert.throws(() => topicFilter('('), { name: 'OptionError', message: '( is an invalid regex.' })
})
