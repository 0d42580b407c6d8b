// Configuration of topics and brokers, for the admin client.
import { Errors } from '../../kafka/errors.ts'
import { AlterConfigs } from '../../kafka/messages/alter-configs.ts'
import { DescribeConfigs } from '../../kafka/messages/describe-configs.ts'
import { IncrementalAlterConfigs } from '../../kafka/messages/incremental-alter-configs.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError } from '../errors.ts'
import { adminPurpose, atAnyBroker, errorFrom } from './calls.ts'
import type {
  ConfigChange,
  ConfigDescription,
  ConfigEntry,
  ConfigResource,
  ConfigResourceType,
  NamedOutcome,
} from './types.ts'

const resourceTypes: Readonly<Record<ConfigResourceType, number>> = { topic: 2, broker: 4 }
/** Sources in DescribeConfigs: DEFAULT_CONFIG (KIP-226). */
const defaultSource = 5
/** For topics before sources exist, and for what only the broker's file sets. */
const staticBrokerSource = 4
const setOperation = 0
const deleteOperation = 1

export async function describeConfigs(
  cluster: Cluster,
  resources: readonly ConfigResource[],
): Promise<ConfigDescription[]> {
  const answers = await Promise.all(
    resources.map((resource) => atResource(cluster, resource, describeOne)),
  )
  return answers
}

export function alterConfigs(
  cluster: Cluster,
  changes: readonly ConfigChange[],
): Promise<NamedOutcome[]> {
  return Promise.all(changes.map((change) => atResource(cluster, change, alterOne)))
}

/** A broker answers for its own configuration only; any broker for topics. */
function atResource<R extends ConfigResource, T>(
  cluster: Cluster,
  resource: R,
  action: (connection: BrokerConnection, resource: R) => Promise<T>,
): Promise<T> {
  if (resource.type === 'topic' || resource.name === '') {
    return atAnyBroker(cluster, (connection) => action(connection, resource))
  }
  return cluster.retrying(async () => {
    if (cluster.metadata.brokers.size === 0) await cluster.refresh()
    const connection = await cluster.connectionTo(Number(resource.name), adminPurpose)
    return action(connection, resource)
  })
}

async function describeOne(
  connection: BrokerConnection,
  resource: ConfigResource,
): Promise<ConfigDescription> {
  const version = connection.version(DescribeConfigs)
  const answer = await connection.request(DescribeConfigs, version, {
    resources: [
      {
        resourceType: resourceTypes[resource.type],
        resourceName: resource.name,
        configurationKeys: null,
      },
    ],
  })
  const result = answer.results[0]
  const { type, name } = resource
  if (result === undefined) {
    return { type, name, error: brokerError(Errors.UNKNOWN_SERVER_ERROR, name), entries: [] }
  }
  const entries = result.configs.map((config): ConfigEntry => {
    const bySource =
      config.configSource === defaultSource ||
      (type === 'topic' && config.configSource === staticBrokerSource)
    return {
      name: config.name,
      value: config.value,
      readOnly: config.readOnly,
      isDefault: version === 0 ? config.isDefault : bySource,
      sensitive: config.isSensitive,
    }
  })
  return { type, name, error: errorFrom(result, name), entries }
}

async function alterOne(connection: BrokerConnection, change: ConfigChange): Promise<NamedOutcome> {
  const incremental = connection.versionIfAny(IncrementalAlterConfigs)
  const resource = { resourceType: resourceTypes[change.type], resourceName: change.name }
  if (incremental === undefined) return alterWhole(connection, change)
  const configs = Object.entries(change.set).map(([name, value]) => {
    return { name, value, configOperation: value === null ? deleteOperation : setOperation }
  })
  const body = { resources: [{ ...resource, configs }], validateOnly: false }
  const answer = await connection.request(IncrementalAlterConfigs, incremental, body)
  return outcome(change, answer.responses[0])
}

/** Brokers before 2.3 take all overrides at once, so those that stay are read first. */
async function alterWhole(
  connection: BrokerConnection,
  change: ConfigChange,
): Promise<NamedOutcome> {
  const before = await describeOne(connection, change)
  if (before.error !== undefined) return { name: change.name, error: before.error }
  const kept = before.entries.filter((entry) => !entry.isDefault && !entry.readOnly)
  const wanted = new Map(kept.map(({ name, value }) => [name, value]))
  for (const [name, value] of Object.entries(change.set)) {
    if (value === null) wanted.delete(name)
    else wanted.set(name, value)
  }
  const configs = [...wanted].map(([name, value]) => ({ name, value }))
  const resource = { resourceType: resourceTypes[change.type], resourceName: change.name }
  const body = { resources: [{ ...resource, configs }], validateOnly: false }
  const answer = await connection.request(AlterConfigs, connection.version(AlterConfigs), body)
  return outcome(change, answer.responses[0])
}

function outcome(
  { name }: ConfigChange,
  answer: { readonly errorCode: number; readonly errorMessage: string | null } | undefined,
): NamedOutcome {
  if (answer === undefined) return { name, error: brokerError(Errors.UNKNOWN_SERVER_ERROR, name) }
  return { name, error: errorFrom(answer, name) }
}
