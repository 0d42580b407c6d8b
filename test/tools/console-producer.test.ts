// kafka-console-producer: its properties, and how it sends.
import assert from 'node:assert/strict'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { brokerError, KafkaError } from '../../src/client/errors.ts'
import type { Producer, ProducerRecord, RecordMetadata } from '../../src/client/producer/types.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import {
  consoleProducerCommand,
  producerProperties,
  sendLines,
} from '../../src/tools/commands/console-producer.ts'
import { lineFormat } from '../../src/tools/line-records.ts'
import { parseOptions } from '../../src/tools/options.ts'
import { fakeContext, input } from './support.ts'

const properties = (...words: readonly string[]): Record<string, string> =>
  producerProperties(parseOptions(consoleProducerCommand.options, words), {
    acks: '1',
    retries: '9',
  })

test('options are properties under other names, above those of words and file', () => {
  assert.deepEqual(properties(), { acks: '1', retries: '9' })
  assert.deepEqual(
    properties(
      '--producer-property',
      'retries=5',
      '--request-required-acks',
      'all',
      '--timeout',
      '7',
    ),
    { acks: 'all', retries: '5', 'linger.ms': '7' },
  )
})

test('a codec that is asked for without a name is gzip', () => {
  assert.equal(properties('--compression-codec')['compression.type'], 'gzip')
  assert.equal(properties('--compression-codec', 'lz4')['compression.type'], 'lz4')
})

test('of the two sizes of a batch the larger one holds', () => {
  const words = ['--batch-size', '100', '--max-partition-memory-bytes', '200']
  assert.equal(properties(...words)['batch.size'], '200')
})

/** Keeps what it is given; fails for values that say so. */
class FakeProducer implements Pick<Producer, 'send' | 'ready' | 'flush' | 'bufferedBytes'> {
  readonly sent: ProducerRecord[] = []
  bufferedBytes = 0
  flushes = 0
  readies = 0

  send(record: ProducerRecord): Promise<RecordMetadata> {
    this.sent.push(record)
    this.bufferedBytes += record.value?.length ?? 0
    if (String(record.value) === 'fails') return Promise.reject(brokerError(10, record.topic))
    return Promise.resolve({ topic: record.topic, partition: 0, offset: 0, timestamp: 0 })
  }

  ready(): Promise<void> {
    this.readies += 1
    this.bufferedBytes = 0
    return Promise.resolve()
  }

  flush(): Promise<void> {
    this.flushes += 1
    return Promise.resolve()
  }

  get values(): string[] {
    return this.sent.map(({ value }) => String(value))
  }
}

function start(stdin: Readable, settings: { isSync?: boolean; format?: Record<string, string> }) {
  const producer = new FakeProducer()
  const context = fakeContext([], stdin)
  const logger = new MemoryLogger()
  const done = sendLines(producer, lineFormat('t', settings.format ?? {}), {
    context,
    clock: new VirtualClock(),
    logger,
    isSync: settings.isSync ?? false,
    bufferBytesMax: 4,
  })
  return { producer, context, logger, done }
}

test('every line is sent, then all is flushed, and the exit code is 0', async () => {
  const { producer, context, done } = start(input(['a\nb', 'c\n', '\nd']), {})
  assert.equal(await done, 0)
  assert.deepEqual(producer.values, ['a', 'bc', '', 'd'])
  assert.equal(producer.flushes, 1)
  assert.equal(context.stdout.text, '', 'no prompt where no terminal is')
})

test('reading waits while the producer is full', async () => {
  const { producer, done } = start(input(['aaaa\nb\ncccc\n']), {})
  assert.equal(await done, 0)
  assert.equal(producer.readies, 2)
})

test('a record that fails is logged with its sizes, and the others are sent', async () => {
  const { producer, logger, done } = start(input(['a\nfails\nb\n']), {})
  assert.equal(await done, 0)
  assert.deepEqual(producer.values, ['a', 'fails', 'b'])
  assert.deepEqual(
    logger.lines.map(({ level, message }) => [level, message]),
    [['ERROR', 'Error when sending message to topic t with key: null, value: 5 bytes with error:']],
  )
  assert.match(String(logger.lines[0]?.error), /RecordTooLargeException: /)
})

test('with --sync the first failure ends it', async () => {
  const { producer, done } = start(input(['a\nfails\nb\n']), { isSync: true })
  await assert.rejects(done, (error) => error instanceof KafkaError && error.code === 10)
  assert.deepEqual(producer.values, ['a', 'fails'])
})

test('a line that cannot be read ends it with 1, after what came before was flushed', async () => {
  const { producer, context, done } = start(input(['k\tv\nnokey\n']), {
    format: { 'parse.key': 'true' },
  })
  assert.equal(await done, 1)
  assert.equal(
    context.stderr.text,
    "org.apache.kafka.common.KafkaException: No key separator found on line number 2: 'nokey'\n",
  )
  assert.deepEqual([producer.values, producer.flushes], [['v'], 1])
})

test('a signal ends it though the input is open, with the code of a signal', async () => {
  const { producer, context, done } = start(input(['a\n'], { ends: false }), {})
  context.stop('SIGINT')
  assert.equal(await done, 130)
  assert.equal(producer.flushes, 1)
})
