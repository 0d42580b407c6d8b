// kafka-console-producer: sends the lines of standard input.
import { KafkaError } from '../../client/errors.ts'
import type { Producer, ProducerRecord, ProducerSettings } from '../../client/producer/types.ts'
import { type Clock, delay } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { ProcessContext } from '../../runtime/process.ts'
import { UserError } from '../../runtime/service.ts'
import {
  keyValues,
  producerSettings,
  type Properties,
  type ReadSettings,
} from '../client-settings.ts'
import { commonOptions } from '../common-options.ts'
import { configException, exceptionText, javaError } from '../java-names.ts'
import { LineError, type LineFormat, lineFormat, recordFrom } from '../line-records.ts'
import { LineSplitter } from '../lines.ts'
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
  'bootstrap-server': { takes: 'host:port,…', about: 'Brokers to ask; one that answers will do.' },
  'broker-list': { takes: 'host:port,…', about: 'Deprecated: the same.' },
  topic: { takes: 'name', about: 'Where the lines go. Required.' },
  property: {
    takes: 'name=value',
    repeated: true,
    about:
      'How a line is read: parse.key=true, key.separator (a tab), parse.headers=true,' +
      ' headers.delimiter (a tab), headers.separator (,), headers.key.separator (:), null.marker,' +
      ' ignore.error=true (a line without its parts is a value).',
  },
  'reader-config': { takes: 'file', about: 'The same, from a properties file.' },
  'line-reader': { takes: 'class', about: 'Only the reader of lines is known.' },
  'producer-property': {
    takes: 'name=value',
    repeated: true,
    about: 'A property of the producer.',
  },
  'producer.config': { takes: 'file', about: 'Properties of the producer.' },
  'compression-codec': {
    takes: 'codec',
    valueOptional: true,
    about: 'none, gzip, snappy, lz4 or zstd; gzip if no codec is named.',
  },
  sync: { about: 'Sends a line only when the one before is acknowledged.' },
  'request-required-acks': { takes: 'acks', about: '0, 1, or all (also -1), the default.' },
  'request-timeout-ms': { takes: 'ms', about: 'Until a request is given up.' },
  timeout: {
    takes: 'ms',
    about: 'How long lines wait for more, to leave together. Default 0: what was read at once.',
  },
  'batch-size': { takes: 'bytes', about: 'Of one batch for a partition. Default 16384.' },
  'max-partition-memory-bytes': { takes: 'bytes', about: 'The same; the larger one holds.' },
  'max-memory-bytes': { takes: 'bytes', about: 'Lines not acknowledged yet. Default 33554432.' },
  'message-send-max-retries': {
    takes: 'number',
    about: 'How often a batch is sent again. Default: until delivery.timeout.ms.',
  },
  'retry-backoff-ms': { takes: 'ms', about: 'Before a batch is sent again. Default 100.' },
  'metadata-expiry-ms': { takes: 'ms', about: 'After which leaders are asked for again.' },
  'max-block-ms': { takes: 'ms', about: 'Not acted on: delivery.timeout.ms limits all waiting.' },
  'socket-buffer-size': { takes: 'bytes', about: 'Not acted on.' },
  'old-producer': { about: 'Accepted for older scripts; there is one producer.' },
} as const satisfies OptionTable

type ProducerOptions = Options<typeof options>

export const consoleProducerCommand: Command<typeof options> = {
  name: 'kafka-console-producer',
  className: 'org.apache.kafka.tools.ConsoleProducer',
  about: 'Sends each line of standard input as a record.',
  options,
  run,
}

const readerClasses: ReadonlySet<string> = new Set([
  'org.apache.kafka.tools.LineMessageReader',
  'kafka.tools.ConsoleProducer$LineMessageReader',
])

async function run(given: ProducerOptions, tool: Tool): Promise<number> {
  const topic = given.required('topic')
  const brokers = given.text('bootstrap-server') ?? given.text('broker-list')
  if (brokers === undefined) throw new OptionError('Missing required option(s) [bootstrap-server]')
  const reader = given.text('line-reader')
  if (reader !== undefined && !readerClasses.has(reader)) {
    throw new OptionError(`--line-reader: there is no class ${reader}`)
  }
  const bootstrapServers = await findBrokers(tool, { brokers })
  const file = propertiesOf(tool, given.text('producer.config'))
  const read = readSettings(producerProperties(given, file))
  const readerFile = propertiesOf(tool, given.text('reader-config'))
  const { stderr } = tool.context
  let format: LineFormat
  try {
    format = lineFormat(topic, { ...readerFile, ...keyValues(given.texts('property')) })
  } catch (error) {
    return refuseLine(error, tool.context)
  }
  const client = openClient(tool, {
    settings: read.client,
    warnings: read.warnings,
    bootstrapServers,
    clientId: 'console-producer',
  })
  try {
    const producer = client.producer(read.settings)
    return await sendLines(producer, format, {
      context: tool.context,
      clock: tool.ports.clock,
      logger: tool.logger.named(callbackName),
      isSync: given.has('sync'),
      bufferBytesMax: read.settings.bufferMemoryBytes ?? bufferBytesMaxDefault,
    })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    stderr.write(`${exceptionText(error)}\n`)
    return 1
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

/** @throws UserError as the original shows it */
function readSettings(properties: Properties): ReadSettings<ProducerSettings> {
  try {
    return producerSettings(properties)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(`${configException}: ${error.message}`)
  }
}

/** Options that are properties under another name; the properties themselves go before them. */
const propertyOptions: readonly (readonly [keyof typeof options, string])[] = [
  ['request-required-acks', 'acks'],
  ['request-timeout-ms', 'request.timeout.ms'],
  ['timeout', 'linger.ms'],
  ['max-memory-bytes', 'buffer.memory'],
  ['message-send-max-retries', 'retries'],
  ['retry-backoff-ms', 'retry.backoff.ms'],
  ['metadata-expiry-ms', 'metadata.max.age.ms'],
  ['max-block-ms', 'max.block.ms'],
  ['socket-buffer-size', 'send.buffer.bytes'],
]

/** The producer's properties: the file, under --producer-property, under the options given. */
export function producerProperties(
  given: ProducerOptions,
  file: Readonly<Record<string, string>>,
): Record<string, string> {
  const properties = { ...file, ...keyValues(given.texts('producer-property')) }
  for (const [option, property] of propertyOptions) {
    const value = given.text(option)
    if (value !== undefined) properties[property] = value
  }
  if (given.has('compression-codec')) {
    const codec = given.text('compression-codec')
    properties['compression.type'] = codec === undefined || codec === '' ? 'gzip' : codec
  }
  const sizes = [given.integer('batch-size'), given.integer('max-partition-memory-bytes')]
  const known = sizes.filter((size) => size !== undefined)
  if (known.length > 0) properties['batch.size'] = String(Math.max(...known))
  return properties
}

const callbackName = 'org.apache.kafka.clients.producer.internals.ErrorLoggingCallback'
/** After a stop was asked for: until what is not acknowledged is given up. */
const stopLimitMs = 10_000
const bufferBytesMaxDefault = 32 * 1024 * 1024

export interface SendOptions {
  readonly context: ProcessContext
  readonly clock: Clock
  /** Gets a line for each record that was not delivered. */
  readonly logger: Logger
  readonly isSync: boolean
  /** Reading waits while the producer holds so much. */
  readonly bufferBytesMax: number
}

/**
 * Sends until the input ends or a stop is asked for, then flushes. Resolves to the exit code, which is
 * 0 though records failed, as the original's is.
 * @throws KafkaError of the record that failed, with isSync
 */
export async function sendLines(
  producer: Pick<Producer, 'send' | 'ready' | 'flush' | 'bufferedBytes'>,
  format: LineFormat,
  { context, clock, logger, isSync, bufferBytesMax }: SendOptions,
): Promise<number> {
  const { stdin, stdout } = context
  const splitter = new LineSplitter()
  const prompt = isTerminal(stdin) && isTerminal(stdout) ? '>' : ''
  const failed = (error: unknown, record: ProducerRecord): void => {
    logger.error(failureText(record), javaError(error))
  }
  let number = 0
  let stopReason: string | undefined
  let wake: () => void = () => undefined
  const stopped = context.stopRequested.then((reason) => {
    stopReason = reason
    wake()
    return { reason }
  })
  // A race of each record with the stop would leave something behind on its promise each time.
  const orStop = (work: Promise<unknown>): Promise<void> =>
    new Promise((resolve, reject) => {
      wake = resolve
      work.then(() => resolve(), reject)
    })
  const sendAll = async (lines: readonly Buffer[]): Promise<void> => {
    for (const line of lines) {
      number += 1
      const record = recordFrom(format, line, number)
      const sent = producer.send(record)
      if (isSync) await orStop(sent)
      else sent.catch((error: unknown) => failed(error, record))
      if (producer.bufferedBytes >= bufferBytesMax) await orStop(producer.ready())
      if (stopReason !== undefined) return
    }
  }
  const chunks: AsyncIterator<Buffer | string> = stdin[Symbol.asyncIterator]()
  try {
    for (;;) {
      if (prompt !== '') await write(stdout, prompt)
      const next = await Promise.race([chunks.next(), stopped])
      if ('reason' in next) return stoppedCode(next.reason)
      if (next.done === true) break
      const chunk = typeof next.value === 'string' ? Buffer.from(next.value) : next.value
      await sendAll(splitter.split(chunk))
    }
    await sendAll(splitter.end())
    return stopReason === undefined ? 0 : stoppedCode(stopReason)
  } catch (error) {
    return refuseLine(error, context)
  } finally {
    stdin.destroy()
    await Promise.race([producer.flush(), stopped.then(() => delay(clock, stopLimitMs))])
  }
}

/** Shows what is wrong with a line or how lines are to be read. */
function refuseLine(error: unknown, { stderr }: ProcessContext): number {
  if (!(error instanceof LineError)) throw error
  stderr.write(`org.apache.kafka.common.KafkaException: ${error.message}\n`)
  return 1
}

function failureText({ topic, key, value }: ProducerRecord): string {
  const size = (part: Buffer | null | undefined): string => {
    return part === null || part === undefined ? 'null' : `${part.length} bytes`
  }
  return `Error when sending message to topic ${topic} with key: ${size(key)}, value: ${size(value)} with error:`
}

function isTerminal(stream: object): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}
