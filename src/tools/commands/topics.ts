// kafka-topics: creates, lists, describes, alters and deletes topics.
import type { Writable } from 'node:stream'
import type { Admin, ConfigEntry, NewTopic, TopicDescription } from '../../client/admin/types.ts'
import { KafkaError } from '../../client/errors.ts'
import { adminSettings } from '../client-settings.ts'
import { describeLines, type DescribeWhat } from '../describe-topics.ts'
import { exceptionText, plainText } from '../java-names.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { write } from '../output.ts'
import {
  type Command,
  commonOptions,
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
    about: 'Brokers of each partition instead of the two numbers: here two partitions of two.',
  },
  config: { takes: 'name=value', repeated: true, about: 'A setting of the new topic.' },
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

type TopicOptions = Options<typeof options>

const actions = ['create', 'list', 'alter', 'describe', 'delete'] as const
type Action = (typeof actions)[number]

export const topicsCommand: Command<typeof options> = {
  name: 'kafka-topics',
  className: 'org.apache.kafka.tools.TopicCommand',
  about: 'Creates, lists, describes, alters and deletes topics.',
  options,
  run,
}

async function run(given: TopicOptions, tool: Tool): Promise<number> {
  const action = checkOptions(given)
  const brokers = await findBrokers(tool, {
    brokers: given.text('bootstrap-server'),
    zookeeper: given.texts('zookeeper'),
  })
  const properties = propertiesOf(tool, given.text('command-config'))
  const { client: settings, warnings } = adminSettings(properties)
  const client = openClient(tool, {
    settings,
    warnings,
    bootstrapServers: brokers,
    clientId: 'adminclient-1',
  })
  const { context, logger } = tool
  const stopped = context.stopRequested.then(stoppedCode)
  try {
    const done = runTopicAction(action, given, client.admin(), context.stdout).then(() => 0)
    return await Promise.race([done, stopped])
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof TopicCommandError)) throw error
    context.stdout.write(`Error while executing topic command : ${plainText(error)}\n`)
    logger.error(exceptionText(error))
    return 1
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

/** A refusal of this command's own, shown as a broker's would be. */
class TopicCommandError extends Error {
  override readonly name = 'TopicCommandError'
}

const describeKinds: readonly (readonly [keyof typeof options, DescribeWhat])[] = [
  ['topics-with-overrides', 'overrides'],
  ['under-replicated-partitions', 'underReplicated'],
  ['under-min-isr-partitions', 'underMinInSync'],
  ['at-min-isr-partitions', 'atMinInSync'],
  ['unavailable-partitions', 'unavailable'],
]

/** Which actions an option goes with, where not with all. */
const belongsTo: Readonly<Partial<Record<keyof typeof options, readonly Action[]>>> = {
  partitions: ['create', 'alter'],
  'replication-factor': ['create'],
  'replica-assignment': ['create'],
  config: ['create'],
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
export function checkOptions(given: TopicOptions): Action {
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
  if (action === 'alter') given.required('partitions')
  if (action === 'delete') given.required('topic')
  for (const [option, allowed] of Object.entries(belongsTo)) {
    if (isOption(option) && given.has(option) && !allowed.includes(action)) refusePair(option, action)
  }
  if (given.has('replica-assignment')) {
    if (given.has('partitions')) refusePair('replica-assignment', 'partitions')
    if (given.has('replication-factor')) refusePair('replica-assignment', 'replication-factor')
  }
  const kinds = describeKinds.filter(([option]) => given.has(option))
  const [one, other] = kinds
  if (one !== undefined && other !== undefined) refusePair(one[0], other[0])
  return action
}

function isOption(name: string): name is keyof typeof options {
  return Object.hasOwn(options, name)
}

function refusePair(one: string, other: string): never {
  throw new OptionError(`Option "[${one}]" can't be used with option "[${other}]"`)
}

/** @throws KafkaError or another error whose message is meant for the user */
export async function runTopicAction(
  action: Action,
  given: TopicOptions,
  admin: Admin,
  stdout: Writable,
): Promise<void> {
  switch (action) {
    case 'create':
      return create(given, admin, stdout)
    case 'list':
      return list(given, admin, stdout)
    case 'describe':
      return describe(given, admin, stdout)
    case 'alter':
      return alter(given, admin)
    case 'delete':
      return remove(given, admin)
  }
}

async function create(given: TopicOptions, admin: Admin, stdout: Writable): Promise<void> {
  const topic = newTopic(given)
  if (/[._]/.test(topic.name)) {
    const text =
      "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_')" +
      ' could collide. To avoid issues it is best to use either, but not both.\n'
    await write(stdout, text)
  }
  const [outcome] = await admin.createTopics([topic])
  if (outcome?.error?.errorName === 'TOPIC_ALREADY_EXISTS' && given.has('if-not-exists')) return
  if (outcome?.error !== undefined) throw outcome.error
  await write(stdout, `Created topic ${topic.name}.\n`)
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

function configsFrom(pairs: readonly string[]): Record<string, string> {
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

async function list(given: TopicOptions, admin: Admin, stdout: Writable): Promise<void> {
  const names = await matching(given, admin)
  await write(stdout, names.map((name) => `${name}\n`).join(''))
}

/** Topics that --topic matches, sorted; all without it. */
async function matching(given: TopicOptions, admin: Admin): Promise<string[]> {
  const expression = given.text('topic')
  const isWanted = expression === undefined ? () => true : topicFilter(expression)
  const names = await admin.listTopics({ internal: !given.has('exclude-internal') })
  return names.filter(isWanted)
}

/** The same, of which there must be one. @throws TopicCommandError unless --if-exists */
async function matchingSome(given: TopicOptions, admin: Admin): Promise<string[]> {
  const names = await matching(given, admin)
  if (names.length === 0 && given.has('topic') && !given.has('if-exists')) {
    throw new TopicCommandError(`Topic '${given.text('topic')}' does not exist as expected`)
  }
  return names
}

async function describe(given: TopicOptions, admin: Admin, stdout: Writable): Promise<void> {
  const topics = await described(given, admin)
  const [configs, { brokers }] = await Promise.all([
    configsOf(topics, admin),
    admin.describeCluster(),
  ])
  const what = describeKinds.find(([option]) => given.has(option))?.[1] ?? 'all'
  const liveBrokers = new Set(brokers.map(({ nodeId }) => nodeId))
  for (const topic of topics) {
    if (topic.error !== undefined) throw topic.error
    const entries = configs.get(topic.name) ?? []
    const lines = describeLines({ topic, configs: entries }, { what, liveBrokers })
    await write(stdout, lines.map((line) => `${line}\n`).join(''))
  }
}

async function described(given: TopicOptions, admin: Admin): Promise<TopicDescription[]> {
  const id = given.text('topic-id')
  if (id === undefined) {
    const names = await matchingSome(given, admin)
    const topics = await admin.describeTopics(names)
    // What was deleted since it was listed is not there any more.
    return topics.filter(({ error }) => error?.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION')
  }
  const topics = (await admin.describeTopics()).filter(({ topicId }) => topicId === id)
  if (topics.length > 0 || given.has('if-exists')) return topics
  throw new TopicCommandError(`TopicId '${id}' does not exist as expected`)
}

/** Brokers before 0.11 tell no settings. */
async function configsOf(
  topics: readonly TopicDescription[],
  admin: Admin,
): Promise<Map<string, readonly ConfigEntry[]>> {
  try {
    const answers = await admin.describeConfigs(topics.map(({ name }) => ({ type: 'topic', name })))
    return new Map(answers.map(({ name, entries }) => [name, entries]))
  } catch (error) {
    if (error instanceof KafkaError && error.errorName === 'UNSUPPORTED_VERSION') return new Map()
    throw error
  }
}

async function alter(given: TopicOptions, admin: Admin): Promise<void> {
  const names = await matchingSome(given, admin)
  const count = given.integer('partitions') ?? 0
  if (names.length === 0) return
  const outcomes = await admin.createPartitions(names.map((name) => ({ name, count })))
  for (const { error } of outcomes) if (error !== undefined) throw error
}

async function remove(given: TopicOptions, admin: Admin): Promise<void> {
  const names = await matchingSome(given, admin)
  if (names.length === 0) return
  for (const { error } of await admin.deleteTopics(names)) if (error !== undefined) throw error
}
