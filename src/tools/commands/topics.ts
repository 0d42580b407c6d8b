// kafka-topics: creates, lists, describes, alters and deletes topics.
import type { Writable } from 'node:stream'
import type {
  Admin,
  ConfigEntry,
  PartitionIncrease,
  TopicDescription,
} from '../../client/admin/types.ts'
import { KafkaError } from '../../client/errors.ts'
import { adminSettings } from '../client-settings.ts'
import { describeLines } from '../describe-topics.ts'
import { growThroughZooKeeper } from '../grow-topic.ts'
import { exceptionText, plainText } from '../java-names.ts'
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
import {
  checkOptions,
  configsFrom,
  describeKinds,
  isOldWay,
  newTopic,
  parseAssignment,
  type TopicAction,
  TopicCommandError,
  type TopicOptions,
  topicOptions,
} from '../topic-options.ts'
import { changeTopicConfigs, topicConfigsInZooKeeper } from '../znode-configs.ts'

export const topicsCommand: Command<typeof topicOptions> = {
  name: 'kafka-topics',
  className: 'org.apache.kafka.tools.TopicCommand',
  about: 'Creates, lists, describes, alters and deletes topics.',
  options: topicOptions,
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
    const work = async (): Promise<number> => {
      if (action === 'alter') await alterConfigs(given, client.admin(), tool)
      if (action !== 'alter' || given.has('partitions')) {
        await runTopicAction(action, given, client.admin(), tool)
      }
      return 0
    }
    const done = work()
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

/** @throws KafkaError or another error whose message is meant for the user */
export async function runTopicAction(
  action: TopicAction,
  given: TopicOptions,
  admin: Admin,
  tool: Tool,
): Promise<void> {
  const { stdout } = tool.context
  switch (action) {
    case 'create':
      return create(given, admin, stdout)
    case 'list':
      return list(given, admin, stdout)
    case 'describe':
      return describe(given, admin, tool)
    case 'alter':
      return alter(given, admin, tool)
    case 'delete':
      return remove(given, admin, stdout)
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
  const shown = isOldWay(given) ? `"${topic.name}"` : topic.name
  await write(stdout, `Created topic ${shown}.\n`)
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
    const topic = given.text('topic')
    if (!isOldWay(given)) throw new TopicCommandError(`Topic '${topic}' does not exist as expected`)
    if (given.has('describe')) return names
    const path = given.texts('zookeeper').join(',')
    throw new TopicCommandError(`Topic ${topic} does not exist on ZK path ${path}`)
  }
  return names
}

async function describe(given: TopicOptions, admin: Admin, tool: Tool): Promise<void> {
  const { stdout } = tool.context
  const topics = await described(given, admin)
  const [configs, { brokers }] = await Promise.all([
    configsOf(topics, given, admin, tool),
    admin.describeCluster(),
  ])
  const what = describeKinds.find(([option]) => given.has(option))?.[1] ?? 'all'
  const liveBrokers = new Set(brokers.map(({ nodeId }) => nodeId))
  for (const topic of topics) {
    if (topic.error !== undefined) throw topic.error
    const entries = configs.get(topic.name) ?? []
    const lines = describeLines(
      { topic, configs: entries },
      { what, liveBrokers, isOldWay: isOldWay(given) },
    )
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

/** Brokers before 0.11 tell no settings; ZooKeeper does. */
async function configsOf(
  topics: readonly TopicDescription[],
  given: TopicOptions,
  admin: Admin,
  tool: Tool,
): Promise<Map<string, readonly ConfigEntry[]>> {
  const names = topics.map(({ name }) => name)
  try {
    const answers = await admin.describeConfigs(names.map((name) => ({ type: 'topic', name })))
    return new Map(answers.map(({ name, entries }) => [name, entries]))
  } catch (error) {
    const isMissing = error instanceof KafkaError && error.errorName === 'UNSUPPORTED_VERSION'
    if (!isMissing) throw error
    if (!isOldWay(given)) return new Map()
    return topicConfigsInZooKeeper(tool, given.texts('zookeeper'), names)
  }
}

async function alter(given: TopicOptions, admin: Admin, tool: Tool): Promise<void> {
  const { stdout } = tool.context
  const names = await matchingSome(given, admin)
  const count = given.integer('partitions') ?? 0
  if (names.length === 0) return
  const warning =
    'WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering' +
    ' of the messages will be affected\n'
  if (isOldWay(given)) await write(stdout, warning)
  const text = given.text('replica-assignment')
  const assignment = text === undefined ? undefined : [...parseAssignment(text).values()]
  const present = assignment === undefined ? [] : await admin.describeTopics(names)
  const increases = names.map((name, index) => {
    const known = present[index]?.partitions.length ?? 0
    // Only brokers of partitions that are added are told.
    return { name, count, ...(assignment && { assignments: assignment.slice(known) }) }
  })
  await grow(increases, given, admin, tool)
  if (isOldWay(given)) await write(stdout, 'Adding partitions succeeded!\n')
}

async function grow(
  increases: readonly PartitionIncrease[],
  given: TopicOptions,
  admin: Admin,
  tool: Tool,
): Promise<void> {
  try {
    const outcomes = await admin.createPartitions(increases)
    for (const { error } of outcomes) if (error !== undefined) throw error
  } catch (error) {
    const isMissing = error instanceof KafkaError && error.errorName === 'UNSUPPORTED_VERSION'
    if (!isMissing || !isOldWay(given)) throw error
    const way = { zookeeper: given.texts('zookeeper'), admin }
    for (const { name, ...growth } of increases) {
      await growThroughZooKeeper(tool, way, { topic: name, ...growth })
    }
  }
}

/** Through ZooKeeper, as kafka-topics did it before kafka-configs. @throws TopicCommandError */
async function alterConfigs(given: TopicOptions, admin: Admin, tool: Tool): Promise<void> {
  const changes = new Map<string, string | undefined>()
  for (const name of given.texts('delete-config')) changes.set(name, undefined)
  const added = configsFrom(given.texts('config'))
  for (const [name, value] of Object.entries(added)) changes.set(name, value)
  if (changes.size === 0) return
  for (const name of await matchingSome(given, admin)) {
    await write(
      tool.context.stdout,
      'WARNING: Altering topic configuration from this script has been deprecated and may be removed in future releases.\n' +
        '         Going forward, please use kafka-configs.sh for this functionality\n',
    )
    await changeTopicConfigs(tool, { zookeeper: given.texts('zookeeper'), topic: name }, changes)
    await write(tool.context.stdout, `Updated config for topic "${name}".\n`)
  }
}

async function remove(given: TopicOptions, admin: Admin, stdout: Writable): Promise<void> {
  const names = await matchingSome(given, admin)
  if (names.length === 0) return
  for (const { name, error } of await admin.deleteTopics(names)) {
    if (error !== undefined) throw error
    if (!isOldWay(given)) continue
    const note = 'Note: This will have no impact if delete.topic.enable is not set to true.'
    await write(stdout, `Topic ${name} is marked for deletion.\n${note}\n`)
  }
}
