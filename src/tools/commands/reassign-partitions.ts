// kafka-reassign-partitions: moves replicas between brokers and log directories.
import type { KafkaClient } from '../../client/client.ts'
import { KafkaError } from '../../client/errors.ts'
import { UserError } from '../../runtime/service.ts'
import { connectString, withZooKeeper } from '../bootstrap.ts'
import { withCluster } from '../cluster-tool.ts'
import { clusterOptions, zookeeperOption } from '../common-options.ts'
import { exceptionText, plainText } from '../java-names.ts'
import { jsonObjectOf } from '../json-file.ts'
import { objectsAt, textAt } from '../json-shape.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { write } from '../output.ts'
import { partitionKey } from '../partitions.ts'
import * as actions from '../reassign/actions.ts'
import { type Assignment, assignmentJson, parseAssignments } from '../reassign/plan.ts'
import { orderReassignment, partitionsInMotion } from '../reassign/through-zookeeper.ts'
import type { Command, Tool } from '../tool.ts'

const options = {
  ...clusterOptions,
  ...zookeeperOption,
  generate: { about: 'Proposes places for topics on brokers; changes nothing.' },
  execute: { about: 'Begins the moves of --reassignment-json-file.' },
  verify: { about: 'Tells how far they are; removes throttles when all are done.' },
  cancel: { about: 'Ends moves that are under way.' },
  list: { about: 'Prints all moves under way.' },
  'reassignment-json-file': {
    takes: 'file',
    about:
      '{"partitions":[{"topic":"t","partition":1,"replicas":[1,2],"log_dirs":["any","/d"]}],"version":1}',
  },
  'topics-to-move-json-file': {
    takes: 'file',
    about: 'With --generate: {"topics":[{"topic":"t"}],"version":1}',
  },
  'broker-list': { takes: '0,1', about: 'With --generate: where to.' },
  'disable-rack-aware': { about: 'With --generate: takes no notice of racks.' },
  additional: { about: 'With --execute: beside moves that are under way.' },
  throttle: { takes: 'bytes/s', about: 'Limits the traffic of moves between brokers.' },
  'replica-alter-log-dirs-throttle': { takes: 'bytes/s', about: 'The same within a broker.' },
  'preserve-throttles': { about: 'With --verify and --cancel: leaves throttles alone.' },
  timeout: { takes: 'ms', about: 'Accepted; brokers take the wish for a directory at once.' },
} as const satisfies OptionTable

type ReassignOptions = Options<typeof options>

export const reassignPartitionsCommand: Command<typeof options> = {
  name: 'kafka-reassign-partitions',
  className: 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  about: 'Moves the replicas of partitions.',
  options,
  run,
}

const actionNames = ['generate', 'execute', 'verify', 'cancel', 'list'] as const
type Action = (typeof actionNames)[number]
type Name = keyof typeof options

const allowed: Readonly<Record<Action, readonly Name[]>> = {
  generate: ['topics-to-move-json-file', 'broker-list', 'disable-rack-aware'],
  execute: [
    'reassignment-json-file',
    'additional',
    'throttle',
    'replica-alter-log-dirs-throttle',
    'timeout',
  ],
  verify: ['reassignment-json-file', 'preserve-throttles'],
  cancel: ['reassignment-json-file', 'preserve-throttles', 'timeout'],
  list: [],
}
const everywhere: readonly Name[] = ['bootstrap-server', 'command-config', 'zookeeper']

/** @throws OptionError */
export function checkReassignOptions(given: ReassignOptions): Action {
  const wanted = actionNames.filter((name) => given.has(name))
  const action = wanted[0]
  if (action === undefined || wanted.length > 1) {
    throw new OptionError(
      'Command must include exactly one action: --generate, --execute, --verify, --cancel, --list',
    )
  }
  for (const name of given.order) {
    if (!isOption(name) || name === action || everywhere.includes(name)) continue
    if (allowed[action].includes(name)) continue
    throw new OptionError(`Option "[${name}]" can't be used with action "[${action}]"`)
  }
  if (!given.has('bootstrap-server') && !given.has('zookeeper')) {
    throw new OptionError('Please specify --bootstrap-server')
  }
  if (action === 'generate') {
    given.required('topics-to-move-json-file')
    given.required('broker-list')
  } else if (action !== 'list') given.required('reassignment-json-file')
  return action
}

function isOption(name: string): name is Name {
  return Object.hasOwn(options, name)
}

async function run(given: ReassignOptions, tool: Tool): Promise<number> {
  const action = checkReassignOptions(given)
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    zookeeper: given.texts('zookeeper'),
    config: given.text('command-config'),
    clientId: 'reassign-partitions-tool',
  }
  return withCluster(tool, whereabouts, async (client) => {
    try {
      const isOld = !given.has('bootstrap-server')
      await (isOld ? runOld(action, given, client, tool) : runAction(action, given, client, tool))
      return 0
    } catch (error) {
      if (!(error instanceof KafkaError || error instanceof UserError)) throw error
      const text = error instanceof KafkaError ? exceptionText(error) : plainText(error)
      await write(tool.context.stdout, `Error: ${text}\n`)
      return 1
    }
  })
}

function printer({ context }: Tool): actions.ReassignPorts['print'] {
  return (text) => write(context.stdout, `${text}\n`)
}

async function runAction(
  action: Action,
  given: ReassignOptions,
  client: KafkaClient,
  tool: Tool,
): Promise<void> {
  const ports = { admin: client.clusterAdmin(), print: printer(tool) }
  const preservesThrottles = given.has('preserve-throttles')
  switch (action) {
    case 'generate': {
      const { current, proposed } = await generate(given, client, tool)
      const json = (one: readonly Assignment[]): string => assignmentJson(one, { logDirs: true })
      await ports.print(`Current partition replica assignment\n${json(current)}\n`)
      return ports.print(`Proposed partition reassignment configuration\n${json(proposed)}`)
    }
    case 'execute':
      return actions.execute(
        {
          wanted: wantedFrom(given, tool),
          isAdditional: given.has('additional'),
          throttle: given.integer('throttle') ?? -1,
          logDirsThrottle: given.integer('replica-alter-log-dirs-throttle') ?? -1,
        },
        ports,
      )
    case 'verify':
      return actions.verify({ wanted: wantedFrom(given, tool), preservesThrottles }, ports)
    case 'cancel':
      return actions.cancel({ wanted: wantedFrom(given, tool), preservesThrottles }, ports)
    case 'list':
      return actions.list(ports)
  }
}

function wantedFrom(given: ReassignOptions, tool: Tool): Assignment[] {
  const path = given.required('reassignment-json-file')
  return parseAssignments(jsonObjectOf(tool, path), path)
}

function generate(
  given: ReassignOptions,
  client: KafkaClient,
  tool: Tool,
): ReturnType<typeof actions.proposal> {
  const path = given.required('topics-to-move-json-file')
  const { topics } = jsonObjectOf(tool, path)
  const words = given
    .required('broker-list')
    .split(',')
    .map((word) => word.trim())
  const wrong = words.find((word) => !/^\d+$/.test(word))
  if (wrong !== undefined) throw new UserError(`For input string: "${wrong}"`)
  if (new Set(words).size < words.length) {
    throw new UserError(`Broker list contains duplicate entries: ${words.join(',')}`)
  }
  return actions.proposal(client.clusterAdmin(), {
    topics: objectsAt(topics ?? [], `${path}: topics`).map((one) => textAt(one, 'topic', path)),
    brokerIds: words.map(Number),
    isRackAware: !given.has('disable-rack-aware'),
    draw: (limit) => tool.ports.random.below(limit),
  })
}

/** Through znodes, in the words of 0.10.1. */
async function runOld(
  action: Action,
  given: ReassignOptions,
  client: KafkaClient,
  tool: Tool,
): Promise<void> {
  const print = printer(tool)
  const json = (one: readonly Assignment[]): string => assignmentJson(one, { logDirs: false })
  const admin = client.clusterAdmin()
  const connect = connectString(given.texts('zookeeper'))
  if (action === 'generate') {
    const { current, proposed } = await generate(given, client, tool)
    await print(`Current partition replica assignment\n\n${json(current)}`)
    return print(`Proposed partition reassignment configuration\n\n${json(proposed)}`)
  }
  if (action !== 'execute' && action !== 'verify') {
    throw new UserError(`--${action} needs --bootstrap-server`)
  }
  const wanted = wantedFrom(given, tool)
  const current = await actions.currentAssignments(
    admin,
    wanted.map(({ topic }) => topic),
  )
  if (action === 'execute') {
    if (given.has('throttle')) throw new UserError('--throttle needs --bootstrap-server')
    await actions.checkBrokers(admin, wanted)
    await actions.printRollback(current, { logDirs: false }, print)
    await withZooKeeper(tool.ports, connect, (session) => orderReassignment(session, wanted))
    return print('Successfully started reassignment of partitions.')
  }
  const moving = await withZooKeeper(tool.ports, connect, partitionsInMotion)
  const places = new Map(current.map((one) => [partitionKey(one), one.replicas.join()]))
  await print('Status of partition reassignment: ')
  for (const one of wanted) {
    const key = partitionKey(one)
    const state = moving.has(key)
      ? 'is still in progress'
      : places.get(key) === one.replicas.join()
        ? 'completed successfully'
        : 'failed'
    await print(`Reassignment of partition [${one.topic},${one.partition}] ${state}`)
  }
}
