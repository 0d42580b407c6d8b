// kafka-console-consumer: what it is asked to do, what it prints, when it ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumedRecord, OffsetToCommit } from '../../src/client/consumer/types.ts'
import type { TopicPartition } from '../../src/client/types.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { printRecords, type RecordSource } from '../../src/tools/commands/console-consumer.ts'
import {
  type ConsumeOrder,
  consumeOrder,
  consumerOptions,
} from '../../src/tools/consume-options.ts'
import { appendMessage, messageFormat } from '../../src/tools/message-format.ts'
import { parseOptions } from '../../src/tools/options.ts'
import { fakeAdmin, fakeContext } from './support.ts'

const order = (words: readonly string[], file: Record<string, string> = {}): ConsumeOrder =>
  consumeOrder(parseOptions(consumerOptions, words), {
    consumer: file,
    formatter: {},
    groupId: 'console-consumer-7',
  })

test('without a group an unnamed one reads from the end and commits nothing', () => {
  const { source, consumer, messagesMax, timeoutMs, isGroupNamed } = order(['--topic', 't'])
  assert.deepEqual(source, { kind: 'topic', topic: 't' })
  assert.deepEqual(consumer, {
    'group.id': 'console-consumer-7',
    'enable.auto.commit': 'false',
    'isolation.level': 'read_uncommitted',
    'auto.offset.reset': 'latest',
  })
  assert.deepEqual([messagesMax, timeoutMs, isGroupNamed], [Infinity, Infinity, false])
})

test('a named group commits, wherever its name is given', () => {
  for (const [words, file] of [
    [['--group', 'g'], {}],
    [['--consumer-property', 'group.id=g'], {}],
    [[], { 'group.id': 'g' }],
  ] as const) {
    const { consumer, isGroupNamed } = order(['--topic', 't', '--from-beginning', ...words], file)
    assert.equal(consumer['group.id'], 'g')
    assert.equal(consumer['enable.auto.commit'], 'true')
    assert.equal(consumer['auto.offset.reset'], 'earliest')
    assert.equal(isGroupNamed, true)
  }
})

test('a partition begins where the offset says, else as --from-beginning says', () => {
  const start = (...words: readonly string[]): unknown => {
    const { source } = order(['--topic', 't', '--partition', '3', ...words])
    assert.equal(source.kind, 'partition')
    return source.kind === 'partition' ? source.start : undefined
  }
  assert.equal(start(), 'latest')
  assert.equal(start('--from-beginning'), 'earliest')
  assert.equal(start('--offset', 'EARLIEST'), 'earliest')
  assert.equal(start('--offset', '17'), 17)
})

const refusals: readonly (readonly [readonly string[], string])[] = [
  [[], 'Exactly one of --include/--topic is required.'],
  [['--topic', 't', '--include', 'x'], 'Exactly one of --include/--topic is required.'],
  [['--topic', 't', '--offset', '3'], 'The partition is required when offset is specified.'],
  [['--include', 't', '--partition', '3'], 'The topic is required when partition is specified.'],
  [
    ['--topic', 't', '--partition', '0', '--offset', '-5'],
    "The provided offset value '-5' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.",
  ],
  [
    ['--topic', 't', '--partition', '0', '--offset', '1', '--from-beginning'],
    'Options from-beginning and offset cannot be specified together.',
  ],
  [
    ['--topic', 't', '--group', 'b', '--consumer-property', 'group.id=a'],
    "The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') do not match. Detected group ids: 'b', 'a'",
  ],
  [
    ['--topic', 't', '--from-beginning', '--consumer-property', 'auto.offset.reset=latest'],
    "Can't simultaneously specify --from-beginning and 'auto.offset.reset=latest', please remove one option",
  ],
]

for (const [words, message] of refusals) {
  test(`refused: ${words.join(' ')}`, () => {
    assert.throws(() => order(words), { name: 'OptionError', message })
  })
}

function record(
  offset: number,
  value: string | Buffer | null,
  more: Partial<ConsumedRecord> = {},
): ConsumedRecord {
  return {
    topic: 't',
    partition: 0,
    offset,
    timestamp: 1795404178002,
    timestampType: 'CreateTime',
    key: null,
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers: [],
    leaderEpoch: 0,
    ...more,
  }
}

function printed(one: ConsumedRecord, properties: Record<string, string>): string {
  const parts: Buffer[] = []
  appendMessage(parts, one, messageFormat(properties))
  return Buffer.concat(parts).toString('latin1')
}

const everything = {
  'print.timestamp': 'true',
  'print.partition': 'true',
  'print.offset': 'true',
  'print.headers': 'true',
  'print.key': 'true',
}

test('parts are printed in the order of the original', () => {
  assert.equal(
    printed(record(3, 'v'), everything),
    'CreateTime:1795404178002\tPartition:0\tOffset:3\tNO_HEADERS\tnull\tv\n',
  )
  const headers = [
    { key: 'h1', value: Buffer.from('x') },
    { key: 'h2', value: null },
  ]
  assert.equal(
    printed(record(3, null, { key: Buffer.from('k'), headers, timestamp: -1 }), everything),
    'NO_TIMESTAMP\tPartition:0\tOffset:3\th1:x,h2:null\tk\tnull\n',
  )
})

test('separators and the text for null are properties; nothing is printed behind the last part', () => {
  const properties = {
    'print.key': 'true',
    'print.value': 'false',
    'key.separator': '|',
    'line.separator': '\r\n',
    'null.literal': '-',
  }
  assert.equal(printed(record(0, 'v'), properties), '-\r\n')
  assert.equal(printed(record(0, 'v'), { ...properties, 'print.value': 'true' }), '-|v\r\n')
})

test('bytes are printed as they are, unless a deserializer reads a number', () => {
  assert.equal(printed(record(0, Buffer.from([0xff, 0x00])), {}), '\xff\x00\n')
  const long = { 'value.deserializer': 'org.apache.kafka.common.serialization.LongDeserializer' }
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(-(2n ** 60n))
  assert.equal(printed(record(0, bytes), long), '-1152921504606846976\n')
  assert.throws(() => printed(record(0, 'abc'), long), { name: 'RangeError' })
  assert.throws(() => messageFormat({ 'key.deserializer': 'a.b.C' }), /a\.b\.C is not a known/)
})

/** Gives the polls of a test, then waits on the clock as a real one would. */
class FakeConsumer {
  readonly calls: string[] = []
  readonly committed: OffsetToCommit[] = []
  readonly #polls: ConsumedRecord[][]
  readonly #clock: VirtualClock
  #wake: () => void = () => undefined
  idle: () => void = () => undefined

  constructor(polls: ConsumedRecord[][], clock: VirtualClock) {
    this.#polls = polls
    this.#clock = clock
  }

  poll(timeoutMs: number): Promise<readonly ConsumedRecord[]> {
    const records = this.#polls.shift()
    if (records !== undefined) return Promise.resolve(records)
    return new Promise((resolve) => {
      this.#wake = () => resolve([])
      this.#clock.schedule(timeoutMs, () => resolve([]))
      this.idle()
    })
  }

  asSource(): RecordSource {
    const partitions: readonly TopicPartition[] = [{ topic: 't', partition: 0 }]
    return {
      subscribe: (topics) => void this.calls.push(`subscribe ${JSON.stringify(topics)}`),
      assign: ([one]) => void this.calls.push(`assign ${one?.topic}-${one?.partition}`),
      assignment: () => partitions,
      poll: (timeoutMs) => this.poll(timeoutMs),
      wakeup: () => this.#wake(),
      seek: (_topic, _partition, offset) => void this.calls.push(`seek ${offset}`),
      seekToBeginning: () => void this.calls.push('beginning'),
      seekToEnd: () => void this.calls.push('end'),
      commit: (offsets) => {
        this.committed.push(...(offsets ?? []))
        return Promise.resolve()
      },
    }
  }
}

function start(words: readonly string[], polls: ConsumedRecord[][]) {
  const clock = new VirtualClock()
  const consumer = new FakeConsumer(polls, clock)
  const context = fakeContext()
  const logger = new MemoryLogger()
  const admin = fakeAdmin({ listTopics: () => Promise.resolve(['a', 'one', 'two']) })
  const ports = { context, clock, logger, admin, topicsMaxAgeMs: 300_000 }
  const done = printRecords(consumer.asSource(), order(words), ports)
  return { clock, consumer, context, logger, done }
}

test('it ends after --max-messages, and commits no more than was printed', async () => {
  const polls = [
    [record(0, 'a'), record(1, 'b')],
    [record(2, 'c'), record(3, 'd')],
  ]
  const words = ['--topic', 't', '--group', 'g', '--max-messages', '3']
  const { consumer, context, done } = start(words, polls)
  await done
  // Back to the record that was polled and not printed, so that closing does not commit it.
  assert.deepEqual([...new Set(consumer.calls)], ['subscribe ["t"]', 'seek 3'])
  assert.equal(context.stdout.text, 'a\nb\nc\n')
  assert.equal(context.stderr.text, 'Processed a total of 3 messages\n')
  assert.deepEqual(
    consumer.committed.map(({ partition, offset }) => [partition, offset]),
    [[0, 3]],
  )
})

test('an unnamed group, and one that asks not to, commits nothing', async () => {
  for (const words of [[], ['--group', 'g', '--consumer-property', 'enable.auto.commit=false']]) {
    const all = ['--topic', 't', '--max-messages', '1', ...words]
    const { consumer, done } = start(all, [[record(0, 'a')]])
    await done
    assert.deepEqual(consumer.committed, [])
  }
})

test('it ends when no record came for --timeout-ms, with the error of the original', async () => {
  const words = ['--topic', 't', '--timeout-ms', '1500']
  const { clock, context, logger, done } = start(words, [[record(0, 'a')]])
  await clock.until(done)
  assert.equal(clock.monotonicMs(), 1500)
  assert.equal(context.stderr.text, 'Processed a total of 1 messages\n')
  const [line] = logger.lines
  assert.equal(line?.message, 'Error processing message, terminating consumer process: ')
  assert.match(String(line?.error), /org\.apache\.kafka\.common\.errors\.TimeoutException/)
})

test('a stop request ends a waiting poll', async () => {
  const { consumer, context, done } = start(['--topic', 't'], [[record(0, 'a')]])
  await new Promise<void>((resolve) => {
    consumer.idle = resolve
  })
  context.stop('SIGINT')
  await done
  assert.equal(context.stdout.text, 'a\n')
  assert.equal(context.stderr.text, 'Processed a total of 1 messages\n')
})

test('a partition is assigned and sought, topics that match are subscribed', async () => {
  const one = start(
    ['--topic', 't', '--partition', '0', '--offset', '8', '--max-messages', '1'],
    [[record(8, 'x')]],
  )
  await one.done
  assert.deepEqual(one.consumer.calls, ['assign t-0', 'seek 8'])
  const many = start(['--include', 'one,t.*', '--max-messages', '1'], [[record(8, 'x')]])
  await many.done
  assert.deepEqual(many.consumer.calls, ['subscribe ["one","two"]'])
})

const integers = ['--value-deserializer', 'IntegerDeserializer', '--max-messages', '2']

test('a record that cannot be printed ends it, after those before it', async () => {
  const polls = [[record(0, Buffer.from([0, 0, 1, 0])), record(1, 'abc')]]
  const { context, done } = start(['--topic', 't', ...integers], polls)
  await assert.rejects(done, { name: 'RangeError' })
  assert.equal(context.stdout.text, '256\n')
  assert.equal(context.stderr.text, 'Processed a total of 1 messages\n')
})

test('with --skip-message-on-error it goes on after such a record', async () => {
  const polls = [[record(0, 'abc'), record(1, Buffer.from([0, 0, 1, 0]))]]
  const words = ['--topic', 't', '--skip-message-on-error', ...integers]
  const { context, logger, done } = start(words, polls)
  await done
  assert.equal(context.stdout.text, '256\n')
  assert.equal(logger.lines.length, 1)
})

test('the formatter that prints nothing counts records all the same', async () => {
  const words = ['--topic', 't', '--formatter', 'kafka.tools.NoOpMessageFormatter']
  const { context, done } = start([...words, '--max-messages', '1'], [[record(0, 'a')]])
  await done
  assert.equal(context.stdout.text, '')
  assert.equal(context.stderr.text, 'Processed a total of 1 messages\n')
  assert.throws(() => order(['--topic', 't', '--formatter', 'nope.Formatter']), /nope\.Formatter/)
})
