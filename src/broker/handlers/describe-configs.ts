import { Errors } from '../../kafka/errors.ts'
import { DescribeConfigs } from '../../kafka/messages/describe-configs.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { configSources, type DescribedConfig } from '../config/described.ts'
import { resourceTypes } from '../config-alteration.ts'
import { handler, type RequestContext } from '../handler.ts'
import { topicNameProblem } from '../topic-names.ts'

type Resource = RequestOf<typeof DescribeConfigs>['resources'][number]

/** DescribeConfigs (key 32) of topics and of this broker. Secrets have no value in it (kafka.md F45). */
export const describeConfigs = handler(DescribeConfigs, [0, 4], (request, context) => ({
  results: request.resources.map((resource) => {
    const found = describe(resource, context)
    const { resourceType, resourceName } = resource
    if ('errorCode' in found) return { ...found, resourceType, resourceName, configs: [] }
    const wanted = resource.configurationKeys
    const isAll = wanted === null || wanted.length === 0
    const rows = found.rows.filter((one) => isAll || wanted.includes(one.name))
    return {
      errorCode: Errors.NONE,
      errorMessage: '',
      resourceType,
      resourceName,
      configs: rows.map((one) => configRow(one, request, context.apiVersion)),
    }
  }),
}))

function describe(resource: Resource, context: RequestContext) {
  const { resourceType, resourceName } = resource
  if (resourceType === resourceTypes.topic) {
    const problem = topicNameProblem(resourceName)
    if (problem !== undefined)
      return {
        errorCode: Errors.INVALID_TOPIC_EXCEPTION,
        errorMessage: `Topic name is invalid: ${problem}`.slice(0, 1000),
      }
    if (context.parts.metadata.topic(resourceName) === undefined)
      return { errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: '' }
    return { rows: context.parts.configs.of(resourceName).describe() }
  }
  if (resourceType === resourceTypes.broker) {
    if (resourceName === '') return { rows: context.parts.settings.describeDefaults() }
    if (resourceName === String(context.parts.brokerId))
      return { rows: context.parts.settings.describe() }
    return invalid(
      `Unexpected broker id, expected ${context.parts.brokerId} or empty string, but received ${resourceName}`,
    )
  }
  // Levels of loggers are not told one by one.
  if (resourceType === resourceTypes.brokerLogger) return { rows: [] }
  if (resourceType === resourceTypes.clientMetrics)
    return invalid('Config type client-metrics is only supported on KRaft clusters')
  return invalid(
    'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.',
  )
}

function invalid(errorMessage: string) {
  return { errorCode: Errors.INVALID_REQUEST, errorMessage }
}

function configRow(
  config: DescribedConfig,
  request: RequestOf<typeof DescribeConfigs>,
  apiVersion: number,
) {
  const { name, source, readOnly, isSensitive } = config
  const row = { name, value: isSensitive ? null : config.value, readOnly, isSensitive }
  if (apiVersion === 0) return { ...row, isDefault: source === configSources.default }
  return {
    ...row,
    configSource: source,
    synonyms: request.includeSynonyms ? config.synonyms : [],
    configType: config.type,
    documentation: request.includeDocumentation ? config.about : null,
  }
}
