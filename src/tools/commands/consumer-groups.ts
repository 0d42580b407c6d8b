// kafka-consumer-groups: lists, describes, deletes groups, moves and forgets their offsets.
import type { ClusterAdmin, GroupDescription } from '../../client/admin/types.ts'
import { KafkaError } from '../../client/errors.ts'
import type { TopicPartition } from '../../client/types.ts'
import { DiskError, readFile } from '../../runtime/disk.ts'
import { withCluster } from '../cluster-tool.ts'
import { row } from '../columns.ts'
import {
  checkGroupOptions,
  type GroupAction,
  type GroupOptions,
  groupOptions,
  statesFrom,
  typesFrom,
} from '../group-options.ts'
import * as tables from '../group-tables.ts'
import { exceptionText } from '../java-names.ts'
import { partitionKey } from '../partitions.ts'
import { write } from '../output.ts'
import { committedOffsets, partitionsFrom, planReset, resetFailure } from '../plan-reset.ts'
import { ResetError, resetCsv, topicChoice } from '../reset-offsets.ts'
import type { Command, Tool } from '../tool.ts'

export const consumerGroupsCommand: Command<typeof groupOptions> = {
  name: 'kafka-consumer-groups',
  className: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  about: 'Lists and describes consumer groups, deletes them, moves their offsets.',
  options: groupOptions,
  run,
}

const callTimeoutMsDefault = 5000

async function run(given: GroupOptions, tool: Tool): Promise<number> {
  const action = checkGroupOptions(given)
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    zookeeper: given.texts('zookeeper'),
    config: given.text('command-config'),
    clientId: 'adminclient-1',
    callTimeoutMs: given.integer('timeout') ?? callTimeoutMsDefault,
  }
  return withCluster(tool, whereabouts, async (client) => {
    try {
      await runGroupAction(action, given, client.clusterAdmin(), tool)
    } catch (error) {
      if (!(error instanceof KafkaError || error instanceof ResetError)) throw error
      await printError(
        tool,
        `Executing consumer group command failed due to ${resetFailure(error)}`,
      )
    }
    // The original's code, though something went wrong.
    return 0
  })
}

/** @throws KafkaError, ResetError, OptionError */
export async function runGroupAction(
  action: GroupAction,
  given: GroupOptions,
  admin: ClusterAdmin,
  tool: Tool,
): Promise<void> {
  switch (action) {
    case 'list':
      return list(given, admin, tool)
    case 'describe':
      return describe(given, admin, tool)
    case 'delete':
      return remove(given, admin, tool)
    case 'reset-offsets':
      return reset(given, admin, tool)
    case 'delete-offsets':
      return removeOffsets(given, admin, tool)
  }
}

/** Errors stand among the results, as the original has them. */
function printError({ context }: Tool, text: string): Promise<void> {
  return write(context.stdout, `\nError: ${text}\n`)
}

function print({ context }: Tool, lines: readonly string[]): Promise<void> {
  return write(context.stdout, lines.map((line) => `${line}\n`).join(''))
}

async function list(given: GroupOptions, admin: ClusterAdmin, tool: Tool): Promise<void> {
  const states = given.text('state')
  const types = given.text('type')
  const groups = await admin.listGroups({
    ...(states === undefined ? {} : { states: statesFrom(states) }),
    ...(types === undefined ? {} : { types: typesFrom(types) }),
  })
  const options = { states: given.has('state'), types: given.has('type') }
  await print(tool, tables.listLines(groups, options))
}

async function groupsOf(given: GroupOptions, admin: ClusterAdmin): Promise<string[]> {
  if (!given.has('all-groups')) return [...new Set(given.texts('group'))]
  const groups = await admin.listGroups()
  return groups
    .filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '')
    .map(({ groupId }) => groupId)
}

function isMissing({ state, error }: GroupDescription): boolean {
  if (error !== undefined && error.errorName !== 'GROUP_ID_NOT_FOUND') throw error
  return error !== undefined || state === 'Dead'
}

async function describe(given: GroupOptions, admin: ClusterAdmin, tool: Tool): Promise<void> {
  for (const group of await admin.describeGroups(await groupsOf(given, admin))) {
    const isThere = await tellState(group, tool)
    if (given.has('members')) {
      const verbose = given.has('verbose')
      await print(tool, tables.memberLines(group.name, group.members, { verbose }))
    } else if (given.has('state')) {
      if (isThere) await print(tool, tables.stateLines(group))
    } else if (isThere) await describeOffsets(given, group, admin, tool)
  }
}

/** False where there is no such group. */
async function tellState(group: GroupDescription, tool: Tool): Promise<boolean> {
  if (isMissing(group)) {
    await printError(tool, `Consumer group '${group.name}' does not exist.`)
    return false
  }
  const { stderr } = tool.context
  if (group.state === 'Empty') {
    stderr.write(`\nConsumer group '${group.name}' has no active members.\n`)
  } else if (
    /^(?:PreparingRebalance|CompletingRebalance|Assigning|Reconciling)$/.test(group.state)
  ) {
    stderr.write(`\nWarning: Consumer group '${group.name}' is rebalancing.\n`)
  }
  return true
}

async function describeOffsets(
  given: GroupOptions,
  { name, members }: GroupDescription,
  admin: ClusterAdmin,
  tool: Tool,
): Promise<void> {
  const committed = await committedOffsets(name, admin)
  const all = new Map<string, TopicPartition>()
  for (const one of [...committed, ...members.flatMap(({ assignment }) => assignment)]) {
    all.set(partitionKey(one), one)
  }
  const queries = [...all.values()].map(({ topic, partition }) => {
    return { topic, partition, at: 'latest' as const }
  })
  const ends = (await admin.listOffsets(queries)).filter(({ error }) => error === undefined)
  const rows = tables.offsetRows(members, committed, {
    committed: new Map(committed.map((one) => [partitionKey(one), one.offset])),
    ends: new Map(ends.map((one) => [partitionKey(one), one.offset])),
  })
  if (rows.length === 0) return
  const isOld = given.has('new-consumer') || given.has('zookeeper')
  await print(tool, isOld ? tables.oldOffsetLines(name, rows) : tables.offsetLines(name, rows))
}

const execution = 'java.util.concurrent.ExecutionException: '

async function remove(given: GroupOptions, admin: ClusterAdmin, tool: Tool): Promise<void> {
  const outcomes = await admin.deleteGroups(await groupsOf(given, admin))
  const quoted = outcomes.filter(({ error }) => error === undefined).map(({ name }) => `'${name}'`)
  const failed = outcomes.filter(({ error }) => error !== undefined)
  if (failed.length === 0) {
    const text = `Deletion of requested consumer groups (${quoted.join(', ')}) was successful.`
    return print(tool, [text])
  }
  await printError(tool, 'Deletion of some consumer groups failed:')
  const lines = failed.map(({ name, error }) => {
    return `* Group '${name}' could not be deleted due to: ${execution}${exceptionText(error)}`
  })
  if (quoted.length > 0) {
    lines.push('', `These consumer groups were deleted successfully: ${quoted.join(', ')}`)
  }
  await print(tool, lines)
}

async function reset(given: GroupOptions, admin: ClusterAdmin, tool: Tool): Promise<void> {
  const { stdout, stderr } = tool.context
  if (!given.has('dry-run') && !given.has('execute')) {
    stderr.write(
      'WARN: No action will be performed as the --execute option is missing. Add --dry-run to say so.\n',
    )
  }
  const ports = {
    admin,
    now: () => tool.ports.clock.now(),
    readFile: (path: string) => textOf(tool, path),
    warn: (text: string) => tool.logger.warn(text),
    note: (text: string) => void stdout.write(`${text}\n`),
  }
  const planned: tables.NewOffset[] = []
  for (const group of await admin.describeGroups(await groupsOf(given, admin))) {
    if (!isMissing(group) && group.state !== 'Empty') {
      await printError(
        tool,
        `Assignments can only be reset if the group '${group.name}' is inactive, but the current state is ${group.state}.`,
      )
      continue
    }
    const offsets = await planReset(group.name, given, ports)
    if (given.has('execute') && offsets.length > 0) {
      await admin.setGroupOffsets(group.name, offsets)
    }
    planned.push(...offsets)
  }
  if (given.has('export')) await write(stdout, resetCsv(planned, given.texts('group')))
  else await print(tool, tables.resetLines(planned))
}

/** @throws ResetError */
function textOf(tool: Tool, path: string): string {
  try {
    return readFile(tool.ports.disk, path).toString('utf8')
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new ResetError(`java.io.IOException: Unable to read file ${path}`)
  }
}

async function removeOffsets(given: GroupOptions, admin: ClusterAdmin, tool: Tool): Promise<void> {
  const group = given.required('group')
  const words = given.texts('topic')
  const widths = [30, 15, 15]
  const lines: string[] = ['', row(widths, ['TOPIC', 'PARTITION', 'STATUS'])]
  let failures = 0
  const status = (topic: string, partition: string, error: KafkaError | undefined): void => {
    if (error !== undefined) failures += 1
    const text = error === undefined ? 'Successful' : `Error: :${exceptionText(error)}`
    lines.push(row(widths, [topic, partition, text]))
  }
  const partitions: TopicPartition[] = []
  for (const word of words) {
    try {
      partitions.push(...(await partitionsFrom([word], admin)))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      status(topicChoice(word).topic, 'Not Provided', error)
    }
  }
  try {
    const outcomes =
      partitions.length === 0 ? [] : await admin.deleteGroupOffsets(group, partitions)
    for (const { topic, partition, error } of outcomes) status(topic, String(partition), error)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return printError(tool, refusal(group, error))
  }
  if (failures > 0) {
    await printError(tool, 'Encounter some partition level error, see the follow-up details:')
  } else {
    const text = `Request succeed for deleting offsets with topic ${words.join(', ')} group ${group}`
    await print(tool, [text])
  }
  await print(tool, lines)
}

function refusal(group: string, error: KafkaError): string {
  switch (error.errorName) {
    case 'INVALID_GROUP_ID':
      return `'${group}' is not valid.`
    case 'GROUP_ID_NOT_FOUND':
      return `'${group}' does not exist.`
    case 'GROUP_AUTHORIZATION_FAILED':
      return `Access to '${group}' is not authorized.`
    case 'NON_EMPTY_GROUP':
      return `Deleting offsets of a consumer group '${group}' is forbidden if the group is not empty.`
    default:
      return `Encounter some unknown error: ${exceptionText(error)}`
  }
}
