import { Errors } from '../../kafka/errors.ts'
import { IncrementalAlterConfigs } from '../../kafka/messages/incremental-alter-configs.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { alter, operations } from '../config/alteration.ts'
import { alterAll, resourceTypes, type Alteration, type Refusal } from '../config-alteration.ts'
import { handler, type RequestContext } from '../handler.ts'

type Resource = RequestOf<typeof IncrementalAlterConfigs>['resources'][number]

/** IncrementalAlterConfigs (key 44, KIP-339): sets, deletes, adds to lists and takes from them. */
export const incrementalAlterConfigs = handler(
  IncrementalAlterConfigs,
  [0, 1],
  async (request, context) => ({
    responses: await alterAll(request.resources, context, request.validateOnly, (resource) =>
      alterationOf(resource, context),
    ),
  }),
)

function alterationOf(resource: Resource, context: RequestContext): Alteration | Refusal {
  const { resourceType, resourceName, configs } = resource
  const invalid = (message: string): Refusal => ({ error: Errors.INVALID_REQUEST, message })
  const missing = configs.filter(
    ({ value, configOperation }) => value === null && configOperation !== operations.delete,
  )
  if (missing.length > 0)
    return invalid(`Null value not supported for : ${missing.map(({ name }) => name).join(',')}`)
  if (resourceType === resourceTypes.brokerLogger) {
    if (resourceName !== String(context.parts.brokerId))
      return invalid(
        `Unexpected node id. Expected ${context.parts.brokerId}, but received ${resourceName}`,
      )
    // Levels of loggers are not set one by one here: there are none by name.
    const message = `Logger ${configs[0]?.name ?? ''} does not exist!`
    return { error: Errors.INVALID_CONFIG, message }
  }
  if (resourceType === resourceTypes.clientMetrics)
    return invalid(
      'AlterConfigs is only supported for topics and brokers, but resource type is CLIENT_METRICS',
    )
  const known: readonly number[] = Object.values(operations)
  if (configs.some(({ configOperation }) => !known.includes(configOperation)))
    return { error: Errors.UNKNOWN_SERVER_ERROR, message: null }
  const changes = configs.map(({ name, configOperation, value }) => ({
    ...{ name, operation: configOperation, value: value ?? '' },
  }))
  return (current, declared) => alter(current, changes, declared)
}
