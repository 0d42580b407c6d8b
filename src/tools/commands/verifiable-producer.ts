// kafka-verifiable-producer: sends numbers and says of each whether it was acknowledged, as JSON.
import { KafkaError } from '../../client/errors.ts'
import type { Producer } from '../../client/producer/types.ts'
import { delay, type Clock } from '../../runtime/clock.ts'
import type { ProcessContext } from '../../runtime/process.ts'
import { producerSettings } from '../client-settings.ts'
import { commonOptions } from '../common-options.ts'
import { exceptionName, plainText } from '../java-names.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { Throttle } from '../throttle.ts'
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
  topic: { takes: 'name', about: 'Where the numbers go. Required.' },
  'max-messages': { takes: 'number', about: 'How many; -1 (default): until it is stopped.' },
  throughput: { takes: 'number', about: 'Records a second, about; -1 (default) for no limit.' },
  acks: { takes: 'acks', about: '0, 1 or -1 (default).' },
  'producer.config': { takes: 'file', about: 'Properties of the producer.' },
  'message-create-time': { takes: 'ms', about: 'Time of the first record, since 1970.' },
  'value-prefix': { takes: 'number', about: 'Values are then PREFIX.NUMBER.' },
  'repeating-keys': { takes: 'number', about: 'Keys count from 0 to below this, over and over.' },
} as const satisfies OptionTable

export const verifiableProducerCommand: Command<typeof options> = {
  name: 'kafka-verifiable-producer',
  className: 'org.apache.kafka.tools.VerifiableProducer',
  about: 'Sends 0, 1, 2 … and prints for each what became of it.',
  options,
  run,
}

async function run(given: Options<typeof options>, tool: Tool): Promise<number> {
  const brokers = given.text('bootstrap-server') ?? given.text('broker-list')
  if (brokers === undefined) throw new OptionError('Missing required argument "[bootstrap-server]"')
  const order: NumbersOrder = {
    topic: given.required('topic'),
    count: given.integer('max-messages') ?? -1,
    perSecond: given.integer('throughput') ?? -1,
    createTimeMs: given.integer('message-create-time') ?? -1,
    prefix: given.integer('value-prefix'),
    keys: given.integer('repeating-keys'),
  }
  const properties = {
    ...propertiesOf(tool, given.text('producer.config')),
    acks: given.text('acks') ?? '-1',
    retries: '0',
  }
  const { client: settings, settings: producing, warnings } = producerSettings(properties)
  const bootstrapServers = await findBrokers(tool, { brokers })
  const clientId = 'verifiable-producer'
  const client = openClient(tool, { settings, warnings, bootstrapServers, clientId })
  try {
    return await sendNumbers(client.producer(producing), order, tool.context, tool.ports.clock)
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

export interface NumbersOrder {
  readonly topic: string
  /** Negative: without end. */
  readonly count: number
  readonly perSecond: number
  /** Negative: now. */
  readonly createTimeMs: number
  readonly prefix: number | undefined
  readonly keys: number | undefined
}

const stopLimitMs = 10_000

/** Resolves to the exit code. */
export async function sendNumbers(
  producer: Pick<Producer, 'sendWithCallback' | 'ready' | 'flush'>,
  order: NumbersOrder,
  { stdout, stopRequested }: ProcessContext,
  clock: Clock,
): Promise<number> {
  const say = (name: string, facts: object = {}): void => {
    stdout.write(`${JSON.stringify({ timestamp: clock.now(), name, ...facts })}\n`)
  }
  let stopReason: string | undefined
  void stopRequested.then((reason) => {
    stopReason = reason
  })
  say('startup_complete')
  const startMs = clock.monotonicMs()
  const throttle = new Throttle(clock, order.perSecond)
  const { topic, prefix, keys, createTimeMs } = order
  let sent = 0
  let acked = 0
  const isDone = (): boolean =>
    stopReason !== undefined || (order.count >= 0 && sent >= order.count)
  const sendAll = async (): Promise<void> => {
    while (!isDone()) {
      const wait = throttle.due(sent)
      if (wait !== undefined) await wait
      await producer.ready()
      if (isDone()) break
      const value = prefix === undefined ? String(sent) : `${prefix}.${sent}`
      const key = keys === undefined ? null : String(sent % keys)
      sent += 1
      const time =
        createTimeMs < 0
          ? {}
          : { timestamp: createTimeMs + Math.floor(clock.monotonicMs() - startMs) }
      const record = {
        topic,
        key: key === null ? null : Buffer.from(key),
        value: Buffer.from(value),
      }
      producer.sendWithCallback({ ...record, ...time }, (error, metadata) => {
        if (error === undefined) {
          acked += 1
          const { offset, partition } = metadata ?? {}
          say('producer_send_success', { key, value, offset, topic, partition })
        } else {
          const exception = `class ${exceptionOf(error)}`
          say('producer_send_error', { topic, key, value, exception, message: plainText(error) })
        }
      })
    }
  }
  await Promise.race([sendAll(), stopRequested])
  await Promise.race([producer.flush(), stopRequested.then(() => delay(clock, stopLimitMs))])
  const seconds = (clock.monotonicMs() - startMs) / 1000
  say('shutdown_complete')
  const rate = { target_throughput: order.perSecond, avg_throughput: acked / seconds }
  say('tool_data', { sent, acked, ...rate })
  return stopReason === undefined ? 0 : stoppedCode(stopReason)
}

function exceptionOf(error: unknown): string {
  return error instanceof KafkaError ? exceptionName(error.errorName) : String(error)
}
