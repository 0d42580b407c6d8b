// Pure.
// What kafka-console-consumer is asked to do, from its options and properties; contradictions are
// refused in the original's words.
import type { Properties } from './client-settings.ts'
import { keyValues } from './client-settings.ts'
import { OptionError, type Options, type OptionTable } from './options.ts'

export const consumerOptions = {
  help: { about: 'Prints this.' },
  version: { about: 'Prints the version of Kafka that this tool stands in for, and its own.' },
  'bootstrap-server': { takes: 'host:port,…', about: 'Brokers to ask; one that answers will do.' },
  zookeeper: {
    takes: 'host:port',
    manyWords: true,
    about: 'Deprecated: a ZooKeeper (with its chroot) that knows the brokers.',
  },
  topic: { takes: 'name', about: 'The topic to read.' },
  include: { takes: 'expression', about: 'Instead of --topic: all topics that match.' },
  whitelist: { takes: 'expression', about: 'Deprecated: the same as --include.' },
  'from-beginning': { about: 'Begins at the first record where nothing is committed.' },
  group: { takes: 'id', about: 'The consumer group. Its offsets are committed.' },
  partition: { takes: 'number', about: 'Reads this partition, without a group.' },
  offset: { takes: 'offset', about: 'With --partition: earliest, latest (default) or a number.' },
  'max-messages': { takes: 'number', about: 'Ends after so many records.' },
  'timeout-ms': { takes: 'ms', about: 'Ends when no record came for so long.' },
  'isolation-level': { takes: 'level', about: 'read_uncommitted (default) or read_committed.' },
  property: {
    takes: 'name=value',
    repeated: true,
    about:
      'What is printed: print.timestamp, print.partition, print.offset, print.headers, print.key' +
      ' (default false), print.value (default true), key.separator (a tab), line.separator,' +
      ' headers.separator (,), null.literal, key.deserializer, value.deserializer,' +
      ' headers.deserializer.',
  },
  'formatter-config': { takes: 'file', about: 'The same, from a properties file.' },
  formatter: {
    takes: 'class',
    about: 'DefaultMessageFormatter, LoggingMessageFormatter or NoOpMessageFormatter.',
  },
  'key-deserializer': { takes: 'class', about: 'As the property key.deserializer.' },
  'value-deserializer': { takes: 'class', about: 'As the property value.deserializer.' },
  'skip-message-on-error': { about: 'Goes on after a record that cannot be printed.' },
  'consumer-property': {
    takes: 'name=value',
    repeated: true,
    about: 'A property of the consumer.',
  },
  'consumer.config': { takes: 'file', about: 'Properties of the consumer.' },
  'enable-systest-events': { about: 'Accepted; no events are logged.' },
  'new-consumer': { about: 'Accepted for older scripts; there is one consumer.' },
  'delete-consumer-offsets': { about: 'Accepted for older scripts; nothing is kept in ZooKeeper.' },
} as const satisfies OptionTable

export type ConsumerOptions = Options<typeof consumerOptions>

export type FormatterName = 'default' | 'logging' | 'none'

export type Source =
  | { readonly kind: 'topic'; readonly topic: string }
  | { readonly kind: 'matching'; readonly expression: string }
  | {
      readonly kind: 'partition'
      readonly topic: string
      readonly partition: number
      readonly start: 'earliest' | 'latest' | number
    }

export interface ConsumeOrder {
  readonly source: Source
  /** Infinity where there is no limit. */
  readonly messagesMax: number
  /** Infinity where there is no limit. */
  readonly timeoutMs: number
  readonly formatter: FormatterName
  readonly skipsErrors: boolean
  /** The properties of the consumer, with what the options say of it. */
  readonly consumer: Properties
  readonly format: Properties
  /** The group was named, so its offsets count. */
  readonly isGroupNamed: boolean
}

export interface OrderFiles {
  readonly consumer: Properties
  readonly formatter: Properties
  /** The group's name where none is given. */
  readonly groupId: string
}

/** @throws OptionError */
export function consumeOrder(given: ConsumerOptions, files: OrderFiles): ConsumeOrder {
  const source = sourceFrom(given)
  const words = keyValues(given.texts('consumer-property'))
  const properties: Record<string, string> = { ...files.consumer, ...words }
  const groupId = groupFrom(given, files.consumer, words)
  properties['group.id'] = groupId ?? files.groupId
  if (groupId === undefined) properties['enable.auto.commit'] ??= 'false'
  properties['enable.auto.commit'] ??= 'true'
  properties['isolation.level'] =
    given.text('isolation-level') ?? properties['isolation.level'] ?? 'read_uncommitted'
  setReset(given, properties)
  const timeoutMs = given.integer('timeout-ms') ?? -1
  const messagesMax = given.integer('max-messages') ?? -1
  const format = { ...files.formatter, ...keyValues(given.texts('property')) }
  for (const [option, name] of [
    ['key-deserializer', 'key.deserializer'],
    ['value-deserializer', 'value.deserializer'],
  ] as const) {
    const value = given.text(option)
    if (value !== undefined) format[name] = value
  }
  return {
    source,
    messagesMax: messagesMax < 0 ? Infinity : messagesMax,
    timeoutMs: timeoutMs < 0 ? Infinity : timeoutMs,
    formatter: formatterFrom(given.text('formatter')),
    skipsErrors: given.has('skip-message-on-error'),
    consumer: properties,
    format,
    isGroupNamed: groupId !== undefined,
  }
}

function sourceFrom(given: ConsumerOptions): Source {
  const topic = given.text('topic')
  const expression = given.text('include') ?? given.text('whitelist')
  if ((topic === undefined) === (expression === undefined)) {
    throw new OptionError('Exactly one of --include/--topic is required.')
  }
  const partition = given.integer('partition')
  const offset = given.text('offset')
  if (partition === undefined) {
    if (offset !== undefined) {
      throw new OptionError('The partition is required when offset is specified.')
    }
    if (topic !== undefined) return { kind: 'topic', topic }
    return { kind: 'matching', expression: expression ?? '' }
  }
  if (topic === undefined) {
    throw new OptionError('The topic is required when partition is specified.')
  }
  if (partition < 0) throw new OptionError(`Invalid value ${partition} for partition`)
  if (offset === undefined) {
    const start = given.has('from-beginning') ? 'earliest' : 'latest'
    return { kind: 'partition', topic, partition, start }
  }
  if (given.has('from-beginning')) {
    throw new OptionError('Options from-beginning and offset cannot be specified together.')
  }
  return { kind: 'partition', topic, partition, start: startFrom(offset) }
}

function startFrom(text: string): 'earliest' | 'latest' | number {
  const name = text.toLowerCase()
  if (name === 'earliest' || name === 'latest') return name
  const offset = /^\d+$/.test(text) ? Number(text) : NaN
  if (Number.isSafeInteger(offset)) return offset
  throw new OptionError(
    `The provided offset value '${text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.`,
  )
}

function groupFrom(
  given: ConsumerOptions,
  file: Properties,
  words: Properties,
): string | undefined {
  const names = [given.text('group'), words['group.id'], file['group.id']]
  const different = [...new Set(names.filter((name) => name !== undefined))]
  if (different.length > 1) {
    const list = different.map((name) => `'${name}'`).join(', ')
    throw new OptionError(
      "The group ids provided in different places (directly using '--group', via '--consumer-property'," +
        ` or via '--consumer.config') do not match. Detected group ids: ${list}`,
    )
  }
  return different[0]
}

function setReset(given: ConsumerOptions, properties: Record<string, string>): void {
  const asked = properties['auto.offset.reset']
  if (!given.has('from-beginning')) {
    properties['auto.offset.reset'] = asked ?? 'latest'
    return
  }
  if (asked !== undefined && asked !== 'earliest') {
    throw new OptionError(
      `Can't simultaneously specify --from-beginning and 'auto.offset.reset=${asked}', please remove one option`,
    )
  }
  properties['auto.offset.reset'] = 'earliest'
}

const formatters: readonly (readonly [string, FormatterName])[] = [
  ['DefaultMessageFormatter', 'default'],
  ['LoggingMessageFormatter', 'logging'],
  ['NoOpMessageFormatter', 'none'],
]

/** The classes moved: kafka.tools. before 4.0, org.apache.kafka.tools.consumer. since 3.5. */
function formatterFrom(className: string | undefined): FormatterName {
  if (className === undefined) return 'default'
  const simple = className.replace(/^(?:kafka\.tools|org\.apache\.kafka\.tools\.consumer)\./, '')
  const found = formatters.find(([name]) => name === simple)
  if (found !== undefined) return found[1]
  const names = formatters.map(([name]) => name).join(', ')
  throw new OptionError(`${className} is not a known formatter: there are ${names}`)
}
