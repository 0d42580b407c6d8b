// Configuration of topics, brokers and what else has one, for the admin client.
import { Errors } from '../../kafka/errors.ts'
import { AlterConfigs } from '../../kafka/messages/alter-configs.ts'
import { DescribeConfigs } from '../../kafka/messages/describe-configs.ts'
import { IncrementalAlterConfigs } from '../../kafka/messages/incremental-alter-configs.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError } from '../errors.ts'
import { adminPurpose, atAnyBroker, errorFrom } from './calls.ts'
import type {
  ChangeOptions,
  ConfigChange,
  ConfigDescription,
  ConfigEntry,
  ConfigQuery,
  ConfigReplacement,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  NamedOutcome,
} from './types.ts'

const resourceTypes: Readonly<Record<ConfigResourceType, number>> = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
}

/** By their numbers in DescribeConfigs (KIP-226). */
const sources: readonly ConfigSource[] = [
  'unknown',
  'topic',
  'dynamicBroker',
  'dynamicDefaultBroker',
  'staticBroker',
  'default',
  'dynamicBrokerLogger',
  'clientMetrics',
  'group',
]

/** By their numbers in DescribeConfigs v3. */
const configTypes = [
  undefined,
  'boolean',
  'string',
  'int',
  'short',
  'long',
  'double',
  'list',
  'class',
  'password',
] as const

/** The operations of IncrementalAlterConfigs (KIP-339). */
const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface DescribeOptions {
  readonly synonyms?: boolean
  readonly documentation?: boolean
}

export function describeConfigs(
  cluster: Cluster,
  resources: readonly ConfigQuery[],
  options: DescribeOptions = {},
): Promise<ConfigDescription[]> {
  return atResources(cluster, resources, (connection, mine) => describe(connection, mine, options))
}

export function alterConfigs(
  cluster: Cluster,
  changes: readonly ConfigChange[],
  options: ChangeOptions = {},
): Promise<NamedOutcome[]> {
  return atResources(cluster, changes, async (connection, mine) => {
    const version = connection.versionIfAny(IncrementalAlterConfigs)
    if (version === undefined) return alterWhole(connection, mine, options)
    const resources = mine.map((change) => ({ ...wireName(change), configs: operationsOf(change) }))
    const body = { resources, validateOnly: options.validateOnly ?? false }
    const answer = await connection.request(IncrementalAlterConfigs, version, body)
    return outcomes(mine, answer.responses)
  })
}

export function replaceConfigs(
  cluster: Cluster,
  replacements: readonly ConfigReplacement[],
  options: ChangeOptions = {},
): Promise<NamedOutcome[]> {
  return atResources(cluster, replacements, (connection, mine) => {
    const wanted = mine.map((one) => new Map(Object.entries(one.configs)))
    return sendWhole(connection, mine, wanted, options)
  })
}

/**
 * A broker answers for its own configuration only; any broker for the rest. One request for each
 * broker; results in the order asked.
 */
async function atResources<R extends ConfigResource, T>(
  cluster: Cluster,
  resources: readonly R[],
  action: (connection: BrokerConnection, resources: readonly R[]) => Promise<T[]>,
): Promise<T[]> {
  const byTarget = new Map<string, R[]>()
  for (const resource of resources) {
    const own = resource.type === 'broker' || resource.type === 'brokerLogger'
    const target = own ? resource.name : ''
    const known = byTarget.get(target)
    if (known === undefined) byTarget.set(target, [resource])
    else known.push(resource)
  }
  const results = new Map<R, T>()
  await Promise.all(
    [...byTarget].map(async ([target, mine]) => {
      const found = await atTarget(cluster, target, (connection) => action(connection, mine))
      for (const [index, resource] of mine.entries()) {
        const result = found[index]
        if (result !== undefined) results.set(resource, result)
      }
    }),
  )
  return resources.flatMap((resource) => results.get(resource) ?? [])
}

function atTarget<T>(
  cluster: Cluster,
  target: string,
  action: (connection: BrokerConnection) => Promise<T>,
): Promise<T> {
  if (target === '') return atAnyBroker(cluster, action)
  return cluster.retrying(async () => {
    if (cluster.metadata.brokers.size === 0) await cluster.refresh()
    return action(await cluster.connectionTo(Number(target), adminPurpose))
  })
}

async function describe(
  connection: BrokerConnection,
  resources: readonly ConfigQuery[],
  options: DescribeOptions,
): Promise<ConfigDescription[]> {
  const version = connection.version(DescribeConfigs)
  const answer = await connection.request(DescribeConfigs, version, {
    resources: resources.map((resource) => ({
      ...wireName(resource),
      configurationKeys: resource.names ?? null,
    })),
    includeSynonyms: version >= 1 && options.synonyms === true,
    includeDocumentation: version >= 3 && options.documentation === true,
  })
  return resources.map((resource): ConfigDescription => {
    const { type, name } = resource
    const result = find(resource, answer.results)
    if (result === undefined) return { type, name, error: unanswered(name), entries: [] }
    const entries = result.configs.map((config) => entryOf(config, type, version))
    return { type, name, error: errorFrom(result, name), entries }
  })
}

type ConfigAnswer = ResponseOf<typeof DescribeConfigs>['results'][number]['configs'][number]

function entryOf(config: ConfigAnswer, type: ConfigResourceType, version: number): ConfigEntry {
  const source = sources[config.configSource] ?? 'unknown'
  // What only the broker's file sets is a default for a topic.
  const bySource = source === 'default' || (type === 'topic' && source === 'staticBroker')
  return {
    name: config.name,
    value: config.value,
    readOnly: config.readOnly,
    isDefault: version === 0 ? config.isDefault : bySource,
    sensitive: config.isSensitive,
    source,
    synonyms: config.synonyms.map((synonym) => ({
      name: synonym.name,
      value: synonym.value,
      source: sources[synonym.source] ?? 'unknown',
    })),
    type: configTypes[config.configType],
    documentation: config.documentation ?? undefined,
  }
}

interface Operation {
  readonly name: string
  readonly value: string | null
  readonly configOperation: number
}

function operationsOf({ set, append = {}, subtract = {} }: ConfigChange): Operation[] {
  const each = (values: Readonly<Record<string, string>>, configOperation: number): Operation[] =>
    Object.entries(values).map(([name, value]) => ({ name, value, configOperation }))
  const changed = Object.entries(set).map(([name, value]) => {
    return { name, value, configOperation: value === null ? operations.delete : operations.set }
  })
  return [...changed, ...each(append, operations.append), ...each(subtract, operations.subtract)]
}

/** Brokers before 2.3 take all overrides at once, so those that stay are read first. */
async function alterWhole(
  connection: BrokerConnection,
  changes: readonly ConfigChange[],
  options: ChangeOptions,
): Promise<NamedOutcome[]> {
  const lists = changes.find((change) => change.append ?? change.subtract)
  if (lists !== undefined) {
    const error = brokerError(Errors.UNSUPPORTED_VERSION, 'changes of lists need a broker from 2.3')
    return changes.map(({ name }) => ({ name, error }))
  }
  const before = await describe(connection, changes, {})
  const failed = before.find(({ error }) => error !== undefined)
  if (failed !== undefined) return before.map(({ name }) => ({ name, error: failed.error }))
  const wanted = changes.map((change, index) => {
    const kept = before[index]?.entries.filter((one) => !one.isDefault && !one.readOnly) ?? []
    const values = new Map(kept.map(({ name, value }) => [name, value]))
    for (const [name, value] of Object.entries(change.set)) {
      if (value === null) values.delete(name)
      else values.set(name, value)
    }
    return values
  })
  return sendWhole(connection, changes, wanted, options)
}

async function sendWhole(
  connection: BrokerConnection,
  resources: readonly ConfigResource[],
  wanted: readonly ReadonlyMap<string, string | null>[],
  options: ChangeOptions,
): Promise<NamedOutcome[]> {
  const version = connection.version(AlterConfigs)
  const answer = await connection.request(AlterConfigs, version, {
    resources: resources.map((resource, index) => ({
      ...wireName(resource),
      configs: [...(wanted[index] ?? [])].map(([name, value]) => ({ name, value })),
    })),
    validateOnly: options.validateOnly ?? false,
  })
  return outcomes(resources, answer.responses)
}

function wireName({ type, name }: ConfigResource): { resourceType: number; resourceName: string } {
  return { resourceType: resourceTypes[type], resourceName: name }
}

function find<A extends { readonly resourceType: number; readonly resourceName: string }>(
  { type, name }: ConfigResource,
  answers: readonly A[],
): A | undefined {
  const wanted = resourceTypes[type]
  return answers.find((one) => one.resourceType === wanted && one.resourceName === name)
}

function outcomes(
  resources: readonly ConfigResource[],
  answers: readonly {
    readonly errorCode: number
    readonly errorMessage: string | null
    readonly resourceType: number
    readonly resourceName: string
  }[],
): NamedOutcome[] {
  return resources.map((resource) => {
    const { name } = resource
    const answer = find(resource, answers)
    return { name, error: answer === undefined ? unanswered(name) : errorFrom(answer, name) }
  })
}

function unanswered(name: string): ReturnType<typeof brokerError> {
  return brokerError(Errors.UNKNOWN_SERVER_ERROR, `no answer about ${name}`)
}
