// How the admin client reaches brokers: the controller, one broker, or all of them, with retries.
import { Errors } from '../../kafka/errors.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, isRetriable, KafkaError } from '../errors.ts'
import type { NamedOutcome } from './types.ts'

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

/** Throws when the controller moved, so that the whole call is tried again there. */
export function checkController(answers: readonly { readonly errorCode: number }[]): void {
  if (answers.some(({ errorCode }) => errorCode === Errors.NOT_CONTROLLER)) {
    throw brokerError(Errors.NOT_CONTROLLER)
  }
}

/** Outcomes in the order asked. */
export function inOrder(
  names: readonly string[],
  outcomes: readonly NamedOutcome[],
): NamedOutcome[] {
  const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]))
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
