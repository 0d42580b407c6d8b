// The tools that measure and those that systems are verified with: figures, lines, ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumedRecord } from '../../src/client/consumer/types.ts'
import type { DeliveryCallback, ProducerRecord } from '../../src/client/producer/types.ts'
import { brokerError } from '../../src/client/errors.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { readMany } from '../../src/tools/commands/consumer-perf-test.ts'
import { randomLetters, sendMany } from '../../src/tools/commands/producer-perf-test.ts'
import { readNumbers } from '../../src/tools/commands/verifiable-consumer.ts'
import { sendNumbers } from '../../src/tools/commands/verifiable-producer.ts'
import { consumeProgress, consumeTotal, oldConsumeTotal } from '../../src/tools/consume-figures.ts'
import { formatDate } from '../../src/tools/java-dates.ts'
import { Latencies } from '../../src/tools/latencies.ts'
import { fakeContext } from './support.ts'

test('latencies are told in the lines of the original', () => {
  const latencies = new Latencies(4, 0)
  for (const latencyMs of [10, 20, 30, 40]) latencies.add(latencyMs, 1024 * 1024)
  assert.equal(
    latencies.windowLine(2000),
    '4 records sent, 2.0 records/sec (2.00 MB/sec), 25.0 ms avg latency, 40.0 ms max latency.',
  )
  assert.equal(
    latencies.totalLine(4000),
    '4 records sent, 1.000000 records/sec (1.00 MB/sec), 25.00 ms avg latency, 40.00 ms max latency, 30 ms 50th, 40 ms 95th, 40 ms 99th, 40 ms 99.9th.',
  )
})

const pattern = 'mm:ss:SSS'
const reading = { startMs: 0, endMs: 2000, bytes: 2 * 1024 * 1024, records: 100, rebalanceMs: 500 }

test('reading is told in the columns of the original', () => {
  assert.equal(
    consumeTotal(reading, pattern),
    '00:00:000, 00:02:000, 2.0000, 1.0000, 100, 50.0000, 500, 1500, 1.3333, 66.6667',
  )
  assert.equal(
    oldConsumeTotal(reading, pattern),
    '00:00:000, 00:02:000, 2.0000, 1.0000, 100, 50.0000',
  )
  const told = { ...reading, endMs: 1000, bytes: 1024 * 1024, records: 50 }
  assert.equal(
    consumeProgress(reading, told, pattern),
    '00:02:000, 0, 2.0000, 1.0000, 100, 50.0000, 0, 1000, 1.0000, 50.0000',
  )
})

test('dates follow Java’s patterns, quoted text stands as it is', () => {
  const time = new Date(2026, 10, 3, 4, 5, 6, 7).getTime()
  assert.equal(formatDate("yyyy-MM-dd 'at' HH:mm:ss:SSS", time), '2026-11-03 at 04:05:06:007')
  assert.throws(() => formatDate('QQ', time), RangeError)
})

/** Acknowledges in the next turn, as far as it is not told to fail. */
class FakeProducer {
  readonly sent: ProducerRecord[] = []
  readonly #clock: VirtualClock
  readonly #fails: ReadonlySet<number>

  constructor(clock: VirtualClock, fails: readonly number[] = []) {
    this.#clock = clock
    this.#fails = new Set(fails)
  }

  sendWithCallback(record: ProducerRecord, onDelivery: DeliveryCallback): void {
    const offset = this.sent.push(record) - 1
    const { topic } = record
    this.#clock.schedule(5, () => {
      if (this.#fails.has(offset)) onDelivery(brokerError(7, topic), undefined)
      else onDelivery(undefined, { topic, partition: 0, offset, timestamp: 0 })
    })
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  flush(): Promise<void> {
    return new Promise((resolve) => void this.#clock.schedule(5, resolve))
  }
}

test('as many records are sent as asked, at about the rate asked', async () => {
  const clock = new VirtualClock()
  const producer = new FakeProducer(clock)
  const context = fakeContext()
  const payloads = randomLetters(100, new SeededRandom(1))
  const order = { topic: 't', count: 50, perSecond: 10, payloads }
  const done = sendMany(producer, order, { context, ports: { clock } })
  assert.equal(await clock.until(done), 0)
  assert.equal(producer.sent.length, 50)
  assert.equal(
    producer.sent.every(({ value }) => /^[A-Z]{100}$/.test(String(value))),
    true,
  )
  assert.match(
    context.stdout.text,
    /^50 records sent, 1\d\.\d{6} records\/sec .* 5 ms 99\.9th\.\n$/,
  )
  assert.equal(Math.round(clock.monotonicMs() / 1000), 5)
})

const facts = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const parsed: unknown = JSON.parse(line)
      return typeof parsed === 'object' && parsed !== null ? { ...parsed, timestamp: 0 } : parsed
    })

test('numbers are sent with prefix and keys, each with what became of it', async () => {
  const clock = new VirtualClock()
  const context = fakeContext()
  const order = { topic: 't', count: 3, perSecond: -1, createTimeMs: 1000, prefix: 7, keys: 2 }
  const producer = new FakeProducer(clock, [1])
  assert.equal(await clock.until(sendNumbers(producer, order, context, clock)), 0)
  const lines = facts(context.stdout.text)
  assert.deepEqual(lines.slice(0, 2), [
    { timestamp: 0, name: 'startup_complete' },
    {
      timestamp: 0,
      name: 'producer_send_success',
      key: '0',
      value: '7.0',
      offset: 0,
      topic: 't',
      partition: 0,
    },
  ])
  assert.match(
    JSON.stringify(lines[2]),
    /"name":"producer_send_error","topic":"t","key":"1","value":"7.1","exception":"class org.apache.kafka.common.errors.TimeoutException"/,
  )
  assert.match(JSON.stringify(lines.at(-1)), /"sent":3,"acked":2,"target_throughput":-1/)
  assert.equal(producer.sent[0]?.timestamp, 1000)
})

test('a stop ends an endless run', async () => {
  const clock = new VirtualClock()
  const context = fakeContext()
  const order = {
    topic: 't',
    count: -1,
    perSecond: 10,
    createTimeMs: -1,
    prefix: undefined,
    keys: undefined,
  }
  clock.schedule(1000, () => context.stop('SIGTERM'))
  const done = sendNumbers(new FakeProducer(clock), order, context, clock)
  assert.equal(await clock.until(done), 143)
  assert.match(context.stdout.text, /"name":"shutdown_complete"/)
})

function record(offset: number): ConsumedRecord {
  return {
    topic: 't',
    partition: 0,
    offset,
    timestamp: 0,
    timestampType: 'CreateTime',
    key: null,
    value: Buffer.from(`v${offset}`),
    headers: [],
    leaderEpoch: 0,
  }
}

/** Gives these polls, then nothing until its time is up. */
function fakeConsumer(clock: VirtualClock, polls: ConsumedRecord[][]) {
  const commits: unknown[] = []
  return {
    commits,
    subscribe: () => undefined,
    onAssigned: () => undefined,
    onRevoked: () => undefined,
    wakeup: () => undefined,
    close: () => Promise.resolve(),
    commit: (offsets: unknown) => {
      commits.push(offsets)
      return Promise.resolve()
    },
    poll: (timeoutMs: number) =>
      new Promise<readonly ConsumedRecord[]>((resolve) => {
        const records = polls.shift()
        if (records !== undefined) resolve(records)
        else clock.schedule(timeoutMs, () => resolve([]))
      }),
  }
}

test('of the last poll only what is asked for is consumed and committed', async () => {
  const clock = new VirtualClock()
  const context = fakeContext()
  const consumer = fakeConsumer(clock, [[record(0)], [record(1), record(2), record(3)]])
  const order = { topic: 't', count: 2, isVerbose: true, commits: true }
  assert.equal(await readNumbers(consumer, order, context, clock), 0)
  const partitions = [{ topic: 't', partition: 0, count: 1, minOffset: 1, maxOffset: 1 }]
  assert.deepEqual(facts(context.stdout.text).slice(-4), [
    {
      timestamp: 0,
      name: 'record_data',
      key: null,
      value: 'v1',
      topic: 't',
      partition: 0,
      offset: 1,
    },
    { timestamp: 0, name: 'records_consumed', count: 3, partitions },
    {
      timestamp: 0,
      name: 'offsets_committed',
      offsets: [{ topic: 't', partition: 0, offset: 2 }],
      success: true,
    },
    { timestamp: 0, name: 'shutdown_complete' },
  ])
  assert.equal(consumer.commits.length, 2)
})

test('reading gives up when no record came for so long, and says so', async () => {
  const clock = new VirtualClock()
  const context = fakeContext()
  const order = {
    topic: 't',
    count: 5,
    timeoutMs: 2000,
    intervalMs: 5000,
    isDetailed: false,
    hasHeader: false,
    dateFormat: 'S',
    isOldWay: false,
  }
  const done = readMany(fakeConsumer(clock, [[record(0)]]), order, context, clock)
  assert.equal(await clock.until(done), 0)
  assert.match(
    context.stdout.text,
    /^WARNING: Exiting before consuming the expected number of messages: timeout \(2000 ms\) exceeded\. .*\n.*, 1, .*\n$/,
  )
})
