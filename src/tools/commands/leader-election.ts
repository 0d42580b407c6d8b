// kafka-leader-election and, its older form, kafka-preferred-replica-election.
import type { ElectionType, PartitionOutcome } from '../../client/admin/types.ts'
import { KafkaError } from '../../client/errors.ts'
import type { TopicPartition } from '../../client/types.ts'
import { UserError } from '../../runtime/service.ts'
import { connectString, withZooKeeper } from '../bootstrap.ts'
import { withCluster } from '../cluster-tool.ts'
import { clusterOptions, zookeeperOption } from '../common-options.ts'
import { exceptionText } from '../java-names.ts'
import { jsonObjectOf } from '../json-file.ts'
import { integerAt, objectsAt, textAt } from '../json-shape.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { write } from '../output.ts'
import { byPartition, partitionName } from '../partitions.ts'
import { orderPreferredElection } from '../reassign/through-zookeeper.ts'
import type { Command, Tool } from '../tool.ts'

const file = {
  'path-to-json-file': {
    takes: 'file',
    about: 'The partitions: {"partitions":[{"topic":"t","partition":1}]}.',
  },
  'admin.config': { takes: 'file', about: 'Properties of the admin client.' },
} as const satisfies OptionTable

const options = {
  ...clusterOptions,
  ...file,
  'election-type': {
    takes: 'type',
    about: 'preferred: the first replica; unclean: any, where no leader is left.',
  },
  topic: { takes: 'name', about: 'With --partition: the one partition.' },
  partition: { takes: 'number', about: 'Of --topic.' },
  'all-topic-partitions': { about: 'All partitions that need one.' },
} as const satisfies OptionTable

export const leaderElectionCommand: Command<typeof options> = {
  name: 'kafka-leader-election',
  className: 'org.apache.kafka.tools.LeaderElectionCommand',
  about: 'Lets the controller elect leaders.',
  options,
  run,
}

async function run(given: Options<typeof options>, tool: Tool): Promise<number> {
  const { type, partitions } = electionOrder(given, tool)
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    config: given.text('admin.config') ?? given.text('command-config'),
    clientId: 'adminclient-1',
  }
  return withCluster(tool, whereabouts, async (client) =>
    shown(tool, type, () => client.clusterAdmin().electLeaders(type, partitions)),
  )
}

interface ElectionOrder {
  readonly type: ElectionType
  /** undefined: all. */
  readonly partitions: readonly TopicPartition[] | undefined
}

/** @throws OptionError, UserError */
function electionOrder(given: Options<typeof options>, tool: Tool): ElectionOrder {
  const missing = (['bootstrap-server', 'election-type'] as const).filter((one) => !given.has(one))
  if (missing.length > 0) {
    throw new OptionError(`Missing required option(s): ${missing.join(', ')}`)
  }
  const word = given.required('election-type')
  const type = word.toLowerCase()
  if (type !== 'preferred' && type !== 'unclean') {
    throw new OptionError(`Cannot parse argument '${word}' of option election-type`)
  }
  const ways = (['topic', 'all-topic-partitions', 'path-to-json-file'] as const).filter((one) =>
    given.has(one),
  )
  if (ways.length !== 1) {
    throw new OptionError(
      'One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file',
    )
  }
  const topic = given.text('topic')
  const partition = given.integer('partition')
  if (topic !== undefined && partition === undefined) {
    throw new OptionError('Missing required option(s): partition')
  }
  if (topic === undefined && partition !== undefined) {
    throw new OptionError('Option partition is only allowed if topic is used')
  }
  const path = given.text('path-to-json-file')
  if (path !== undefined) return { type, partitions: partitionsOf(tool, path) }
  if (topic === undefined || partition === undefined) return { type, partitions: undefined }
  return { type, partitions: [{ topic, partition }] }
}

/** @throws UserError */
function partitionsOf(tool: Tool, path: string): TopicPartition[] {
  const { partitions } = jsonObjectOf(tool, path)
  if (partitions === undefined)
    throw new UserError('Replica election data is missing "partitions" field')
  const found = objectsAt(partitions, `${path}: partitions`).map((one, index) => {
    const place = `${path}: partitions[${index}]`
    return { topic: textAt(one, 'topic', place), partition: integerAt(one, 'partition', place) }
  })
  const names = found.map(partitionName)
  const twice = new Set(names.filter((name, index) => names.indexOf(name) < index))
  if (twice.size > 0) {
    throw new UserError(
      `Replica election data contains duplicate partitions: ${[...twice].join(',')}`,
    )
  }
  return found
}

async function shown(
  tool: Tool,
  type: ElectionType,
  elect: () => Promise<readonly PartitionOutcome[]>,
): Promise<number> {
  const { stdout, stderr } = tool.context
  try {
    const { lines, failures } = outcomeLines(type, await elect())
    await write(stdout, lines.map((line) => `${line}\n`).join(''))
    if (failures === 0) return 0
    stderr.write(`${failures} replica(s) could not be elected\n`)
    return 1
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    stderr.write(`Error while performing the election: ${exceptionText(error)}\n`)
    return 1
  }
}

export function outcomeLines(
  type: ElectionType,
  outcomes: readonly PartitionOutcome[],
): { readonly lines: readonly string[]; readonly failures: number } {
  const names = (wanted: (outcome: PartitionOutcome) => boolean): string =>
    outcomes.filter(wanted).sort(byPartition).map(partitionName).join(', ')
  const elected = names(({ error }) => error === undefined)
  const valid = names(({ error }) => error?.errorName === 'ELECTION_NOT_NEEDED')
  const kind = type.toUpperCase()
  const failed = outcomes.filter(
    ({ error }) => error !== undefined && error.errorName !== 'ELECTION_NOT_NEEDED',
  )
  return {
    lines: [
      ...(elected === ''
        ? []
        : [`Successfully completed leader election (${kind}) for partitions ${elected}`]),
      ...(valid === '' ? [] : [`Valid replica already elected for partitions ${valid}`]),
      ...failed.toSorted(byPartition).map((one) => {
        return `Error completing leader election (${kind}) for partition: ${partitionName(one)}: ${exceptionText(one.error)}`
      }),
    ],
    failures: failed.length,
  }
}

const oldOptions = { ...clusterOptions, ...zookeeperOption, ...file } as const satisfies OptionTable

export const preferredElectionCommand: Command<typeof oldOptions> = {
  name: 'kafka-preferred-replica-election',
  className: 'kafka.admin.PreferredReplicaLeaderElectionCommand',
  about: 'Gives the lead back to the first replica of each partition.',
  options: oldOptions,
  run: runOld,
}

async function runOld(given: Options<typeof oldOptions>, tool: Tool): Promise<number> {
  const path = given.text('path-to-json-file')
  const partitions = path === undefined ? undefined : partitionsOf(tool, path)
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    zookeeper: given.texts('zookeeper'),
    config: given.text('admin.config') ?? given.text('command-config'),
    clientId: 'adminclient-1',
  }
  return withCluster(tool, whereabouts, async (client) => {
    if (given.has('bootstrap-server')) {
      return shown(tool, 'preferred', () =>
        client.clusterAdmin().electLeaders('preferred', partitions),
      )
    }
    const topics = partitions === undefined ? await client.admin().describeTopics() : []
    const wanted =
      partitions ??
      topics.flatMap(({ name, partitions: all }) =>
        all.map(({ partition }) => ({ topic: name, partition })),
      )
    const connect = connectString(given.texts('zookeeper'))
    await withZooKeeper(tool.ports, connect, (session) => orderPreferredElection(session, wanted))
    const names = wanted.map(({ topic, partition }) => `[${topic},${partition}]`).join(', ')
    await write(
      tool.context.stdout,
      `Successfully started preferred replica election for partitions Set(${names})\n`,
    )
    return 0
  })
}
