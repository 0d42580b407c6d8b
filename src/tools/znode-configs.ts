// Settings in ZooKeeper, where the tools before --bootstrap-server changed them: /config/TYPE/NAME
// holds {"version":1,"config":{…}}, and a node below /config/changes tells the brokers to look.
import type { ConfigEntry } from '../client/admin/types.ts'
import { KafkaError } from '../client/errors.ts'
import { UserError } from '../runtime/service.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../zookeeper/client/client.ts'
import { brokersFromZooKeeper, connectString, withZooKeeper } from './bootstrap.ts'
import type { Entity, EntityType } from './config-options.ts'
import { plainText } from './java-names.ts'
import { OptionError } from './options.ts'
import { openClient, type Tool } from './tool.ts'

const changesPrefix = '/config/changes/config_change_'
/** The node of a type's default. */
const defaultName = '<default>'

export interface ZooKeeperConfigs {
  /** Words of --zookeeper. */
  readonly zookeeper: readonly string[]
  /** One, or users and clients together. */
  readonly entities: readonly Entity[]
}

/** undefined takes a setting away. */
export type ConfigChanges = ReadonlyMap<string, string | undefined>

/** Lines in the words of 0.10.1. @throws OptionError */
export function describeThroughZooKeeper(
  tool: Tool,
  { zookeeper, entities }: ZooKeeperConfigs,
): Promise<string[]> {
  return withZooKeeper(tool.ports, connectString(zookeeper), async (session) => {
    const lines: string[] = []
    const parts = parentsFirst(entities)
    const isWhole = parts.every(({ name }) => name === undefined)
    for (const found of await existing(session, parts, '')) {
      const configs = await readConfigs(session, `/config/${pathOf(found)}`)
      const isTopic = found.at(-1)?.type === 'topics' || found.at(-1)?.type === 'brokers'
      if (configs.size === 0 && !isTopic && isWhole) continue
      const pairs = [...configs].map(([name, value]) => `${name}=${value}`)
      lines.push(`Configs for ${describeEntity(found)} are ${pairs.join(',')}`)
    }
    return lines
  })
}

/** What topics have set for themselves, for brokers that do not tell. @throws OptionError */
export function topicConfigsInZooKeeper(
  tool: Tool,
  zookeeper: readonly string[],
  topics: readonly string[],
): Promise<Map<string, readonly ConfigEntry[]>> {
  return withZooKeeper(tool.ports, connectString(zookeeper), async (session) => {
    const found = new Map<string, readonly ConfigEntry[]>()
    for (const topic of topics) {
      const configs = await readConfigs(session, `/config/topics/${topic}`)
      found.set(
        topic,
        [...configs].map(([name, value]) => ({ ...ownEntry, name, value })),
      )
    }
    return found
  })
}

const ownEntry = {
  readOnly: false,
  isDefault: false,
  sensitive: false,
  source: 'topic',
  synonyms: [],
} as const

/** Of one topic, without a word. @throws OptionError, UserError */
export async function changeTopicConfigs(
  tool: Tool,
  { zookeeper, topic }: { readonly zookeeper: readonly string[]; readonly topic: string },
  changes: ConfigChanges,
): Promise<void> {
  const entity: Entity = { type: 'topics', name: topic }
  await checkNames(tool, zookeeper, [entity], changes)
  await withZooKeeper(tool.ports, connectString(zookeeper), (session) =>
    changeConfigs(session, pathOf([entity]), changes),
  )
}

/** @throws OptionError */
export async function alterThroughZooKeeper(
  tool: Tool,
  { zookeeper, entities }: ZooKeeperConfigs,
  changes: ConfigChanges,
): Promise<void> {
  const parts = parentsFirst(entities)
  await checkNames(tool, zookeeper, parts, changes)
  await withZooKeeper(tool.ports, connectString(zookeeper), async (session) => {
    for (const { type, name } of parts) {
      if (type !== 'topics') continue
      if ((await session.exists(`/brokers/topics/${name}`)) !== null) continue
      throw new OptionError(`Error while executing config command Topic "${name}" does not exist.`)
    }
    await changeConfigs(session, pathOf(parts), changes)
  })
  tool.context.stdout.write(`Updated config for entity: ${describeEntity(parts)}.\n`)
}

/**
 * Names and values are for the brokers to judge, where there is one that can.
 * @throws UserError, OptionError
 */
async function checkNames(
  tool: Tool,
  zookeeper: readonly string[],
  [entity]: readonly Entity[],
  changes: ConfigChanges,
): Promise<void> {
  const name = entity?.name
  const added = [...changes].flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))
  if (entity?.type !== 'topics' || typeof name !== 'string' || added.length === 0) return
  const connect = connectString(zookeeper)
  const bootstrapServers = await brokersFromZooKeeper(tool.ports, connect)
  const settings = { settings: {}, warnings: [], bootstrapServers, clientId: 'admin' }
  const client = openClient(tool, settings)
  try {
    const change = { type: 'topic' as const, name, set: Object.fromEntries(added) }
    const [outcome] = await client.admin().alterConfigs([change], { validateOnly: true })
    if (outcome?.error?.errorName !== 'INVALID_CONFIG') return
    throw new UserError(`Error while executing config command ${plainText(outcome.error)}`)
  } catch (error) {
    // Brokers before 0.11 judge nothing.
    if (!(error instanceof KafkaError)) throw error
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

/** @param path below /config */
export async function changeConfigs(
  session: Pick<ZooKeeperClient, 'getData' | 'setData' | 'makePath' | 'create' | 'exists'>,
  path: string,
  changes: ConfigChanges,
): Promise<void> {
  const configs = await readConfigs(session, `/config/${path}`)
  for (const [name, value] of changes) {
    if (value === undefined) configs.delete(name)
    else configs.set(name, value)
  }
  const data = Buffer.from(JSON.stringify({ version: 1, config: Object.fromEntries(configs) }))
  if ((await session.exists(`/config/${path}`)) === null) {
    await session.makePath(`/config/${path}`, data)
  } else await session.setData(`/config/${path}`, data)
  const note = Buffer.from(JSON.stringify({ version: 2, entity_path: path }))
  await session.create(changesPrefix, note, { sequential: true, stat: false })
}

async function readConfigs(
  session: Pick<ZooKeeperClient, 'getData'>,
  path: string,
): Promise<Map<string, string>> {
  const configs = new Map<string, string>()
  let text: string
  try {
    text = (await session.getData(path)).data.toString('utf8')
  } catch (error) {
    if (isZooKeeperError(error, 'NONODE')) return configs
    throw error
  }
  // Nodes that only have others below them are empty.
  if (text === '') return configs
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new OptionError(`${path} in ZooKeeper holds no JSON: ${text.slice(0, 80)}`)
  }
  const config = typeof json === 'object' && json !== null && 'config' in json ? json.config : {}
  for (const [name, value] of Object.entries(config ?? {})) configs.set(name, String(value))
  return configs
}

/** Users before their clients. */
function parentsFirst(entities: readonly Entity[]): Entity[] {
  return entities.toSorted(
    (one, other) => Number(other.type === 'users') - Number(one.type === 'users'),
  )
}

/** Entities of which no name was left out. */
async function existing(
  session: Pick<ZooKeeperClient, 'getChildren'>,
  [first, ...rest]: readonly Entity[],
  parent: string,
): Promise<Entity[][]> {
  if (first === undefined) return [[]]
  const names =
    first.name === undefined ? await childrenOf(session, parent, first.type) : [first.name]
  const found: Entity[][] = []
  for (const name of names) {
    const one: Entity = { type: first.type, name }
    const below = await existing(session, rest, `${parent}${pathOf([one])}/`)
    for (const others of below) found.push([one, ...others])
  }
  return found
}

async function childrenOf(
  session: Pick<ZooKeeperClient, 'getChildren'>,
  parent: string,
  type: EntityType,
): Promise<(string | null)[]> {
  const path = type === 'topics' ? '/brokers/topics' : `/config/${parent}${type}`
  try {
    const { children } = await session.getChildren(path)
    return children.sort().map((name) => (name === defaultName ? null : decodeURIComponent(name)))
  } catch (error) {
    if (isZooKeeperError(error, 'NONODE')) return []
    throw error
  }
}

/** Below /config. Users and clients may be named in any letters, so those are escaped. */
function pathOf(entities: readonly Entity[]): string {
  const parts = entities.map(({ type, name }) => {
    if (name === null || name === undefined) return `${type}/${defaultName}`
    const isPlain = type !== 'users' && type !== 'clients'
    return `${type}/${isPlain ? name : encodeURIComponent(name).replaceAll('*', '%2A')}`
  })
  return parts.join('/')
}

function describeEntity(entities: readonly Entity[]): string {
  const words: Readonly<Partial<Record<EntityType, string>>> = {
    topics: 'topic',
    brokers: 'broker',
    users: 'user-principal',
    clients: 'client-id',
  }
  return entities
    .map(({ type, name }) => {
      const word = words[type] ?? type
      return name === null || name === undefined ? `default ${word}` : `${word} '${name}'`
    })
    .join(', ')
}
