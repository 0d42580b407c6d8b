// Pure.
// What kafka-dump-log shows of keys and values: text, numbers, or the records of internal topics.
import * as newGroups from '../../kafka/internal/consumer-group-records.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../kafka/internal/consumer-protocol.ts'
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../kafka/internal/group-records.ts'
import { TransactionLogKey, TransactionLogValue } from '../../kafka/internal/transaction-records.ts'
import { decodeVersioned, versionOf } from '../../kafka/internal/versioned.ts'
import { type JsonObject, structToJson } from '../../kafka/json/values.ts'
import type { LogRecord } from '../../kafka/records/record.ts'
import { OptionError } from '../options.ts'

export interface DecodedRecord {
  readonly key: string | undefined
  readonly payload: string | undefined
}

/** May throw where the bytes are not what the decoder is for. */
export type RecordDecoder = (record: LogRecord) => DecodedRecord

type BytesDecoder = (bytes: Buffer) => string

const bytesDecoders: Readonly<Record<string, BytesDecoder>> = {
  StringDecoder: (bytes) => bytes.toString('utf8'),
  DefaultDecoder: (bytes) => bytes.toString('utf8'),
  IntegerDecoder: (bytes) => String(bytes.readInt32BE()),
  LongDecoder: (bytes) => String(bytes.readBigInt64BE()),
}

function bytesDecoder(name: string | undefined): BytesDecoder {
  const simple = (name ?? 'StringDecoder').replace(/^.*\./, '')
  const known = bytesDecoders[simple]
  if (known !== undefined) return known
  const names = Object.keys(bytesDecoders).join(', ')
  throw new OptionError(`${name} is not a known decoder: there are ${names}`)
}

/** @param key a decoder's class, as value is. @throws OptionError */
export function textDecoder(key: string | undefined, value: string | undefined): RecordDecoder {
  const decodeKey = bytesDecoder(key)
  const decodeValue = bytesDecoder(value)
  return (record) => ({
    key: record.key === null ? undefined : decodeKey(record.key),
    payload: record.value === null ? undefined : decodeValue(record.value),
  })
}

const deleted = '<DELETE>'

type Schema = Parameters<typeof decodeVersioned>[0]

/** Keys and values of __consumer_offsets by the version of the key. */
const offsetSchemas: ReadonlyMap<number, readonly [key: Schema, value: Schema]> = new Map([
  [0, [OffsetCommitKey, OffsetCommitValue]],
  [1, [OffsetCommitKey, OffsetCommitValue]],
  [2, [GroupMetadataKey, GroupMetadataValue]],
  [3, [newGroups.ConsumerGroupMetadataKey, newGroups.ConsumerGroupMetadataValue]],
  [4, [newGroups.ConsumerGroupPartitionMetadataKey, newGroups.ConsumerGroupPartitionMetadataValue]],
  [5, [newGroups.ConsumerGroupMemberMetadataKey, newGroups.ConsumerGroupMemberMetadataValue]],
  [
    6,
    [
      newGroups.ConsumerGroupTargetAssignmentMetadataKey,
      newGroups.ConsumerGroupTargetAssignmentMetadataValue,
    ],
  ],
  [
    7,
    [
      newGroups.ConsumerGroupTargetAssignmentMemberKey,
      newGroups.ConsumerGroupTargetAssignmentMemberValue,
    ],
  ],
  [
    8,
    [
      newGroups.ConsumerGroupCurrentMemberAssignmentKey,
      newGroups.ConsumerGroupCurrentMemberAssignmentValue,
    ],
  ],
])

function toJson(schema: Schema, bytes: Buffer): { version: number; data: JsonObject } {
  const { version, value } = decodeVersioned(schema, bytes, 'read as newest')
  const known = Math.min(version, schema.versions.max)
  return {
    version,
    data: structToJson(schema.fields, known, Object.fromEntries(Object.entries(value))),
  }
}

export const offsetsDecoder: RecordDecoder = ({ key, value, offset }) => {
  if (key === null) throw new RangeError('Failed to decode message: a record without a key')
  const type = versionOf(key)
  const schemas = offsetSchemas.get(type)
  if (schemas === undefined) {
    return { key: `Unknown record type ${type} at offset ${offset}, skipping`, payload: undefined }
  }
  const shownKey = JSON.stringify({ type: String(type), data: toJson(schemas[0], key).data })
  if (value === null) return { key: shownKey, payload: deleted }
  const { version, data } = toJson(schemas[1], value)
  const shown = schemas[1] === GroupMetadataValue ? withMembers(data) : data
  return { key: shownKey, payload: JSON.stringify({ version: String(version), data: shown }) }
}

/** What members of consumer groups subscribe to and are assigned, which stands in bytes. */
function withMembers(group: JsonObject): JsonObject {
  const { protocolType, members } = group
  if (protocolType !== 'consumer' || !Array.isArray(members)) return group
  const shown = members.map((member: JsonObject) => ({
    ...member,
    subscription: embedded(ConsumerProtocolSubscription, member['subscription']),
    assignment: embedded(ConsumerProtocolAssignment, member['assignment']),
  }))
  return { ...group, members: shown }
}

function embedded(schema: Schema, base64: JsonObject[string] | undefined): JsonObject[string] {
  const bytes = Buffer.from(typeof base64 === 'string' ? base64 : '', 'base64')
  return bytes.length === 0 ? {} : toJson(schema, bytes).data
}

const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]

export const transactionsDecoder: RecordDecoder = ({ key, value }) => {
  if (key === null) throw new RangeError('Failed to decode message: a record without a key')
  const { transactionalId } = decodeVersioned(TransactionLogKey, key).value
  const shownKey = `transaction_metadata::transactionalId=${transactionalId}`
  if (value === null) return { key: shownKey, payload: deleted }
  const state = decodeVersioned(TransactionLogValue, value, 'read as newest').value
  const partitions = (state.transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map((partition) => `${topic}-${partition}`),
  )
  const parts = [
    `producerId:${state.producerId}`,
    `producerEpoch:${state.producerEpoch}`,
    `state=${transactionStates[state.transactionStatus] ?? state.transactionStatus}`,
    `partitions=[${partitions.join(',')}]`,
    `txnLastUpdateTimestamp=${state.transactionLastUpdateTimestampMs}`,
    `txnTimeoutMs=${state.transactionTimeoutMs}`,
  ]
  return { key: shownKey, payload: parts.join(',') }
}
