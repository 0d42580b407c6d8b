// kafka-consumer-perf-test: reads records and tells how fast that was.
import type { Consumer } from '../../client/consumer/types.ts'
import { KafkaError } from '../../client/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { ProcessContext } from '../../runtime/process.ts'
import { consumerSettings } from '../client-settings.ts'
import { commonOptions, zookeeperOption } from '../common-options.ts'
import { consumeProgress, consumeTotal, oldConsumeTotal, type Reading } from '../consume-figures.ts'
import { formatDate } from '../java-dates.ts'
import { exceptionText } from '../java-names.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { write } from '../output.ts'
import {
  type Command,
  findBrokers,
  openClient,
  propertiesOf,
  stoppedCode,
  type Tool,
} from '../tool.ts'

const options = {
  ...commonOptions,
  ...zookeeperOption,
  'bootstrap-server': { takes: 'host:port,…', about: 'Brokers to ask; one that answers will do.' },
  'broker-list': { takes: 'host:port,…', about: 'Deprecated: the same.' },
  topic: { takes: 'name', about: 'The topic to read. Required.' },
  messages: { takes: 'number', about: 'How many. Required.' },
  group: { takes: 'id', about: 'The group. Default: perf-consumer- and a number.' },
  'from-latest': { about: 'Begins at the end where nothing is committed, not at the beginning.' },
  timeout: { takes: 'ms', about: 'Longest wait for a record. Default 10000.' },
  'reporting-interval': { takes: 'ms', about: 'For --show-detailed-stats. Default 5000.' },
  'show-detailed-stats': { about: 'Prints a line for each interval instead of one at the end.' },
  'hide-header': { about: 'Leaves the line with the names of the columns out.' },
  'date-format': { takes: 'pattern', about: 'Default yyyy-MM-dd HH:mm:ss:SSS.' },
  'fetch-size': { takes: 'bytes', about: 'Of one partition in one answer. Default 1048576.' },
  'consumer.config': { takes: 'file', about: 'Properties of the consumer.' },
  'print-metrics': { about: 'Accepted; this client keeps no metrics of that kind.' },
  'socket-buffer-size': { takes: 'bytes', about: 'Not acted on.' },
  threads: { takes: 'number', about: 'Deprecated and not acted on.' },
  'num-fetch-threads': { takes: 'number', about: 'Deprecated and not acted on.' },
  'new-consumer': { about: 'Accepted for older scripts; prints the columns of 0.10.1.' },
} as const satisfies OptionTable

type PerfOptions = Options<typeof options>

export const consumerPerfTestCommand: Command<typeof options> = {
  name: 'kafka-consumer-perf-test',
  className: 'org.apache.kafka.tools.ConsumerPerformance',
  about: 'Reads many records and prints rates.',
  options,
  run,
}

const groupNumbers = 100_000

async function run(given: PerfOptions, tool: Tool): Promise<number> {
  const order = readOrder(given)
  const brokers = given.text('bootstrap-server') ?? given.text('broker-list')
  const zookeeper = given.texts('zookeeper')
  if (brokers === undefined && zookeeper.length === 0) {
    throw new OptionError('Missing required argument "[bootstrap-server]"')
  }
  const properties: Record<string, string> = {
    'auto.offset.reset': given.has('from-latest') ? 'latest' : 'earliest',
    'max.partition.fetch.bytes': given.text('fetch-size') ?? '1048576',
    'enable.auto.commit': 'true',
    ...propertiesOf(tool, given.text('consumer.config')),
  }
  properties['group.id'] =
    given.text('group') ??
    properties['group.id'] ??
    `perf-consumer-${tool.ports.random.below(groupNumbers)}`
  const { client: settings, settings: reading, warnings } = consumerSettings(properties)
  const bootstrapServers = await findBrokers(tool, { brokers, zookeeper })
  const clientId = 'perf-consumer-client'
  const client = openClient(tool, { settings, warnings, bootstrapServers, clientId })
  try {
    return await readMany(client.consumer(reading), order, tool.context, tool.ports.clock)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    tool.context.stderr.write(`${exceptionText(error)}\n`)
    return 1
  } finally {
    await client.close()
  }
}

export interface ReadOrder {
  readonly topic: string
  readonly count: number
  readonly timeoutMs: number
  readonly intervalMs: number
  readonly isDetailed: boolean
  readonly hasHeader: boolean
  readonly dateFormat: string
  readonly isOldWay: boolean
}

/** @throws OptionError */
export function readOrder(given: PerfOptions): ReadOrder {
  const topic = given.required('topic')
  given.required('messages')
  const dateFormat = given.text('date-format') ?? 'yyyy-MM-dd HH:mm:ss:SSS'
  try {
    formatDate(dateFormat, 0)
  } catch (error) {
    if (error instanceof RangeError) throw new OptionError(error.message)
    throw error
  }
  return {
    topic,
    count: given.integer('messages') ?? 0,
    timeoutMs: given.integer('timeout') ?? 10_000,
    intervalMs: given.integer('reporting-interval') ?? 5000,
    isDetailed: given.has('show-detailed-stats'),
    hasHeader: !given.has('hide-header'),
    dateFormat,
    isOldWay: given.has('new-consumer') || given.has('zookeeper'),
  }
}

const totalHeader =
  'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec'
const detailedHeader =
  'time, threadId, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec'
const fetchHeader = ', rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec'
const pollMs = 100

/** Resolves to the exit code. @throws KafkaError */
export async function readMany(
  consumer: Pick<Consumer, 'subscribe' | 'poll' | 'onAssigned' | 'onRevoked'>,
  order: ReadOrder,
  { stdout, stopRequested }: ProcessContext,
  clock: Clock,
): Promise<number> {
  const { isDetailed, isOldWay, dateFormat } = order
  if (order.hasHeader) {
    const header = isDetailed ? detailedHeader : totalHeader
    await write(stdout, `${header}${isOldWay ? '' : fetchHeader}\n`)
  }
  let stopReason: string | undefined
  void stopRequested.then((reason) => {
    stopReason = reason
  })
  const startMs = clock.now()
  const whole: Reading = { startMs, endMs: startMs, bytes: 0, records: 0, rebalanceMs: 0 }
  let joinMs = startMs
  let told = { ...whole }
  consumer.onRevoked(() => {
    joinMs = clock.now()
  })
  consumer.onAssigned(() => {
    whole.rebalanceMs += clock.now() - joinMs
  })
  consumer.subscribe([order.topic])
  let heardMs = startMs
  while (whole.records < order.count && clock.now() - heardMs <= order.timeoutMs) {
    if (stopReason !== undefined) return stoppedCode(stopReason)
    for (const { key, value } of await consumer.poll(pollMs)) {
      heardMs = clock.now()
      whole.records += 1
      whole.bytes += (key?.length ?? 0) + (value?.length ?? 0)
      if (heardMs - told.endMs < order.intervalMs) continue
      whole.endMs = heardMs
      if (isDetailed) await write(stdout, `${consumeProgress(whole, told, dateFormat)}\n`)
      told = { ...whole }
    }
  }
  whole.endMs = clock.now()
  if (whole.records < order.count) {
    await write(
      stdout,
      `WARNING: Exiting before consuming the expected number of messages: timeout (${order.timeoutMs} ms) exceeded. You can use the --timeout option to increase the timeout.\n`,
    )
  }
  if (isDetailed) return 0
  const line = isOldWay ? oldConsumeTotal(whole, dateFormat) : consumeTotal(whole, dateFormat)
  await write(stdout, `${line}\n`)
  return 0
}
