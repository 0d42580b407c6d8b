// kafka-configs: describes and changes the settings of topics, brokers, users, clients and addresses.
import type { ConfigEntry, ConfigResourceType, ConfigSource } from '../../client/admin/types.ts'
import type { KafkaClient } from '../../client/client.ts'
import { KafkaError } from '../../client/errors.ts'
import { withCluster } from '../cluster-tool.ts'
import {
  type ConfigOptions,
  type ConfigOrder,
  configOptions,
  configOrder,
  configsToAdd,
  configsToDelete,
  type Entity,
  type EntityType,
  singular,
} from '../config-options.ts'
import { exceptionText } from '../java-names.ts'
import { OptionError } from '../options.ts'
import { write } from '../output.ts'
import { alterQuotas, isQuotaEntity, quotaLines } from '../quotas.ts'
import { type Command, propertiesOf, type Tool } from '../tool.ts'
import { alterThroughZooKeeper, describeThroughZooKeeper } from '../znode-configs.ts'

export const configsCommand: Command<typeof configOptions> = {
  name: 'kafka-configs',
  className: 'kafka.admin.ConfigCommand',
  about: 'Describes and changes settings of topics, brokers, users, clients and addresses.',
  options: configOptions,
  run,
}

async function run(given: ConfigOptions, tool: Tool): Promise<number> {
  const order = configOrder(given)
  const changes = changesFrom(given, tool)
  if (given.has('zookeeper') && !given.has('bootstrap-server')) {
    const { stdout } = tool.context
    const way = { zookeeper: given.texts('zookeeper'), entities: order.entities }
    if (order.action === 'alter') await alterThroughZooKeeper(tool, way, changes)
    else for (const line of await describeThroughZooKeeper(tool, way)) stdout.write(`${line}\n`)
    return 0
  }
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    config: given.text('command-config'),
    clientId: 'adminclient-1',
  }
  return withCluster(tool, whereabouts, async (client) => {
    try {
      if (order.action === 'alter') await alter(order, changes, client, tool)
      else await describe(order, client, tool)
      return 0
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const words = tool.context.arguments.join(' ')
      tool.context.stderr.write(
        `Error while executing config command with args '${words}'\n` +
          `java.util.concurrent.ExecutionException: ${exceptionText(error)}\n`,
      )
      return 1
    }
  })
}

/** undefined takes a setting away. */
type Changes = ReadonlyMap<string, string | undefined>

function changesFrom(given: ConfigOptions, tool: Tool): Changes {
  const changes = new Map<string, string | undefined>()
  for (const name of configsToDelete(given.text('delete-config') ?? '')) {
    changes.set(name, undefined)
  }
  const file = given.text('add-config-file')
  const added =
    file === undefined
      ? configsToAdd(given.text('add-config') ?? '')
      : new Map(Object.entries(propertiesOf(tool, file)))
  for (const [name, value] of added) changes.set(name, value)
  return changes
}

const resourceTypes: Readonly<Partial<Record<EntityType, ConfigResourceType>>> = {
  topics: 'topic',
  brokers: 'broker',
  'broker-loggers': 'brokerLogger',
  'client-metrics': 'clientMetrics',
  groups: 'group',
}

function resourceType(type: EntityType): ConfigResourceType {
  const found = resourceTypes[type]
  if (found === undefined) throw new OptionError(`${type} have no such settings`)
  return found
}

/** What is set for the entity itself; everything of a logger is. */
const ownSource: Readonly<Partial<Record<EntityType, ConfigSource>>> = {
  topics: 'topic',
  brokers: 'dynamicBroker',
  'client-metrics': 'clientMetrics',
  groups: 'group',
}

async function describe(order: ConfigOrder, client: KafkaClient, tool: Tool): Promise<void> {
  const { stdout } = tool.context
  const [entity] = order.entities
  if (entity === undefined) return
  if (isQuotaEntity(entity)) {
    const lines = await quotaLines(tool, client, order.entities)
    return write(stdout, lines.map((line) => `${line}\n`).join(''))
  }
  for (const name of await namesOf(entity, client)) {
    const what =
      name === ''
        ? `Default configs for ${entity.type} in the cluster are:`
        : `${order.all ? 'All' : 'Dynamic'} configs for ${singular(entity.type)} ${name} are:`
    await write(stdout, `${what}\n`)
    const entries = await entriesOf(entity.type, name, client)
    const shown = order.all && name !== '' ? entries : entries.filter(isOwn(entity.type, name))
    await write(stdout, shown.map((entry) => `${configLine(entry)}\n`).join(''))
  }
}

/** '' stands for the default. */
async function namesOf({ type, name }: Entity, client: KafkaClient): Promise<string[]> {
  if (name !== undefined) return [name ?? '']
  if (type === 'topics') return client.admin().listTopics({ internal: true })
  if (type !== 'brokers' && type !== 'broker-loggers') {
    throw new OptionError(`an entity name must be specified with --describe of ${type}`)
  }
  const { brokers } = await client.admin().describeCluster()
  const ids = brokers.map(({ nodeId }) => nodeId).sort((one, other) => one - other)
  return [...ids.map(String), ...(type === 'brokers' ? [''] : [])]
}

/** By name. @throws KafkaError */
async function entriesOf(
  type: EntityType,
  name: string,
  client: KafkaClient,
): Promise<ConfigEntry[]> {
  const query = { type: resourceType(type), name }
  const [answer] = await client.admin().describeConfigs([query], { synonyms: true })
  if (answer?.error !== undefined) throw answer.error
  return (answer?.entries ?? []).toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

function isOwn(type: EntityType, name: string): (entry: ConfigEntry) => boolean {
  const wanted = name === '' ? 'dynamicDefaultBroker' : ownSource[type]
  return ({ source, isDefault }) =>
    wanted === undefined ||
    source === wanted ||
    // Brokers before 1.1 say no more than this.
    (source === 'unknown' && !isDefault)
}

const sourceNames: Readonly<Record<ConfigSource, string>> = {
  unknown: 'UNKNOWN',
  topic: 'DYNAMIC_TOPIC_CONFIG',
  dynamicBroker: 'DYNAMIC_BROKER_CONFIG',
  dynamicDefaultBroker: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
  staticBroker: 'STATIC_BROKER_CONFIG',
  default: 'DEFAULT_CONFIG',
  dynamicBrokerLogger: 'DYNAMIC_BROKER_LOGGER_CONFIG',
  clientMetrics: 'DYNAMIC_CLIENT_METRICS_CONFIG',
  group: 'DYNAMIC_GROUP_CONFIG',
}

export function configLine({ name, value, sensitive, synonyms }: ConfigEntry): string {
  const list = synonyms.map((one) => `${sourceNames[one.source]}:${one.name}=${one.value}`)
  return `  ${name}=${value} sensitive=${sensitive} synonyms={${list.join(', ')}}`
}

async function alter(
  { entities }: ConfigOrder,
  changes: Changes,
  client: KafkaClient,
  tool: Tool,
): Promise<void> {
  const [entity] = entities
  if (entity === undefined) return
  const { type } = entity
  const name = entity.name ?? ''
  if (isQuotaEntity(entity)) await alterQuotas(tool, client, entities, changes)
  else {
    await checkDeletions(type, name, changes, client)
    const set = Object.fromEntries([...changes].map(([key, value]) => [key, value ?? null]))
    const change = { type: resourceType(type), name, set }
    const [outcome] = await client.admin().alterConfigs([change])
    if (outcome?.error !== undefined) throw outcome.error
  }
  const what =
    name === ''
      ? `Completed updating default config for ${type} in the cluster.`
      : `Completed updating config for ${singular(type)} ${name}.`
  await write(tool.context.stdout, `${what}\n`)
}

/** @throws OptionError for what is not set; KafkaError */
async function checkDeletions(
  type: EntityType,
  name: string,
  changes: Changes,
  client: KafkaClient,
): Promise<void> {
  const entries = await entriesOf(type, name, client)
  const known = new Set(entries.filter(isOwn(type, name)).map((entry) => entry.name))
  const wrong = [...changes].filter(([key, value]) => value === undefined && !known.has(key))
  if (wrong.length === 0) return
  throw new OptionError(`Invalid config(s): ${wrong.map(([key]) => key).join(',')}`)
}
