import { Errors } from '../../kafka/errors.ts'
import { CreateTopics } from '../../kafka/messages/create-topics.ts'
import { topicConfig } from '../config/topic.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { TopicOutcome } from '../topic-admin.ts'

type Wanted = RequestOf<typeof CreateTopics>['topics'][number]

/** Some messages repeat names that are themselves too long. */
const messageLengthMax = 1000
const zeroId = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * CreateTopics (key 19), on the controller. Waits until every partition has a leader; when the time is
 * up first, the answer is REQUEST_TIMED_OUT although the topic was made (kafka.md F19).
 */
export const createTopics = handler(CreateTopics, [0, 7], async (request, context) => {
  const names = new Map<string, number>()
  for (const { name } of request.topics) names.set(name, (names.get(name) ?? 0) + 1)
  const isController = context.parts.metadata.controllerId === context.parts.brokerId
  const topics = await Promise.all(
    [...names].map(async ([name, count]) => {
      const wanted = request.topics.find((topic) => topic.name === name)
      if (!isController || wanted === undefined) return row(name, refused(Errors.NOT_CONTROLLER))
      if (count > 1) return row(name, refused(Errors.INVALID_REQUEST))
      const outcome = await create(wanted, request.validateOnly, context)
      if (outcome.error === Errors.NONE && !request.validateOnly && request.timeoutMs > 0) {
        const isLed = await awaitLeaders(name, outcome, request.timeoutMs, context)
        if (!isLed) return row(name, refused(Errors.REQUEST_TIMED_OUT))
      }
      return row(name, outcome, describeConfigs(wanted, context))
    }),
  )
  return { topics }
})

function create(wanted: Wanted, validateOnly: boolean, context: RequestContext) {
  // Up to version 3 there are no defaults to ask for: -1 is refused like any other count below 1.
  const defaulted = (count: number): number => (context.apiVersion < 4 && count === -1 ? 0 : count)
  const assignment = new Map(
    wanted.assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds]),
  )
  const placed = assignment.size > 0
  return context.parts.topics.create({
    name: wanted.name,
    partitionCount: placed ? wanted.numPartitions : defaulted(wanted.numPartitions),
    replicationFactor: placed ? wanted.replicationFactor : defaulted(wanted.replicationFactor),
    assignment,
    configs: configsOf(wanted),
    validateOnly,
  })
}

function configsOf({ configs }: Wanted): Record<string, string> {
  return Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']))
}

function awaitLeaders(
  name: string,
  outcome: TopicOutcome,
  timeoutMs: number,
  context: RequestContext,
): Promise<boolean> {
  return context.parts.topics.settled(
    name,
    () => {
      const partitions = context.parts.metadata.topic(name)?.partitions ?? []
      const led = partitions.filter((one) => one !== undefined && one.leader >= 0)
      return led.length >= outcome.partitionCount
    },
    timeoutMs,
  )
}

function refused(error: number): TopicOutcome {
  const message = error === Errors.NOT_CONTROLLER ? 'This is not the correct controller.' : null
  return { error, message, topicId: undefined, partitionCount: -1, replicationFactor: -1 }
}

type ConfigRows = ReturnType<typeof describeConfigs>

function describeConfigs(wanted: Wanted, context: RequestContext) {
  return topicConfig(configsOf(wanted), context.parts.settings)
    .describe()
    .map(({ name, value, source }) => ({
      name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive: false,
    }))
}

function row(name: string, outcome: TopicOutcome, configs: ConfigRows = []) {
  const isMade = outcome.error === Errors.NONE
  return {
    name,
    topicId: outcome.topicId ?? zeroId,
    errorCode: outcome.error,
    errorMessage: outcome.message?.slice(0, messageLengthMax) ?? null,
    numPartitions: outcome.partitionCount,
    replicationFactor: outcome.replicationFactor,
    configs: isMade ? configs : null,
  }
}
