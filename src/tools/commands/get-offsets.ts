// kafka-get-offsets: prints TOPIC:PARTITION:OFFSET.
import type { Writable } from 'node:stream'
import type { Admin, ListedOffset, PartitionTimeQuery } from '../../client/admin/types.ts'
import { KafkaError } from '../../client/errors.ts'
import { adminSettings } from '../client-settings.ts'
import { commonOptions } from '../common-options.ts'
import { exceptionText, plainText } from '../java-names.ts'
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
import { topicFilter } from '../topic-filter.ts'

const options = {
  ...commonOptions,
  'bootstrap-server': { takes: 'host:port,…', about: 'Brokers to ask; one that answers will do.' },
  'broker-list': { takes: 'host:port,…', about: 'Deprecated: the same.' },
  topic: { takes: 'expression', about: 'Topics that match; all without it.' },
  partitions: { takes: '0,1', about: 'Only these partitions.' },
  'topic-partitions': {
    takes: 'topic:0-2,…',
    about: 'Topics by expression with a partition, a range (the upper end excluded) or neither.',
  },
  time: {
    takes: 'ms',
    about:
      'Milliseconds since 1970, or latest (-1, the default), earliest (-2), max-timestamp (-3).',
  },
  'exclude-internal-topics': { about: 'Leaves out __consumer_offsets and the like.' },
  'command-config': { takes: 'file', about: 'Properties of the admin client.' },
  offsets: { takes: 'number', about: 'Accepted for older scripts; one offset is told.' },
  'max-wait-ms': { takes: 'ms', about: 'Accepted for older scripts.' },
} as const satisfies OptionTable

type OffsetOptions = Options<typeof options>

export const getOffsetsCommand: Command<typeof options> = {
  name: 'kafka-get-offsets',
  className: 'org.apache.kafka.tools.GetOffsetShell',
  about: 'Prints the offsets of partitions at a time, as TOPIC:PARTITION:OFFSET.',
  options,
  run,
}

async function run(given: OffsetOptions, tool: Tool): Promise<number> {
  const brokers = given.text('bootstrap-server') ?? given.text('broker-list')
  if (brokers === undefined) throw new OptionError('Missing required option(s) [bootstrap-server]')
  const bootstrapServers = await findBrokers(tool, { brokers })
  const properties = propertiesOf(tool, given.text('command-config'))
  const { client: settings, warnings } = adminSettings(properties)
  const clientId = 'GetOffsetShell'
  const client = openClient(tool, { settings, warnings, bootstrapServers, clientId })
  const { stopRequested, stdout, stderr } = tool.context
  try {
    const printed = printOffsets(given, client.admin(), { stdout, stderr })
    return await Promise.race([printed, stopRequested.then(stoppedCode)])
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    stderr.write(`Error occurred: ${plainText(error)}\n${exceptionText(error)}\n`)
    return 1
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

/** Resolves to the exit code. @throws KafkaError, OptionError */
export async function printOffsets(
  given: OffsetOptions,
  admin: Pick<Admin, 'describeTopics' | 'listTopics' | 'listOffsets'>,
  { stdout, stderr }: { readonly stdout: Writable; readonly stderr: Writable },
): Promise<number> {
  const at = parseTime(given.text('time') ?? 'latest')
  const isWanted = partitionFilter(given)
  const names = await admin.listTopics({ internal: !given.has('exclude-internal-topics') })
  const topics = await admin.describeTopics(names)
  const queries: PartitionTimeQuery[] = topics.flatMap(({ name, partitions }) => {
    const wanted = partitions.filter(({ partition }) => isWanted(name, partition))
    return wanted.map(({ partition }) => ({ topic: name, partition, at }))
  })
  if (queries.length === 0) {
    stderr.write(
      'Error occurred: Could not match any topic-partitions with the specified filters\n',
    )
    return 1
  }
  const answers = await admin.listOffsets(queries)
  for (const { topic, partition, error } of answers) {
    if (error === undefined) continue
    stderr.write(
      `Skip getting offsets for topic-partition ${topic}-${partition} due to error: ${plainText(error)}\n`,
    )
  }
  await write(stdout, offsetLines(answers))
  return 0
}

/** Partitions without an offset (no record at or after the time) are printed without one. */
export function offsetLines(answers: readonly ListedOffset[]): string {
  return answers
    .filter(({ error }) => error === undefined)
    .map(({ topic, partition, offset }) => `${topic}:${partition}:${offset < 0 ? '' : offset}\n`)
    .join('')
}

/** @throws OptionError */
export function parseTime(text: string): PartitionTimeQuery['at'] {
  switch (text) {
    case 'earliest':
    case '-2':
      return 'earliest'
    case 'latest':
    case '-1':
      return 'latest'
    case 'max-timestamp':
    case '-3':
      return 'maxTimestamp'
    default:
  }
  const time = /^\d+$/.test(text) ? Number(text) : NaN
  if (Number.isSafeInteger(time)) return time
  throw new OptionError(
    `Malformed time argument ${text}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp, or a timestamp in milliseconds.`,
  )
}

type PartitionFilter = (topic: string, partition: number) => boolean

/** @throws OptionError */
export function partitionFilter(given: OffsetOptions): PartitionFilter {
  const rules = given.text('topic-partitions')
  if (rules !== undefined) {
    if (given.has('topic') || given.has('partitions')) {
      throw new OptionError('--topic-partitions cannot be used with --topic or --partitions')
    }
    const filters = rules.split(',').map(ruleFilter)
    return (topic, partition) => filters.some((filter) => filter(topic, partition))
  }
  const expression = given.text('topic')
  const isTopic = expression === undefined ? () => true : topicFilter(expression)
  const list = given.text('partitions')
  if (list === undefined) return isTopic
  const partitions = new Set(list.split(',').map((one) => partitionNumber(one, list)))
  return (topic, partition) => isTopic(topic) && partitions.has(partition)
}

/** `topic`, `topic:1`, `topic:1-3`, `topic:1-`, `topic:-3`, each also without the topic. */
function ruleFilter(rule: string): PartitionFilter {
  const match = /^([^:]*)(?::(?:(\d+)|(\d*)-(\d*)))?$/.exec(rule.trim())
  if (match === null) throw new OptionError(`Invalid rule specification: ${rule}`)
  const [, expression = '', only, lower = '', upper = ''] = match
  const isTopic = expression === '' ? () => true : topicFilter(expression)
  const from = Number(only ?? lower)
  const to = only !== undefined ? from + 1 : upper === '' ? Infinity : Number(upper)
  return (topic, partition) => partition >= from && partition < to && isTopic(topic)
}

function partitionNumber(text: string, list: string): number {
  if (/^\s*\d+\s*$/.test(text)) return Number(text)
  throw new OptionError(
    `--partitions expects a comma separated list of numeric partition ids, but received: ${list}`,
  )
}
