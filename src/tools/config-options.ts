// Pure.
// The command line of kafka-configs: which entities are meant, what changes. Texts are the original's.
import { clusterOptions, zookeeperOption } from './common-options.ts'
import { OptionError, type Options, type OptionTable } from './options.ts'

export const configOptions = {
  ...clusterOptions,
  ...zookeeperOption,
  describe: { about: 'Prints the settings of entities.' },
  alter: { about: 'Changes the settings of an entity.' },
  'entity-type': {
    takes: 'type',
    repeated: true,
    about:
      'topics, brokers, broker-loggers, users, clients, ips, client-metrics or groups; users and clients also' +
      ' together.',
  },
  'entity-name': { takes: 'name', repeated: true, about: 'One for each --entity-type.' },
  'entity-default': { repeated: true, about: 'Instead of a name: the default of the type.' },
  topic: { takes: 'name', about: 'The same as --entity-type topics --entity-name.' },
  client: { takes: 'id', about: 'The same for clients.' },
  user: { takes: 'name', about: 'The same for users.' },
  broker: { takes: 'id', about: 'The same for brokers.' },
  'broker-logger': { takes: 'id', about: 'The same for broker-loggers.' },
  ip: { takes: 'address', about: 'The same for ips.' },
  'client-metrics': { takes: 'name', about: 'The same for client-metrics.' },
  group: { takes: 'id', about: 'The same for groups.' },
  'client-defaults': { about: 'The default of clients.' },
  'user-defaults': { about: 'The default of users.' },
  'broker-defaults': { about: 'The default of brokers.' },
  'ip-defaults': { about: 'The default of ips.' },
  'add-config': {
    takes: 'k1=v1,k2=[v1,v2]',
    about: 'Settings to add; brackets hold a value with commas together.',
  },
  'add-config-file': { takes: 'file', about: 'The same from a properties file.' },
  'delete-config': { takes: 'k1,k2', about: 'Settings to take away.' },
  all: { about: 'With --describe: also what is not set for the entity itself.' },
  force: { about: 'Accepted for older scripts; nothing is asked.' },
} as const satisfies OptionTable

export type ConfigOptions = Options<typeof configOptions>
export type ConfigAction = 'describe' | 'alter'

const entityTypes = [
  'topics',
  'clients',
  'users',
  'brokers',
  'ips',
  'broker-loggers',
  'client-metrics',
  'groups',
] as const
export type EntityType = (typeof entityTypes)[number]

export interface Entity {
  readonly type: EntityType
  /** null: the default of the type; undefined: all of the type. */
  readonly name: string | null | undefined
}

export interface ConfigOrder {
  readonly action: ConfigAction
  /** One, or users and clients together. */
  readonly entities: readonly Entity[]
  readonly all: boolean
}

const shortcuts = [
  ['topic', 'topics'],
  ['client', 'clients'],
  ['user', 'users'],
  ['broker', 'brokers'],
  ['broker-logger', 'broker-loggers'],
  ['ip', 'ips'],
  ['client-metrics', 'client-metrics'],
  ['group', 'groups'],
] as const satisfies readonly (readonly [keyof typeof configOptions, EntityType])[]

const defaults = [
  ['client-defaults', 'clients'],
  ['user-defaults', 'users'],
  ['broker-defaults', 'brokers'],
  ['ip-defaults', 'ips'],
] as const satisfies readonly (readonly [keyof typeof configOptions, EntityType])[]

/** @throws OptionError */
export function configOrder(given: ConfigOptions): ConfigOrder {
  if (given.has('describe') === given.has('alter')) {
    throw new OptionError('Command must include exactly one action: --describe, --alter')
  }
  const action = given.has('alter') ? 'alter' : 'describe'
  if (!given.has('bootstrap-server') && !given.has('zookeeper')) {
    throw new OptionError(
      'One of the required --bootstrap-server, --bootstrap-controller, or --zookeeper arguments must be specified',
    )
  }
  const entities = entitiesFrom(given)
  checkEntities(entities)
  if (action === 'alter') checkAlter(given, entities)
  else if (given.has('add-config') || given.has('delete-config')) {
    const other = given.has('add-config') ? 'add-config' : 'delete-config'
    throw new OptionError(`Option "[describe]" can't be used with option "[${other}]"`)
  }
  return { action, entities, all: given.has('all') }
}

function entitiesFrom(given: ConfigOptions): Entity[] {
  const entities: Entity[] = []
  for (const [option, type] of shortcuts) {
    const name = given.text(option)
    if (name !== undefined) entities.push({ type, name })
  }
  for (const [option, type] of defaults) if (given.has(option)) entities.push({ type, name: null })
  const names = given.texts('entity-name').values()
  const spelt = given.order
    .filter((option) => option === 'entity-name' || option === 'entity-default')
    .map((option) => (option === 'entity-name' ? (names.next().value ?? '') : null))
  for (const [index, text] of given.texts('entity-type').entries()) {
    entities.push({ type: entityType(text, given.has('zookeeper')), name: spelt[index] })
  }
  if (spelt.length > given.texts('entity-type').length) {
    throw new OptionError('--entity-name or --entity-default must be specified with --entity-type')
  }
  return entities
}

function entityType(text: string, isOldWay: boolean): EntityType {
  const found = entityTypes.find((type) => type === text)
  if (found !== undefined) return found
  const known = isOldWay ? ['topics', 'clients', 'users', 'brokers'] : entityTypes
  const way = isOldWay ? '--zookeeper' : '--bootstrap-server or --bootstrap-controller'
  throw new OptionError(
    `Invalid entity type ${text}, the entity type must be one of ${known.join(', ')} with a ${way} argument`,
  )
}

function checkEntities(entities: readonly Entity[]): void {
  if (entities.length === 0) throw new OptionError('At least one entity type must be specified')
  const types = entities.map(({ type }) => type)
  const quotas = new Set<EntityType>(['users', 'clients'])
  const isPair = types.length === 2 && new Set(types).size === 2
  if (types.length > 1 && !(isPair && types.every((type) => quotas.has(type)))) {
    throw new OptionError(
      `Only 'users' and 'clients' entity types may be specified together, and each once: ${types.join(', ')}`,
    )
  }
  for (const { type, name } of entities) {
    if ((type === 'brokers' || type === 'broker-loggers') && typeof name === 'string') {
      if (/^\d+$/.test(name)) continue
      throw new OptionError(
        `The entity name for ${type} must be a valid integer broker id, but it is: ${name}`,
      )
    }
  }
}

function checkAlter(given: ConfigOptions, entities: readonly Entity[]): void {
  const nameless = entities.find(({ name }) => name === undefined)
  if (nameless !== undefined) {
    throw new OptionError(`an entity name must be specified with --alter of ${nameless.type}`)
  }
  if (given.has('add-config') && given.has('add-config-file')) {
    throw new OptionError('Only one of --add-config or --add-config-file must be specified')
  }
  if (!given.has('add-config') && !given.has('add-config-file') && !given.has('delete-config')) {
    throw new OptionError(
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
    )
  }
}

/** `k1=v1,k2=[v1,v2]`. @throws OptionError */
export function configsToAdd(text: string): Map<string, string> {
  const configs = new Map<string, string>()
  for (const pair of text.split(/,(?![^[]*\])/)) {
    if (pair.trim() === '') continue
    const equals = pair.indexOf('=')
    if (equals < 1) {
      throw new OptionError(
        'requirement failed: Invalid entity config: all configs to be added must be in the format "key=val".',
      )
    }
    const value = pair.slice(equals + 1).trim()
    configs.set(pair.slice(0, equals).trim(), value.replace(/^\[(.*)\]$/s, '$1'))
  }
  return configs
}

/** `k1,k2` */
export function configsToDelete(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** As messages name the type: topics is a topic. */
export function singular(type: EntityType): string {
  return type === 'client-metrics' ? type : type.slice(0, -1)
}
