// kafka-producer-perf-test: sends records as fast as it can, or as told, and tells how fast that was.
import { KafkaError } from '../../client/errors.ts'
import type { Producer } from '../../client/producer/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import { DiskError, readFile } from '../../runtime/disk.ts'
import type { Random } from '../../runtime/random.ts'
import { UserError } from '../../runtime/service.ts'
import { keyValues, producerSettings } from '../client-settings.ts'
import { commonOptions } from '../common-options.ts'
import { exceptionText } from '../java-names.ts'
import { Latencies } from '../latencies.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { write } from '../output.ts'
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
  'bootstrap-server': { takes: 'host:port,…', about: 'As bootstrap.servers of --producer-props.' },
  topic: { takes: 'name', about: 'Where the records go. Required.' },
  'num-records': { takes: 'number', about: 'How many. Required.' },
  throughput: { takes: 'number', about: 'Records a second, about; -1 for no limit. Required.' },
  'record-size': { takes: 'bytes', about: 'Of random letters. This or one of the two below.' },
  'payload-file': { takes: 'file', about: 'Values are chosen at random from this text file.' },
  'payload-monotonic': { about: 'Values are 0, 1, 2 …' },
  'payload-delimiter': { takes: 'text', about: 'Between the values of the file. Default \\n.' },
  'producer-props': {
    takes: 'name=value',
    repeated: true,
    manyWords: true,
    about: 'Properties of the producer.',
  },
  'producer.config': { takes: 'file', about: 'The same from a file; the words go before it.' },
  'print-metrics': { about: 'Accepted; this client keeps no metrics of that kind.' },
  'transactional-id': { takes: 'id', about: 'Refused: records are sent without transactions.' },
  'transaction-duration-ms': { takes: 'ms', about: 'Refused, unless 0.' },
} as const satisfies OptionTable

export const producerPerfTestCommand: Command<typeof options> = {
  name: 'kafka-producer-perf-test',
  className: 'org.apache.kafka.tools.ProducerPerformance',
  about: 'Sends many records and prints rates and latencies.',
  options,
  run,
}

async function run(given: Options<typeof options>, tool: Tool): Promise<number> {
  const topic = required(given, 'topic')
  const count = Number(required(given, 'num-records'))
  const perSecond = Number(required(given, 'throughput'))
  if (!Number.isSafeInteger(count) || count < 1 || Number.isNaN(perSecond)) {
    throw new OptionError('--num-records and --throughput must be numbers')
  }
  if (given.has('transactional-id') || Number(given.text('transaction-duration-ms') ?? 0) > 0) {
    throw new UserError('transactions are not built: leave --transactional-id out')
  }
  const payloads = payloadsOf(given, tool)
  const properties = {
    ...propertiesOf(tool, given.text('producer.config')),
    ...keyValues(given.texts('producer-props')),
  }
  const { client: settings, settings: producing, warnings } = producerSettings(properties)
  const bootstrapServers = await findBrokers(tool, { brokers: given.text('bootstrap-server') })
  const clientId = 'perf-producer-client'
  const client = openClient(tool, { settings, warnings, bootstrapServers, clientId })
  try {
    await client.connect()
    const order = { topic, count, perSecond, payloads }
    return await sendMany(client.producer(producing), order, tool)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    tool.context.stderr.write(`${exceptionText(error)}\n`)
    return 1
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

function required(
  given: Options<typeof options>,
  name: 'topic' | 'num-records' | 'throughput',
): string {
  const value = given.text(name)
  if (value !== undefined) return value
  throw new OptionError(`producer-performance: error: argument --${name} is required`)
}

/** Gives the value of record `number`. */
export type Payloads = (number: number) => Buffer

function payloadsOf(given: Options<typeof options>, tool: Tool): Payloads {
  const size = given.integer('record-size')
  const path = given.text('payload-file')
  const kinds = [size !== undefined, path !== undefined, given.has('payload-monotonic')]
  if (kinds.filter(Boolean).length !== 1) {
    throw new OptionError(
      'producer-performance: error: one of the arguments --record-size --payload-file --payload-monotonic is required',
    )
  }
  const { random } = tool.ports
  if (size !== undefined) {
    if (size < 1) throw new OptionError('--record-size should be greater than zero')
    return randomLetters(size, random)
  }
  if (path === undefined) return (number) => Buffer.from(String(number))
  const delimiter = (given.text('payload-delimiter') ?? '\n').replaceAll('\\n', '\n')
  const lines = textOf(tool, path)
    .split(delimiter)
    .map((line) => Buffer.from(line))
  if (lines.at(-1)?.length === 0) lines.pop()
  if (lines.length === 0) throw new UserError(`File is empty: ${path}`)
  return () => lines[random.below(lines.length)] ?? Buffer.alloc(0)
}

const lettersBytes = 64 * 1024

/** Windows onto one run of random letters, so that no record costs more than its sending. */
export function randomLetters(size: number, random: Random): Payloads {
  const letters = Buffer.allocUnsafe(lettersBytes + size)
  for (let index = 0; index < letters.length; index++) letters[index] = 65 + random.below(26)
  return () => {
    const start = random.below(lettersBytes)
    return letters.subarray(start, start + size)
  }
}

function textOf(tool: Tool, path: string): string {
  try {
    return readFile(tool.ports.disk, path).toString('utf8')
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(`File does not exist or empty file provided: ${path}`)
  }
}

export interface SendOrder {
  readonly topic: string
  readonly count: number
  readonly perSecond: number
  readonly payloads: Payloads
}

const reportIntervalMs = 5000

/** Resolves to the exit code. Records that failed are named on standard error. */
export async function sendMany(
  producer: Pick<Producer, 'sendWithCallback' | 'ready' | 'flush'>,
  { topic, count, perSecond, payloads }: SendOrder,
  {
    context,
    ports: { clock },
  }: { readonly context: Tool['context']; readonly ports: { readonly clock: Clock } },
): Promise<number> {
  const { stdout, stderr, stopRequested } = context
  let stopReason: string | undefined
  void stopRequested.then((reason) => {
    stopReason = reason
  })
  const startMs = clock.monotonicMs()
  const latencies = new Latencies(count, startMs)
  const throttle = new Throttle(clock, perSecond)
  let reportedMs = startMs
  const sendAll = async (): Promise<void> => {
    for (let number = 0; number < count && stopReason === undefined; number++) {
      const wait = throttle.due(number)
      if (wait !== undefined) await wait
      await producer.ready()
      const value = payloads(number)
      const sentMs = clock.monotonicMs()
      producer.sendWithCallback({ topic, value }, (error) => {
        if (error === undefined) latencies.add(clock.monotonicMs() - sentMs, value.length)
        else stderr.write(`${exceptionText(error)}\n`)
      })
      if (sentMs - reportedMs < reportIntervalMs) continue
      reportedMs = sentMs
      await write(stdout, `${latencies.windowLine(sentMs)}\n`)
    }
  }
  await Promise.race([sendAll(), stopRequested])
  await Promise.race([producer.flush(), stopRequested])
  await write(stdout, `${latencies.totalLine(clock.monotonicMs())}\n`)
  return stopReason === undefined ? 0 : stoppedCode(stopReason)
}
