// Pure.
/** What members can make of an error of the log that their group lives in. */
import { Errors } from '../../kafka/errors.ts'

/** Of a commit. */
export function commitError(error: number): number {
  switch (error) {
    case Errors.UNKNOWN_TOPIC_OR_PARTITION:
    case Errors.NOT_ENOUGH_REPLICAS:
    case Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case Errors.REQUEST_TIMED_OUT:
      return Errors.COORDINATOR_NOT_AVAILABLE
    case Errors.NOT_LEADER_OR_FOLLOWER:
    case Errors.KAFKA_STORAGE_ERROR:
      return Errors.NOT_COORDINATOR
    case Errors.MESSAGE_TOO_LARGE:
    case Errors.RECORD_LIST_TOO_LARGE:
      return Errors.INVALID_COMMIT_OFFSET_SIZE
    default:
      return error
  }
}

/** Of the group itself. */
export function groupError(error: number): number {
  switch (error) {
    case Errors.REQUEST_TIMED_OUT:
      return Errors.REBALANCE_IN_PROGRESS
    case Errors.MESSAGE_TOO_LARGE:
    case Errors.RECORD_LIST_TOO_LARGE:
      return Errors.UNKNOWN_SERVER_ERROR
    default:
      return commitError(error)
  }
}
