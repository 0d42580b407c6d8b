// Pure.
// Errors in the original's words. Scripts look for the names of its exception classes in what tools
// print, so errors are shown under those.
import { KafkaError } from '../client/errors.ts'

const packageName = 'org.apache.kafka.common.errors.'
/** What has no class of its own. */
const anyError = 'org.apache.kafka.common.KafkaException'
/** Errors of our client that no broker reports and the original names otherwise. */
const withoutClass: ReadonlySet<string> = new Set([
  'CLIENT_CLOSED',
  'BAD_RESPONSE',
  'INVALID_ARGUMENT',
])

/** Stands before what is wrong with a property. */
export const configException = 'org.apache.kafka.common.config.ConfigException'

/** Where the class is not the error's name in camel case with Exception behind it. */
const classNames: Readonly<Record<string, string>> = {
  UNKNOWN_SERVER_ERROR: 'UnknownServerException',
  CORRUPT_MESSAGE: 'CorruptRecordException',
  REQUEST_TIMED_OUT: 'TimeoutException',
  MESSAGE_TOO_LARGE: 'RecordTooLargeException',
  OFFSET_METADATA_TOO_LARGE: 'OffsetMetadataTooLarge',
  NETWORK_EXCEPTION: 'NetworkException',
  INVALID_TOPIC_EXCEPTION: 'InvalidTopicException',
  RECORD_LIST_TOO_LARGE: 'RecordBatchTooLargeException',
  TOPIC_AUTHORIZATION_FAILED: 'TopicAuthorizationException',
  GROUP_AUTHORIZATION_FAILED: 'GroupAuthorizationException',
  CLUSTER_AUTHORIZATION_FAILED: 'ClusterAuthorizationException',
  TOPIC_ALREADY_EXISTS: 'TopicExistsException',
  INVALID_CONFIG: 'InvalidConfigurationException',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'OutOfOrderSequenceException',
  SASL_AUTHENTICATION_FAILED: 'SaslAuthenticationException',
  REQUEST_TIMEOUT: 'TimeoutException',
  DELIVERY_TIMEOUT: 'TimeoutException',
  NO_BROKER_REACHABLE: 'TimeoutException',
  NON_EMPTY_GROUP: 'GroupNotEmptyException',
  CONNECTION_LOST: 'DisconnectException',
  NO_OFFSET: 'NoOffsetForPartitionException',
}

/** The full name of the exception class that stands for an error. */
export function exceptionName(errorName: string): string {
  if (withoutClass.has(errorName)) return anyError
  const known = classNames[errorName]
  if (known !== undefined) return packageName + known
  const words = errorName.toLowerCase().split('_')
  const camel = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
  return `${packageName}${camel}Exception`
}

/** The sentence alone, without the error's name and what it is about. */
export function plainText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof KafkaError)) return error.message
  const api = /^UNSUPPORTED_VERSION \((\w+) of broker/.exec(error.message)?.[1]
  if (api !== undefined) {
    return `The node does not support ${api.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`
  }
  const rest = error.message.slice(error.errorName.length)
  const [, detail, text = rest] = /^(?: \(([^)]*)\))?: (.*)$/s.exec(rest) ?? []
  // Elsewhere the detail is a name that the sentence has too.
  return error.errorName === 'MESSAGE_TOO_LARGE' && detail !== undefined
    ? `${text} (${detail})`
    : text
}

/** Class and sentence, as a Java log shows an exception. */
export function exceptionText(error: unknown): string {
  if (error instanceof KafkaError) return `${exceptionName(error.errorName)}: ${plainText(error)}`
  return plainText(error)
}

/** For a logger: prints as an exception does, without a stack of ours. */
export function javaError(error: unknown): Error {
  const shown = new Error(exceptionText(error))
  shown.stack = shown.message
  return shown
}
