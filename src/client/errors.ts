// Pure.
// The one error type of the client: a row of Kafka's error table, or a failure of the client's own.
import { errorOf } from '../kafka/errors.ts'

/**
 * A request that failed. `code` and `errorName` are those of Kafka's table; failures of the
 * client's own have code -1 and one of the names in ClientErrorName. `retriable` says that the same
 * call may succeed later without anybody changing anything.
 */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  readonly code: number
  readonly errorName: string
  readonly retriable: boolean
  constructor(row: ErrorRow, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = row.code
    this.errorName = row.errorName
    this.retriable = row.retriable
  }
}

export interface ErrorRow {
  readonly code: number
  readonly errorName: string
  readonly retriable: boolean
}

/** Failures that no broker reports. */
export type ClientErrorName =
  | 'CLIENT_CLOSED'
  | 'CONNECTION_LOST'
  | 'REQUEST_TIMEOUT'
  | 'DELIVERY_TIMEOUT'
  | 'NO_BROKER_REACHABLE'
  | 'BAD_RESPONSE'
  | 'NO_OFFSET'
  | 'LOG_TRUNCATED'
  | 'INVALID_ARGUMENT'

const retriableClientErrors: ReadonlySet<ClientErrorName> = new Set([
  'CONNECTION_LOST',
  'REQUEST_TIMEOUT',
  'NO_BROKER_REACHABLE',
])

/** An error that a broker answered. `detail` says about what: a topic, a group. */
export function brokerError(code: number, detail?: string, serverText?: string | null): KafkaError {
  const row = errorOf(code)
  const text = serverText ?? row.text
  const message = detail === undefined ? `${row.name}: ${text}` : `${row.name} (${detail}): ${text}`
  return new KafkaError({ code, errorName: row.name, retriable: row.retriable }, message)
}

/** A failure of the client's own. */
export function clientError(
  errorName: ClientErrorName,
  message: string,
  options?: ErrorOptions,
): KafkaError {
  const retriable = retriableClientErrors.has(errorName)
  return new KafkaError({ code: -1, errorName, retriable }, `${errorName}: ${message}`, options)
}

/** Whether trying again may help: for the loops that retry. */
export function isRetriable(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable
}
