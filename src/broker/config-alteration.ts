import { Errors } from '../kafka/errors.ts'
import { isZooKeeperError } from '../zookeeper/client/client.ts'
import type { Setting } from '../runtime/settings.ts'
import type { Altered } from './config/alteration.ts'
import { brokerDeclarations } from './config/broker-settings.ts'
import { dynamicProblem } from './config/dynamic.ts'
import type { Properties } from './config/layers.ts'
import { topicAlterationProblem, topicDeclarations } from './config/topic.ts'
import { allBrokers, type ConfigDecision, type ConfigEntity } from './config-store.ts'
import type { BrokerParts, RequestContext } from './handler.ts'

/** Types of resources, as the configuration APIs number them. */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16 } as const

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

/** A row of the answers of both altering APIs. */
export interface AlterationAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

export interface Refusal {
  readonly error: number
  readonly message: string | null
}

/** What is kept is to become what is asked for. */
export type Alteration = (
  current: Properties,
  declared: Readonly<Record<string, Setting<unknown>>>,
) => Altered

const invalid = (message: string): Refusal => ({ error: Errors.INVALID_REQUEST, message })

/** Changes each resource's settings; none of them twice. Problems have the original's words. */
export function alterAll<R extends Resource>(
  resources: readonly R[],
  context: RequestContext,
  validateOnly: boolean,
  alterationOf: (resource: R) => Alteration | Refusal,
): Promise<AlterationAnswer[]> {
  const counts = new Map<string, number>()
  const keyOf = ({ resourceType, resourceName }: R): string => `${resourceType} ${resourceName}`
  for (const one of resources) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1)
  return Promise.all(
    resources.map(async (resource) => {
      const { resourceType, resourceName } = resource
      const refusal =
        (counts.get(keyOf(resource)) ?? 0) > 1
          ? invalid('Each resource must appear at most once.')
          : await alterOne(resource, context, validateOnly, alterationOf)
      const { error = Errors.NONE, message = null } = refusal ?? {}
      return { errorCode: error, errorMessage: message, resourceType, resourceName }
    }),
  )
}

async function alterOne<R extends Resource>(
  resource: R,
  context: RequestContext,
  validateOnly: boolean,
  alterationOf: (resource: R) => Alteration | Refusal,
): Promise<Refusal | undefined> {
  const names = resource.configs.map(({ name }) => name)
  if (new Set(names).size < names.length) return invalid('Error due to duplicate config keys')
  const alteration = alterationOf(resource)
  if (typeof alteration !== 'function') return alteration
  const { resourceType, resourceName } = resource
  try {
    if (resourceType === resourceTypes.topic)
      return await alterTopic(resourceName, context, validateOnly, alteration)
    if (resourceType === resourceTypes.broker)
      return await alterBroker(resourceName, context, validateOnly, alteration)
    return invalid(`Unknown resource type ${resourceType}`)
  } catch (error) {
    if (!isZooKeeperError(error)) throw error
    context.parts.logger.warn(`Could not change the settings of ${resourceName}`, error)
    const { message } = error
    const isAway =
      isZooKeeperError(error, 'CONNECTIONLOSS') || isZooKeeperError(error, 'SESSIONEXPIRED')
    return isAway
      ? { error: Errors.REQUEST_TIMED_OUT, message: 'Coordination is away.' }
      : { error: Errors.UNKNOWN_SERVER_ERROR, message }
  }
}

function alterTopic(
  topic: string,
  { parts }: RequestContext,
  validateOnly: boolean,
  alteration: Alteration,
): Promise<Refusal | undefined> {
  const refused = (error: number, message: string): Refusal => ({ error, message })
  if (topic === '') return Promise.resolve(invalid('Default topic resources are not allowed.'))
  if (parts.metadata.topic(topic) === undefined) {
    const message = `The topic '${topic}' does not exist.`
    return Promise.resolve(refused(Errors.UNKNOWN_TOPIC_OR_PARTITION, message))
  }
  const decide = (current: Properties) => {
    const { properties, problem } = alteration(current, topicDeclarations.settings)
    const reason = problem ?? topicAlterationProblem(topic, properties ?? {}, parts.settings)
    if (properties === undefined || reason !== undefined)
      return { properties: undefined, refusal: refused(Errors.INVALID_CONFIG, reason ?? '') }
    return { properties, refusal: undefined }
  }
  return change({ type: 'topics', name: topic }, decide, parts, validateOnly)
}

function alterBroker(
  name: string,
  { parts }: RequestContext,
  validateOnly: boolean,
  alteration: Alteration,
): Promise<Refusal | undefined> {
  const problem = brokerNameProblem(name, parts.brokerId)
  if (problem !== undefined) return Promise.resolve(invalid(problem))
  const isOwn = name !== ''
  const decide = (current: Properties) => {
    const altered = alteration(current, brokerDeclarations.settings)
    const { properties } = altered
    if (properties === undefined)
      return {
        properties,
        refusal: { error: Errors.INVALID_CONFIG, message: altered.problem },
      }
    const reason = dynamicProblem({ properties, isOwn }, parts.settings)
    return reason === undefined
      ? { properties, refusal: undefined }
      : { properties: undefined, refusal: invalid(reason) }
  }
  const entity: ConfigEntity = {
    type: 'brokers',
    name: isOwn ? String(parts.brokerId) : allBrokers,
  }
  return change(entity, decide, parts, validateOnly)
}

/** What was changed is acted on, and described, from the answer on. */
async function change(
  entity: ConfigEntity,
  decide: (current: Properties) => ConfigDecision<Refusal>,
  { configStore, configs }: BrokerParts,
  validateOnly: boolean,
): Promise<Refusal | undefined> {
  const refusal = await configStore.change(entity, decide, validateOnly)
  if (refusal === undefined && !validateOnly) await configs.reread(entity)
  return refusal
}

/** A broker answers for itself, and for all of them together. */
function brokerNameProblem(name: string, brokerId: number): string | undefined {
  if (name === '') return undefined
  if (!/^[+-]?\d{1,10}$/.test(name)) return `Node id must be an integer, but it is: ${name}`
  if (Number(name) === brokerId) return undefined
  return `Unexpected broker id, expected ${brokerId}, but received ${name}`
}
