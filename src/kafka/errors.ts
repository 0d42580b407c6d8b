// Kafka's error codes: one table, from which the constants and their properties follow.
// Texts are ours; clients only act on codes.

type Flags = '' | 'retriable' | 'stale metadata'

/** `stale metadata` means retriable, and that the client should refresh its metadata first. */
const rows = [
  [-1, 'UNKNOWN_SERVER_ERROR', '', 'The broker failed in an unexpected way.'],
  [0, 'NONE', '', ''],
  [1, 'OFFSET_OUT_OF_RANGE', '', 'The offset is outside what the partition holds.'],
  [2, 'CORRUPT_MESSAGE', 'retriable', 'The records fail their checksum or are malformed.'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'stale metadata', 'This broker has no such topic partition.'],
  [4, 'INVALID_FETCH_SIZE', '', 'The fetch size is invalid.'],
  [5, 'LEADER_NOT_AVAILABLE', 'stale metadata', 'The partition has no leader at the moment.'],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'stale metadata', 'This broker does not lead the partition.'],
  [7, 'REQUEST_TIMED_OUT', 'retriable', 'The request did not finish in time.'],
  [8, 'BROKER_NOT_AVAILABLE', '', 'The broker is not available.'],
  [9, 'REPLICA_NOT_AVAILABLE', 'stale metadata', 'This broker has no replica of the partition.'],
  [10, 'MESSAGE_TOO_LARGE', '', 'A batch is larger than the topic accepts.'],
  [11, 'STALE_CONTROLLER_EPOCH', '', 'The controller has been replaced by a newer one.'],
  [12, 'OFFSET_METADATA_TOO_LARGE', '', 'The metadata of a committed offset is too long.'],
  [13, 'NETWORK_EXCEPTION', 'stale metadata', 'The connection ended before the answer.'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'retriable', 'The coordinator is still loading its state.'],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'retriable', 'The coordinator is not available.'],
  [16, 'NOT_COORDINATOR', 'retriable', 'This broker is not the coordinator.'],
  [
    17,
    'INVALID_TOPIC_EXCEPTION',
    '',
    'The name is not a valid topic name, or must not be used so.',
  ],
  [18, 'RECORD_LIST_TOO_LARGE', '', 'The records are larger than a segment.'],
  [19, 'NOT_ENOUGH_REPLICAS', 'retriable', 'Fewer replicas are in sync than required.'],
  [
    20,
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'retriable',
    'Written, but too few replicas are in sync.',
  ],
  [21, 'INVALID_REQUIRED_ACKS', '', 'The required acknowledgements must be -1, 0 or 1.'],
  [22, 'ILLEGAL_GENERATION', '', "The generation is not the group's current one."],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', '', 'The member shares no protocol with the group.'],
  [24, 'INVALID_GROUP_ID', '', 'The group id is invalid.'],
  [25, 'UNKNOWN_MEMBER_ID', '', 'The coordinator does not know this member.'],
  [26, 'INVALID_SESSION_TIMEOUT', '', 'The session timeout is outside what the broker allows.'],
  [27, 'REBALANCE_IN_PROGRESS', '', 'The group is rebalancing; join again.'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', '', 'The offset commit is too large.'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', '', 'Not authorized for the topic.'],
  [30, 'GROUP_AUTHORIZATION_FAILED', '', 'Not authorized for the group.'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', '', 'Not authorized for the cluster.'],
  [32, 'INVALID_TIMESTAMP', '', 'A timestamp is outside what the topic accepts.'],
  [33, 'UNSUPPORTED_SASL_MECHANISM', '', 'The broker does not offer this SASL mechanism.'],
  [34, 'ILLEGAL_SASL_STATE', '', 'The request does not fit the state of the SASL exchange.'],
  [35, 'UNSUPPORTED_VERSION', '', 'The version of the request is not supported.'],
  [36, 'TOPIC_ALREADY_EXISTS', '', 'A topic of this name exists.'],
  [37, 'INVALID_PARTITIONS', '', 'The number of partitions is invalid.'],
  [38, 'INVALID_REPLICATION_FACTOR', '', 'The replication factor is below 1 or above the brokers.'],
  [39, 'INVALID_REPLICA_ASSIGNMENT', '', 'The assignment of replicas is invalid.'],
  [40, 'INVALID_CONFIG', '', 'A setting is invalid.'],
  [41, 'NOT_CONTROLLER', 'retriable', 'This broker is not the controller.'],
  [42, 'INVALID_REQUEST', '', 'The request contradicts itself or the protocol.'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', '', "The topic's message format cannot carry this."],
  [44, 'POLICY_VIOLATION', '', 'A policy of the cluster forbids this.'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', '', 'A sequence number is missing before this one.'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', '', 'The sequence number has been seen before.'],
  [47, 'INVALID_PRODUCER_EPOCH', '', 'The producer epoch is an old one.'],
  [48, 'INVALID_TXN_STATE', '', "The transaction's state does not allow this."],
  [
    49,
    'INVALID_PRODUCER_ID_MAPPING',
    '',
    'The producer id does not belong to the transactional id.',
  ],
  [
    50,
    'INVALID_TRANSACTION_TIMEOUT',
    '',
    'The transaction timeout is above what the broker allows.',
  ],
  [51, 'CONCURRENT_TRANSACTIONS', 'retriable', 'The last transaction is still being completed.'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', '', 'A newer transaction coordinator has taken over.'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', '', 'Not authorized for the transactional id.'],
  [54, 'SECURITY_DISABLED', '', 'The broker has no authorizer.'],
  [55, 'OPERATION_NOT_ATTEMPTED', '', 'Not attempted, since another part of the request failed.'],
  [56, 'KAFKA_STORAGE_ERROR', 'stale metadata', 'The disk failed.'],
  [57, 'LOG_DIR_NOT_FOUND', '', 'The broker has no such log directory.'],
  [58, 'SASL_AUTHENTICATION_FAILED', '', 'Authentication failed.'],
  [59, 'UNKNOWN_PRODUCER_ID', '', 'The partition holds nothing of this producer id.'],
  [60, 'REASSIGNMENT_IN_PROGRESS', '', 'A reassignment is in progress.'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', '', 'Delegation tokens are switched off.'],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', '', 'There is no such delegation token.'],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', '', 'The token belongs to somebody else.'],
  [64, 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', '', 'Tokens cannot be handled on this channel.'],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', '', 'Not authorized for the delegation token.'],
  [66, 'DELEGATION_TOKEN_EXPIRED', '', 'The delegation token has expired.'],
  [67, 'INVALID_PRINCIPAL_TYPE', '', 'The type of the principal is not supported.'],
  [68, 'NON_EMPTY_GROUP', '', 'The group has members.'],
  [69, 'GROUP_ID_NOT_FOUND', '', 'There is no such group.'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 'retriable', 'The broker has no such fetch session.'],
  [
    71,
    'INVALID_FETCH_SESSION_EPOCH',
    'retriable',
    'The epoch of the fetch session is not the next one.',
  ],
  [
    72,
    'LISTENER_NOT_FOUND',
    'stale metadata',
    'The leader has no listener of the name asked with.',
  ],
  [73, 'TOPIC_DELETION_DISABLED', '', 'Topic deletion is switched off.'],
  [74, 'FENCED_LEADER_EPOCH', 'stale metadata', "The leader epoch is older than the broker's."],
  [75, 'UNKNOWN_LEADER_EPOCH', 'retriable', "The leader epoch is newer than the broker's."],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', '', 'The codec cannot be used in this version.'],
  [77, 'STALE_BROKER_EPOCH', '', 'The broker has registered anew since.'],
  [78, 'OFFSET_NOT_AVAILABLE', 'retriable', 'The new leader does not know the offset yet.'],
  [79, 'MEMBER_ID_REQUIRED', '', 'Join again with the member id of this answer.'],
  [
    80,
    'PREFERRED_LEADER_NOT_AVAILABLE',
    'stale metadata',
    'The preferred leader is not available.',
  ],
  [81, 'GROUP_MAX_SIZE_REACHED', '', 'The group is full.'],
  [82, 'FENCED_INSTANCE_ID', '', 'Another member has taken over the instance id.'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', 'stale metadata', 'No eligible leader is available.'],
  [84, 'ELECTION_NOT_NEEDED', 'stale metadata', 'The partition has the leader asked for.'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', '', 'No reassignment is in progress.'],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', '', 'The group is subscribed to the topic.'],
  [87, 'INVALID_RECORD', '', 'A record was refused.'],
  [88, 'UNSTABLE_OFFSET_COMMIT', 'retriable', 'Offsets of an open transaction are in the way.'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', 'retriable', 'A quota is used up.'],
  [90, 'PRODUCER_FENCED', '', 'A newer producer uses the transactional id.'],
  [91, 'RESOURCE_NOT_FOUND', '', 'There is no such resource.'],
  [92, 'DUPLICATE_RESOURCE', '', 'The request names a resource twice.'],
  [93, 'UNACCEPTABLE_CREDENTIAL', '', 'The credential is not acceptable.'],
  [94, 'INCONSISTENT_VOTER_SET', '', 'The set of voters differs.'],
  [95, 'INVALID_UPDATE_VERSION', '', 'The version to update from is not the current one.'],
  [96, 'FEATURE_UPDATE_FAILED', '', 'The features could not be updated.'],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', '', 'The forwarded principal could not be read.'],
  [98, 'SNAPSHOT_NOT_FOUND', '', 'There is no such snapshot.'],
  [99, 'POSITION_OUT_OF_RANGE', '', 'The position is outside the snapshot.'],
  [100, 'UNKNOWN_TOPIC_ID', 'stale metadata', 'This broker has no topic of this id.'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', '', 'The broker id is in use.'],
  [102, 'BROKER_ID_NOT_REGISTERED', '', 'The broker id is not registered.'],
  [103, 'INCONSISTENT_TOPIC_ID', 'stale metadata', 'The topic id is not that of the log.'],
  [104, 'INCONSISTENT_CLUSTER_ID', '', 'The cluster id is that of another cluster.'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', '', 'There is no such transactional id.'],
  [
    106,
    'FETCH_SESSION_TOPIC_ID_ERROR',
    'retriable',
    'The fetch session is of the other kind of topics.',
  ],
  [107, 'INELIGIBLE_REPLICA', '', 'A replica is not eligible to be in sync.'],
  [108, 'NEW_LEADER_ELECTED', '', 'The change made the controller elect a new leader.'],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', '', 'The offset stands in tiered storage.'],
  [110, 'FENCED_MEMBER_EPOCH', '', 'The coordinator has fenced the member epoch.'],
  [111, 'UNRELEASED_INSTANCE_ID', '', 'Another member still holds the instance id.'],
  [112, 'UNSUPPORTED_ASSIGNOR', '', 'The group does not support the assignor.'],
  [113, 'STALE_MEMBER_EPOCH', '', 'The member epoch is an old one.'],
  [114, 'MISMATCHED_ENDPOINT_TYPE', '', 'The request went to the wrong kind of endpoint.'],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', '', 'This kind of endpoint is not supported.'],
  [116, 'UNKNOWN_CONTROLLER_ID', '', 'There is no such controller.'],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', '', 'The telemetry subscription is an old one.'],
  [118, 'TELEMETRY_TOO_LARGE', '', 'The telemetry is too large.'],
  [119, 'INVALID_REGISTRATION', '', 'The registration is invalid.'],
  [120, 'TRANSACTION_ABORTABLE', '', 'The transaction must be aborted.'],
  [121, 'INVALID_RECORD_STATE', '', 'The record is not in a state that allows this.'],
  [122, 'SHARE_SESSION_NOT_FOUND', 'retriable', 'The broker has no such share session.'],
  [
    123,
    'INVALID_SHARE_SESSION_EPOCH',
    'retriable',
    'The epoch of the share session is not the next one.',
  ],
  [124, 'FENCED_STATE_EPOCH', '', 'The state epoch is an old one.'],
  [125, 'INVALID_VOTER_KEY', '', 'The voter key does not fit the receiving replica.'],
  [126, 'DUPLICATE_VOTER', '', 'The voter is in the set already.'],
  [127, 'VOTER_NOT_FOUND', '', 'The voter is not in the set.'],
  [128, 'INVALID_REGULAR_EXPRESSION', '', 'The regular expression is invalid.'],
  [129, 'REBOOTSTRAP_REQUIRED', '', 'The client must start over from its bootstrap servers.'],
  [130, 'STREAMS_INVALID_TOPOLOGY', '', 'The topology is invalid.'],
  [131, 'STREAMS_INVALID_TOPOLOGY_EPOCH', '', 'The epoch of the topology is invalid.'],
  [132, 'STREAMS_TOPOLOGY_FENCED', '', 'The epoch of the topology is an old one.'],
  [
    133,
    'SHARE_SESSION_LIMIT_REACHED',
    'retriable',
    'The broker has no room for another share session.',
  ],
] as const satisfies readonly (readonly [number, string, Flags, string])[]

type Row = (typeof rows)[number]
export type ErrorName = Row[1]
export type ErrorCode = Row[0]

/** Code by name: `Errors.NOT_CONTROLLER` is 41. */
export const Errors = Object.fromEntries(rows.map(([code, name]) => [name, code])) as {
  readonly [R in Row as R[1]]: R[0]
}

export interface ProtocolError {
  readonly code: number
  readonly name: ErrorName
  /** A client may send the same request again. */
  readonly retriable: boolean
  /** A client should refresh its metadata before it does. */
  readonly refreshesMetadata: boolean
  readonly text: string
}

const byCode: ReadonlyMap<number, ProtocolError> = new Map(
  rows.map(([code, name, flags, text]) => [
    code,
    {
      code,
      name,
      retriable: flags !== '',
      refreshesMetadata: flags === 'stale metadata',
      text,
    },
  ]),
)

/** A code that no row has is treated as UNKNOWN_SERVER_ERROR, as Kafka's clients do. */
export function errorOf(code: number): ProtocolError {
  const known = byCode.get(code) ?? byCode.get(Errors.UNKNOWN_SERVER_ERROR)
  return known as ProtocolError
}
