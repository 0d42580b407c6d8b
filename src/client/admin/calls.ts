// How the admin client reaches brokers: the controller, one broker, or all of them, with retries.
import { Errors } from '../../kafka/errors.ts'
import type { Cluster, Interest } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, isRetriable, KafkaError } from '../errors.ts'
import { leaderOf } from '../metadata.ts'
import { noLeader } from '../offsets.ts'
import type { BrokerNode, TopicPartition } from '../types.ts'
import type { NamedOutcome, PartitionOutcome } from './types.ts'

/** Admin calls have connections of their own: a topic creation may take long. */
export const adminPurpose = 'admin'

/** One of many answers of a call. */
export interface Coded {
  readonly errorCode: number
  readonly errorMessage?: string | null
}

/** undefined where it went well. */
export function errorFrom(answer: Coded, detail: string): KafkaError | undefined {
  if (answer.errorCode === Errors.NONE) return undefined
  return brokerError(answer.errorCode, detail, answer.errorMessage ?? null)
}

/** Runs `action` at the controller; looks for it anew where it has moved. @throws KafkaError */
export function atController<T>(
  cluster: Cluster,
  action: (connection: BrokerConnection) => Promise<T>,
): Promise<T> {
  return cluster.retrying(async () => action(await cluster.controllerConnection(adminPurpose)), {
    retry: isSafeRetry,
  })
}

/** Runs `action` at any broker. @throws KafkaError */
export function atAnyBroker<T>(
  cluster: Cluster,
  action: (connection: BrokerConnection) => Promise<T>,
): Promise<T> {
  return cluster.retrying(async () => action(await cluster.anyConnection(adminPurpose)))
}

/**
 * Asks the leaders of partitions, each once for all of its own; asks again what may be retried
 * until time is up. Answers in the order of the queries.
 */
export async function atLeaders<Q extends TopicPartition, A extends PartitionOutcome>(
  cluster: Cluster,
  queries: readonly Q[],
  ask: (connection: BrokerConnection, queries: readonly Q[]) => Promise<readonly A[]>,
  failed: (query: Q, error: KafkaError) => A,
): Promise<A[]> {
  const answers = new Map<string, A>()
  const topics = new Set(queries.map(({ topic }) => topic))
  const interest: Interest = { topics, allowAutoTopicCreation: false, onMetadata: () => undefined }
  const keyOf = ({ topic, partition }: TopicPartition): string => `${partition} ${topic}`
  cluster.addInterest(interest)
  try {
    await cluster.retrying(() => cluster.refresh())
    await cluster.retrying(async () => {
      const open = queries.filter((query) => {
        const answer = answers.get(keyOf(query))
        return answer === undefined || isRetriable(answer.error)
      })
      await askEach(cluster, open, { ask, failed }, (answer) => answers.set(keyOf(answer), answer))
      const retry = open.map((query) => answers.get(keyOf(query))?.error).find(isRetriable)
      if (retry !== undefined) throw retry
    })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    for (const query of queries) {
      if (!answers.has(keyOf(query))) answers.set(keyOf(query), failed(query, error))
    }
  } finally {
    cluster.removeInterest(interest)
  }
  return queries.map((query) => {
    const missing = brokerError(Errors.UNKNOWN_SERVER_ERROR, `${query.topic}-${query.partition}`)
    return answers.get(keyOf(query)) ?? failed(query, missing)
  })
}

interface Asking<Q, A> {
  readonly ask: (connection: BrokerConnection, queries: readonly Q[]) => Promise<readonly A[]>
  readonly failed: (query: Q, error: KafkaError) => A
}

async function askEach<Q extends TopicPartition, A extends PartitionOutcome>(
  cluster: Cluster,
  queries: readonly Q[],
  { ask, failed }: Asking<Q, A>,
  onAnswer: (answer: A) => void,
): Promise<void> {
  const byLeader = new Map<BrokerNode, Q[]>()
  for (const query of queries) {
    const { topic, partition } = query
    const leader = leaderOf(cluster.metadata, topic, partition)
    const known = leader === undefined ? undefined : byLeader.get(leader)
    if (known !== undefined) known.push(query)
    else if (leader !== undefined) byLeader.set(leader, [query])
    else onAnswer(failed(query, noLeader(cluster, query)))
  }
  await Promise.all(
    [...byLeader].map(async ([leader, mine]) => {
      try {
        const connection = await cluster.connections.to(leader, adminPurpose)
        for (const answer of await ask(connection, mine)) onAnswer(answer)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        for (const query of mine) onAnswer(failed(query, error))
      }
    }),
  )
}

/** Partitions by topic, as requests have them. */
export function groupByTopic<Q extends TopicPartition>(
  queries: readonly Q[],
): { readonly name: string; readonly queries: readonly Q[] }[] {
  const topics = new Map<string, Q[]>()
  for (const query of queries) {
    const known = topics.get(query.topic)
    if (known === undefined) topics.set(query.topic, [query])
    else known.push(query)
  }
  return [...topics].map(([name, mine]) => ({ name, queries: mine }))
}

/** Throws when the controller moved, so that the whole call is tried again there. */
export function checkController(answers: readonly { readonly errorCode: number }[]): void {
  if (answers.some(({ errorCode }) => errorCode === Errors.NOT_CONTROLLER)) {
    throw brokerError(Errors.NOT_CONTROLLER)
  }
}

/** Outcomes in the order asked. */
export function inOrder<T extends NamedOutcome>(
  names: readonly string[],
  outcomes: readonly T[],
): (T | NamedOutcome)[] {
  const byName = new Map<string, T>(outcomes.map((outcome) => [outcome.name, outcome]))
  return names.map((name) => {
    const missing = brokerError(Errors.UNKNOWN_SERVER_ERROR, `no answer about ${name}`)
    return byName.get(name) ?? { name, error: missing }
  })
}

/**
 * A change whose answer got lost may have been made: sending it again could report that it exists
 * already. So only what surely did not arrive is tried again.
 */
function isSafeRetry(error: unknown): boolean {
  if (!(error instanceof KafkaError) || !isRetriable(error)) return false
  return error.errorName !== 'REQUEST_TIMEOUT' && error.code !== Errors.REQUEST_TIMED_OUT
}
