// kafka-verifiable-consumer: reads a topic and tells all that happens to it, as JSON.
import type { ConsumedRecord, Consumer, OffsetToCommit } from '../../client/consumer/types.ts'
import { KafkaError } from '../../client/errors.ts'
import type { TopicPartition } from '../../client/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { ProcessContext } from '../../runtime/process.ts'
import { consumerSettings } from '../client-settings.ts'
import { commonOptions } from '../common-options.ts'
import { exceptionText } from '../java-names.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { partitionKey } from '../partitions.ts'
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
  'bootstrap-server': { takes: 'host:port,…', about: 'Brokers to ask; one that answers will do.' },
  'broker-list': { takes: 'host:port,…', about: 'Deprecated: the same.' },
  topic: { takes: 'name', about: 'The topic to read. Required.' },
  'group-id': { takes: 'id', about: 'The group. Required.' },
  'group-instance-id': { takes: 'id', about: 'Makes this a static member.' },
  'group-protocol': { takes: 'protocol', about: 'Only classic is built.' },
  'group-remote-assignor': { takes: 'name', about: 'Accepted; of the other protocol.' },
  'max-messages': { takes: 'number', about: 'How many; -1 (default): until it is stopped.' },
  'session-timeout': { takes: 'ms', about: 'Default 30000.' },
  verbose: { about: 'Also prints each record.' },
  'enable-autocommit': { about: 'Commits now and then instead of after each poll.' },
  'reset-policy': { takes: 'policy', about: 'earliest (default), latest or none.' },
  'assignment-strategy': { takes: 'class', about: 'Java class of an assignor. Default range.' },
  'consumer.config': { takes: 'file', about: 'Properties of the consumer.' },
} as const satisfies OptionTable

export const verifiableConsumerCommand: Command<typeof options> = {
  name: 'kafka-verifiable-consumer',
  className: 'org.apache.kafka.tools.VerifiableConsumer',
  about: 'Reads a topic and prints what is assigned, read and committed.',
  options,
  run,
}

const assignors = {
  RangeAssignor: 'range',
  RoundRobinAssignor: 'roundrobin',
  StickyAssignor: 'sticky',
  CooperativeStickyAssignor: 'cooperative-sticky',
} as const

async function run(given: Options<typeof options>, tool: Tool): Promise<number> {
  const brokers = given.text('bootstrap-server') ?? given.text('broker-list')
  if (brokers === undefined) throw new OptionError('Missing required argument "[bootstrap-server]"')
  const protocol = given.text('group-protocol') ?? 'classic'
  if (protocol.toLowerCase() !== 'classic') {
    throw new OptionError('--group-protocol: only classic is built')
  }
  const properties: Record<string, string> = {
    ...propertiesOf(tool, given.text('consumer.config')),
    'group.id': given.required('group-id'),
    'enable.auto.commit': String(given.has('enable-autocommit')),
    'auto.offset.reset': given.text('reset-policy') ?? 'earliest',
    'session.timeout.ms': given.text('session-timeout') ?? '30000',
  }
  const instance = given.text('group-instance-id')
  if (instance !== undefined) properties['group.instance.id'] = instance
  const { client: settings, settings: reading, warnings } = consumerSettings(properties)
  const assignor = assignorOf(given.text('assignment-strategy'))
  const order = {
    topic: given.required('topic'),
    count: given.integer('max-messages') ?? -1,
    isVerbose: given.has('verbose'),
    commits: !given.has('enable-autocommit'),
  }
  const bootstrapServers = await findBrokers(tool, { brokers })
  const clientId = 'verifiable-consumer'
  const client = openClient(tool, { settings, warnings, bootstrapServers, clientId })
  try {
    const consumer = client.consumer({ ...reading, assignors: [assignor] })
    return await readNumbers(consumer, order, tool.context, tool.ports.clock)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    tool.context.stderr.write(`${exceptionText(error)}\n`)
    return 1
  } finally {
    await client.close()
  }
}

function assignorOf(className: string | undefined): (typeof assignors)[keyof typeof assignors] {
  const simple = (className ?? 'RangeAssignor').replace(/^.*\./, '')
  const found = Object.entries(assignors).find(([name]) => name === simple)
  if (found !== undefined) return found[1]
  const names = Object.keys(assignors).join(', ')
  throw new OptionError(`--assignment-strategy: ${className} is not known: there are ${names}`)
}

export interface ConsumeNumbersOrder {
  readonly topic: string
  /** Negative: without end. */
  readonly count: number
  readonly isVerbose: boolean
  /** After each poll. */
  readonly commits: boolean
}

const pollMs = 1000

type Say = (name: string, facts?: object) => void

/** Resolves to the exit code. @throws KafkaError */
export async function readNumbers(
  consumer: Pick<
    Consumer,
    'subscribe' | 'poll' | 'wakeup' | 'commit' | 'close' | 'onAssigned' | 'onRevoked'
  >,
  order: ConsumeNumbersOrder,
  { stdout, stopRequested }: ProcessContext,
  clock: Clock,
): Promise<number> {
  const say: Say = (name, facts = {}) => {
    stdout.write(`${JSON.stringify({ timestamp: clock.now(), name, ...facts })}\n`)
  }
  let stopReason: string | undefined
  void stopRequested.then((reason) => {
    stopReason = reason
    consumer.wakeup()
  })
  say('startup_complete')
  consumer.onAssigned((partitions) => say('partitions_assigned', { partitions: plain(partitions) }))
  consumer.onRevoked((partitions) => say('partitions_revoked', { partitions: plain(partitions) }))
  consumer.subscribe([order.topic])
  let consumed = 0
  while (stopReason === undefined && (order.count < 0 || consumed < order.count)) {
    const polled = await consumer.poll(pollMs)
    const left = order.count < 0 ? polled.length : order.count - consumed
    const records = polled.slice(0, left)
    consumed += records.length
    if (order.isVerbose) for (const record of records) say('record_data', recordFacts(record))
    const runs = runsOf(records)
    if (polled.length > 0) {
      // The original counts all that the poll gave here.
      say('records_consumed', { count: polled.length, partitions: runs })
    }
    if (order.commits && runs.length > 0) await commit(consumer, runs, say)
  }
  await consumer.close()
  say('shutdown_complete')
  return stopReason === undefined ? 0 : stoppedCode(stopReason)
}

function plain(partitions: readonly TopicPartition[]): TopicPartition[] {
  return partitions.map(({ topic, partition }) => ({ topic, partition }))
}

function recordFacts({ key, value, topic, partition, offset }: ConsumedRecord): object {
  const text = (bytes: Buffer | null): string | null => bytes?.toString('utf8') ?? null
  return { key: text(key), value: text(value), topic, partition, offset }
}

interface Run extends TopicPartition {
  readonly count: number
  readonly minOffset: number
  readonly maxOffset: number
}

function runsOf(records: readonly ConsumedRecord[]): Run[] {
  return [...Map.groupBy(records, partitionKey).values()].flatMap((mine) => {
    const [first] = mine
    const last = mine.at(-1)
    if (first === undefined || last === undefined) return []
    const { topic, partition } = first
    return { topic, partition, count: mine.length, minOffset: first.offset, maxOffset: last.offset }
  })
}

async function commit(
  consumer: Pick<Consumer, 'commit'>,
  runs: readonly Run[],
  say: Say,
): Promise<void> {
  const offsets: OffsetToCommit[] = runs.map(({ topic, partition, maxOffset }) => {
    return { topic, partition, offset: maxOffset + 1 }
  })
  try {
    await consumer.commit(offsets)
    say('offsets_committed', { offsets, success: true })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    say('offsets_committed', { offsets, success: false, error: exceptionText(error) })
  }
}
