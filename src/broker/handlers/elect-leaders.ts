import { Errors } from '../../kafka/errors.ts'
import { ElectLeaders } from '../../kafka/messages/elect-leaders.ts'
import type { ElectionOutcome, ElectionType } from '../controller/elections.ts'
import { handler, type BrokerParts } from '../handler.ts'

const electionTypes: readonly ElectionType[] = ['preferred', 'unclean']

/**
 * ElectLeaders (key 43, KIP-183, KIP-460), on the controller: of the named partitions or of all. Waits
 * until this broker knows the new leaders; when the time is up first, those are REQUEST_TIMED_OUT although
 * they were elected.
 */
export const electLeaders = handler(ElectLeaders, [0, 2], async (request, context) => {
  const { parts, apiVersion } = context
  const named = request.topicPartitions
  const wanted =
    named?.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ) ?? null
  const type = apiVersion === 0 ? 'preferred' : electionTypes[request.electionType]
  if (type === undefined) return { errorCode: Errors.INVALID_REQUEST }
  const outcomes = await parts.controller.electLeaders(wanted, type)
  if (outcomes === undefined) return refused(wanted ?? [])
  // Who asks for all wants to hear of those that something was done about.
  const isTold = ({ error }: ElectionOutcome) =>
    named !== null || error !== Errors.ELECTION_NOT_NEEDED
  const settled = await Promise.all(
    outcomes.filter(isTold).map((outcome) => awaitLeader(outcome, request.timeoutMs, parts)),
  )
  return { errorCode: Errors.NONE, replicaElectionResults: rows(settled) }
})

async function awaitLeader(
  outcome: ElectionOutcome,
  timeoutMs: number,
  { topics, metadata }: BrokerParts,
): Promise<ElectionOutcome> {
  const { topic, partition, leader } = outcome
  if (leader === undefined) return outcome
  const isKnown = () => metadata.topic(topic)?.partitions[partition]?.leader === leader
  if (await topics.settled(topic, isKnown, Math.max(0, timeoutMs))) return outcome
  return { ...outcome, error: Errors.REQUEST_TIMED_OUT, message: null }
}

function refused(wanted: readonly { readonly topic: string; readonly partition: number }[]) {
  const message = 'This is not the correct controller for this cluster.'
  const error = Errors.NOT_CONTROLLER
  return {
    errorCode: error,
    replicaElectionResults: rows(
      wanted.map((one) => ({ ...one, error, message, leader: undefined })),
    ),
  }
}

function rows(outcomes: readonly ElectionOutcome[]) {
  return [...Map.groupBy(outcomes, ({ topic }) => topic)].map(([topic, partitions]) => ({
    topic,
    partitionResult: partitions.map(({ partition, error, message }) => ({
      partitionId: partition,
      errorCode: error,
      errorMessage: message,
    })),
  }))
}
