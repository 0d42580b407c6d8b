// Pure.
// The command line of kafka-topics: which options there are, which go together, what topic they mean.
import type { NewTopic } from '../client/admin/types.ts'
import type { DescribeWhat } from './describe-topics.ts'
import { OptionError, type Options, type OptionTable } from './options.ts'

export const topicOptions = {
  help: { about: 'Prints this.' },
  version: { about: 'Prints the version of Kafka that this tool stands in for, and its own.' },
  'bootstrap-server': { takes: 'host:port,…', about: 'Brokers to ask; one that answers will do.' },
  zookeeper: {
    takes: 'host:port',
    manyWords: true,
    about: 'Deprecated: a ZooKeeper (with its chroot) that knows the brokers.',
  },
  'command-config': { takes: 'file', about: 'Properties of the admin client.' },
  list: { about: 'Prints the names of all topics, or of those that match --topic.' },
  describe: { about: 'Prints partitions, leaders, replicas and settings.' },
  create: { about: 'Creates a topic.' },
  alter: { about: 'Grows a topic to --partitions.' },
  delete: { about: 'Deletes the topics that match.' },
  topic: {
    takes: 'name',
    about: 'The topic; except with --create, a regular expression (a comma separates several).',
  },
  'topic-id': { takes: 'id', about: 'With --describe, the topic of this id.' },
  partitions: { takes: 'number', about: "Of the topic; the broker's num.partitions if left out." },
  'replication-factor': { takes: 'number', about: "The broker's default if left out." },
  'replica-assignment': {
    takes: '0:1,1:0',
    about:
      'Brokers of each partition instead of the two numbers: here two partitions of two. With' +
      ' --alter those of the partitions that are there too.',
  },
  config: {
    takes: 'name=value',
    repeated: true,
    about: 'A setting of the new topic; with --alter only through --zookeeper.',
  },
  'delete-config': {
    takes: 'name',
    repeated: true,
    about: 'With --alter through --zookeeper: takes a setting away.',
  },
  'disable-rack-aware': { about: 'Accepted for older scripts; the broker chooses.' },
  'if-exists': { about: 'With --alter, --delete, --describe: nothing to do is no error.' },
  'if-not-exists': { about: 'With --create: a topic that exists is no error.' },
  'exclude-internal': { about: 'Leaves out __consumer_offsets and the like.' },
  'topics-with-overrides': { about: 'With --describe: topics that have settings of their own.' },
  'under-replicated-partitions': { about: 'With --describe: those with replicas out of sync.' },
  'unavailable-partitions': { about: 'With --describe: those without a live leader.' },
  'under-min-isr-partitions': { about: 'With --describe: those that refuse acks=all.' },
  'at-min-isr-partitions': { about: 'With --describe: those that one more loss would close.' },
  force: { about: 'Accepted for older scripts; nothing is asked.' },
} as const satisfies OptionTable

export type TopicOptions = Options<typeof topicOptions>

const actions = ['create', 'list', 'alter', 'describe', 'delete'] as const
export type TopicAction = (typeof actions)[number]

export const describeKinds: readonly (readonly [keyof typeof topicOptions, DescribeWhat])[] = [
  ['topics-with-overrides', 'overrides'],
  ['under-replicated-partitions', 'underReplicated'],
  ['under-min-isr-partitions', 'underMinInSync'],
  ['at-min-isr-partitions', 'atMinInSync'],
  ['unavailable-partitions', 'unavailable'],
]

/** Which actions an option goes with, where not with all. */
const belongsTo: Readonly<Partial<Record<keyof typeof topicOptions, readonly TopicAction[]>>> = {
  partitions: ['create', 'alter'],
  'replication-factor': ['create'],
  'replica-assignment': ['create', 'alter'],
  config: ['create', 'alter'],
  'delete-config': ['alter'],
  'if-not-exists': ['create'],
  'if-exists': ['alter', 'delete', 'describe'],
  'exclude-internal': ['list', 'describe'],
  'topic-id': ['describe'],
  'topics-with-overrides': ['describe'],
  'under-replicated-partitions': ['describe'],
  'under-min-isr-partitions': ['describe'],
  'at-min-isr-partitions': ['describe'],
  'unavailable-partitions': ['describe'],
}

/** @throws OptionError in the original's words for options that do not go together */
export function checkOptions(given: TopicOptions): TopicAction {
  const wanted = actions.filter((action) => given.has(action))
  const action = wanted[0]
  if (action === undefined || wanted.length > 1) {
    throw new OptionError(
      'Command must include exactly one action: --list, --describe, --create, --alter or --delete',
    )
  }
  if (!given.has('bootstrap-server') && !given.has('zookeeper')) {
    throw new OptionError('--bootstrap-server must be specified')
  }
  if (action === 'create' || action === 'alter') given.required('topic')
  if (action === 'create' && isOldWay(given) && !given.has('replica-assignment')) {
    given.required('partitions')
    given.required('replication-factor')
  }
  if (action === 'alter') checkAlter(given)
  if (action === 'delete') given.required('topic')
  for (const [option, allowed] of Object.entries(belongsTo)) {
    if (isOption(option) && given.has(option) && !allowed.includes(action))
      refusePair(option, action)
  }
  if (given.has('replica-assignment') && action === 'create') {
    if (given.has('partitions')) refusePair('replica-assignment', 'partitions')
    if (given.has('replication-factor')) refusePair('replica-assignment', 'replication-factor')
  }
  const kinds = describeKinds.filter(([option]) => given.has(option))
  const [one, other] = kinds
  if (one !== undefined && other !== undefined) refusePair(one[0], other[0])
  return action
}

function checkAlter(given: TopicOptions): void {
  const options = (['config', 'delete-config'] as const).filter((name) => given.has(name))
  const [option] = options
  if (option === undefined) given.required('partitions')
  else if (!isOldWay(given)) {
    throw new OptionError(
      `Option combination "[[bootstrap-server], [${option}]]" can't be used with option "[alter]" (the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)`,
    )
  }
}

/** Through ZooKeeper: then the texts are those of 0.10.1, which such scripts were written for. */
export function isOldWay(given: TopicOptions): boolean {
  return given.has('zookeeper') && !given.has('bootstrap-server')
}

function isOption(name: string): name is keyof typeof topicOptions {
  return Object.hasOwn(topicOptions, name)
}

function refusePair(one: string, other: string): never {
  throw new OptionError(`Option "[${one}]" can't be used with option "[${other}]"`)
}

/** A refusal of this command's own, shown as a broker's would be. */
export class TopicCommandError extends Error {
  override readonly name = 'TopicCommandError'
}

/** @throws OptionError, TopicCommandError for numbers that make no topic */
export function newTopic(given: TopicOptions): NewTopic {
  const partitions = given.integer('partitions')
  const replicationFactor = given.integer('replication-factor')
  const assignment = given.text('replica-assignment')
  if (replicationFactor !== undefined && (replicationFactor < 1 || replicationFactor > 32_767)) {
    throw new TopicCommandError('The replication factor must be between 1 and 32767 inclusive')
  }
  if (partitions !== undefined && partitions < 1) {
    throw new TopicCommandError('The partitions must be greater than 0')
  }
  return {
    name: given.required('topic'),
    configs: configsFrom(given.texts('config')),
    ...(assignment === undefined ? {} : { assignments: parseAssignment(assignment) }),
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  }
}

/** `name=value` words. @throws TopicCommandError */
export function configsFrom(pairs: readonly string[]): Record<string, string> {
  const configs: Record<string, string> = {}
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals < 1) {
      throw new TopicCommandError(
        'requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".',
      )
    }
    configs[pair.slice(0, equals).trim()] = pair.slice(equals + 1).trim()
  }
  return configs
}

/** `0:1,1:0` is partition 0 on brokers 0 and 1, partition 1 on 1 and 0. @throws TopicCommandError */
export function parseAssignment(text: string): Map<number, number[]> {
  const assignment = new Map<number, number[]>()
  for (const [partition, list] of text.split(',').entries()) {
    const brokers = list.split(':').map((one) => one.trim())
    const wrong = brokers.find((one) => !/^\d+$/.test(one))
    if (wrong !== undefined) throw new TopicCommandError(`For input string: "${wrong}"`)
    if (new Set(brokers).size < brokers.length) {
      const twice = brokers.find((one, at) => brokers.indexOf(one) < at)
      throw new TopicCommandError(
        `Partition replica lists may not contain duplicate entries: ${twice}`,
      )
    }
    if (brokers.length !== (assignment.get(0)?.length ?? brokers.length)) {
      const text = `Partition ${partition} has different replication factor: ${list}`
      throw new TopicCommandError(text)
    }
    assignment.set(partition, brokers.map(Number))
  }
  return assignment
}
