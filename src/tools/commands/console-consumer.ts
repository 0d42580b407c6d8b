// kafka-console-consumer: prints the records of topics.
import type { Admin } from '../../client/admin/types.ts'
import type {
  ConsumedRecord,
  Consumer,
  ConsumerSettings,
  OffsetToCommit,
} from '../../client/consumer/types.ts'
import { KafkaError } from '../../client/errors.ts'
import type { TopicPartitionOffset } from '../../client/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { ProcessContext } from '../../runtime/process.ts'
import { UserError } from '../../runtime/service.ts'
import { consumerSettings, type ReadSettings } from '../client-settings.ts'
import {
  type ConsumeOrder,
  consumeOrder,
  consumerOptions,
  type Source,
} from '../consume-options.ts'
import type { ConsumerOptions } from '../consume-options.ts'
import { configException, exceptionName, exceptionText, javaError } from '../java-names.ts'
import { appendMessage, messageFormat } from '../message-format.ts'
import { OptionError } from '../options.ts'
import { write } from '../output.ts'
import { partitionKey } from '../partitions.ts'
import { type Command, findBrokers, openClient, propertiesOf, type Tool } from '../tool.ts'
import { topicFilter } from '../topic-filter.ts'

export const consoleConsumerCommand: Command<typeof consumerOptions> = {
  name: 'kafka-console-consumer',
  className: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  about: 'Prints the records of topics as they come.',
  options: consumerOptions,
  run,
}

/** The range of the numbers in the names of unnamed groups. */
const groupNumbers = 100_000

async function run(given: ConsumerOptions, tool: Tool): Promise<number> {
  if (!given.has('bootstrap-server') && !given.has('zookeeper')) {
    throw new OptionError('Missing required argument "[bootstrap-server]"')
  }
  const order = consumeOrder(given, {
    consumer: propertiesOf(tool, given.text('consumer.config')),
    formatter: propertiesOf(tool, given.text('formatter-config')),
    groupId: `console-consumer-${tool.ports.random.below(groupNumbers)}`,
  })
  let read: ReadSettings<ConsumerSettings>
  try {
    read = consumerSettings(order.consumer)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return fail(tool, `${configException}: ${error.message}`)
  }
  const bootstrapServers = await findBrokers(tool, {
    brokers: given.text('bootstrap-server'),
    zookeeper: given.texts('zookeeper'),
  })
  const clientId = 'console-consumer'
  const client = openClient(tool, {
    settings: read.client,
    warnings: read.warnings,
    bootstrapServers,
    clientId,
  })
  try {
    const consumer = client.consumer(read.settings)
    await printRecords(consumer, order, {
      context: tool.context,
      clock: tool.ports.clock,
      logger: tool.logger,
      admin: client.admin(),
      topicsMaxAgeMs: read.client.metadataMaxAgeMs ?? topicsMaxAgeMsDefault,
    })
    return 0
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return fail(tool, error)
  } finally {
    await client.close()
  }
}

function fail({ logger }: Tool, error: unknown): number {
  logger.error('Unknown error when running consumer: ', javaError(error))
  return 1
}

const topicsMaxAgeMsDefault = 300_000
/** While no topic matches yet, and as long as nobody says how long to wait for a record. */
const idlePollMs = 1000

export interface PrintPorts {
  readonly context: ProcessContext
  readonly clock: Clock
  readonly logger: Logger
  readonly admin: Pick<Admin, 'listTopics'>
  /** How often topics are matched again. */
  readonly topicsMaxAgeMs: number
}

/** What printing needs of a consumer. */
export type RecordSource = Pick<
  Consumer,
  | 'subscribe'
  | 'assign'
  | 'assignment'
  | 'poll'
  | 'wakeup'
  | 'seek'
  | 'seekToBeginning'
  | 'seekToEnd'
  | 'commit'
>

/**
 * Prints until the order is fulfilled, time is up or a stop is asked for; says how many records there
 * were; commits what was printed, where a group is named.
 * @throws KafkaError
 */
export async function printRecords(
  consumer: RecordSource,
  order: ConsumeOrder,
  ports: PrintPorts,
): Promise<void> {
  const { context } = ports
  let isStopped = false
  void context.stopRequested.then(() => {
    isStopped = true
    consumer.wakeup()
  })
  const topics = new TopicChoice(consumer, order, ports)
  const printer = new Printer(order, ports)
  try {
    while (!isStopped && printer.count < order.messagesMax) {
      await topics.renew()
      const records = await consumer.poll(Math.min(order.timeoutMs, topics.waitMs()))
      if (isStopped && records.length === 0) break
      if (records.length === 0 && topics.isTimeUp()) {
        const text = 'Error processing message, terminating consumer process: '
        ports.logger.error(text, javaError(exceptionName('REQUEST_TIMEOUT')))
        break
      }
      if (records.length > 0) topics.sawRecords()
      if (!(await printer.print(records))) break
    }
    rewind(consumer, printer)
    await commitPrinted(consumer, order, printer, ports)
  } finally {
    rewind(consumer, printer)
    context.stderr.write(`Processed a total of ${printer.count} messages\n`)
  }
}

/** Polls give more than is printed: the rest must not count as read when the consumer closes. */
function rewind(consumer: RecordSource, printer: Printer): void {
  const own = new Set(consumer.assignment().map(partitionKey))
  for (const { topic, partition, offset } of printer.unprinted()) {
    if (own.has(partitionKey({ topic, partition }))) consumer.seek(topic, partition, offset)
  }
}

async function commitPrinted(
  consumer: RecordSource,
  order: ConsumeOrder,
  printer: Printer,
  { logger }: PrintPorts,
): Promise<void> {
  if (!order.isGroupNamed || order.consumer['enable.auto.commit'] !== 'true') return
  const own = new Set(consumer.assignment().map(partitionKey))
  const offsets = printer.offsets().filter((one) => own.has(partitionKey(one)))
  if (offsets.length === 0) return
  try {
    await consumer.commit(offsets)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    logger.warn(`offsets were not committed: ${exceptionText(error)}`)
  }
}

/** Which topics or partition the consumer reads; keeps the clock of --timeout-ms. */
class TopicChoice {
  readonly #consumer: RecordSource
  readonly #source: Source
  readonly #ports: PrintPorts
  readonly #timeoutMs: number
  #names = ''
  #isChosen = false
  #chosenMs = -Infinity
  #quietSinceMs: number

  constructor(consumer: RecordSource, order: ConsumeOrder, ports: PrintPorts) {
    this.#consumer = consumer
    this.#source = order.source
    this.#ports = ports
    this.#timeoutMs = order.timeoutMs
    this.#quietSinceMs = ports.clock.monotonicMs()
  }

  /** Subscribes or assigns at first, and looks for new matching topics now and then. */
  async renew(): Promise<void> {
    const source = this.#source
    const nowMs = this.#ports.clock.monotonicMs()
    if (source.kind !== 'matching') {
      if (this.#isChosen) return
      if (source.kind === 'topic') this.#consumer.subscribe([source.topic])
      else this.#assign(source)
      this.#isChosen = true
      return
    }
    if (nowMs - this.#chosenMs < (this.#names === '' ? idlePollMs : this.#ports.topicsMaxAgeMs))
      return
    const isWanted = topicFilter(source.expression)
    const names = (await this.#ports.admin.listTopics()).filter(isWanted)
    this.#chosenMs = nowMs
    if (this.#isChosen && names.join() === this.#names) return
    this.#names = names.join()
    this.#isChosen = true
    this.#consumer.subscribe(names)
  }

  /** How long the next poll may wait. */
  waitMs(): number {
    if (this.#timeoutMs === Infinity) return idlePollMs
    return Math.max(0, this.#quietSinceMs + this.#timeoutMs - this.#ports.clock.monotonicMs())
  }

  isTimeUp(): boolean {
    return this.#timeoutMs !== Infinity && this.waitMs() === 0
  }

  sawRecords(): void {
    this.#quietSinceMs = this.#ports.clock.monotonicMs()
  }

  #assign({ topic, partition, start }: Extract<Source, { kind: 'partition' }>): void {
    this.#consumer.assign([{ topic, partition }])
    if (start === 'earliest') this.#consumer.seekToBeginning()
    else if (start === 'latest') this.#consumer.seekToEnd()
    else this.#consumer.seek(topic, partition, start)
  }
}

/** Writes records and remembers how far it came. */
class Printer {
  readonly #order: ConsumeOrder
  readonly #ports: PrintPorts
  readonly #format: ReturnType<typeof messageFormat>
  readonly #next = new Map<string, OffsetToCommit>()
  readonly #left = new Map<string, TopicPartitionOffset>()
  count = 0

  constructor(order: ConsumeOrder, ports: PrintPorts) {
    this.#order = order
    this.#ports = ports
    this.#format = messageFormat(order.format)
  }

  /** Resolves when the reader took them; to false when there is no use in going on. */
  async print(records: readonly ConsumedRecord[]): Promise<boolean> {
    const { messagesMax, formatter, skipsErrors } = this.#order
    const parts: Buffer[] = []
    const taken = Math.min(records.length, messagesMax - this.count)
    let done = 0
    let failure: unknown
    for (; done < taken; done++) {
      const record = records[done]
      if (record === undefined) break
      try {
        if (formatter !== 'none') this.#append(parts, record)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        if (!skipsErrors) {
          failure = error
          break
        }
        const text = 'Error processing message, skipping this message: '
        this.#ports.logger.error(text, javaError(error))
      }
    }
    const { stdout } = this.#ports.context
    if (parts.length > 0) await write(stdout, Buffer.concat(parts))
    this.count += done
    this.#remember(records, done)
    for (const { topic, partition, offset } of records.slice(done)) {
      const key = partitionKey({ topic, partition })
      if (!this.#left.has(key)) this.#left.set(key, { topic, partition, offset })
    }
    if (failure !== undefined) throw failure
    if (!stdout.destroyed) return true
    this.#ports.context.stderr.write('Unable to write to standard out, closing consumer.\n')
    return false
  }

  /** Of the records that come next. */
  offsets(): OffsetToCommit[] {
    return [...this.#next.values()]
  }

  /** The first of each partition that was polled and not printed. */
  unprinted(): Iterable<TopicPartitionOffset> {
    return this.#left.values()
  }

  #append(parts: Buffer[], record: ConsumedRecord): void {
    appendMessage(parts, record, this.#format)
    if (this.#order.formatter !== 'logging') return
    const { timestamp, timestampType, key, value } = record
    const time = timestamp < 0 ? '' : `${timestampType}:${timestamp}, `
    this.#ports.logger.info(`${time}key:${String(key)}, value:${String(value)}`)
  }

  /** Polls give runs of records of one partition, so that only their ends need to be noted. */
  #remember(records: readonly ConsumedRecord[], count: number): void {
    for (let index = 0; index < count; index++) {
      const record = records[index]
      const after = index + 1 < count ? records[index + 1] : undefined
      if (record === undefined) return
      const { topic, partition, offset, leaderEpoch } = record
      if (after?.partition === partition && after.topic === topic) continue
      const next = { topic, partition, offset: offset + 1, leaderEpoch }
      this.#next.set(partitionKey(next), next)
    }
  }
}
