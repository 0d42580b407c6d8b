/** The records of __consumer_offsets: how groups and commits are written, and read when a broker leads. */
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../kafka/internal/group-records.ts'
import { compile } from '../../wire/compile.ts'
import { Reader } from '../../wire/reader.ts'
import type { InputOf, Schema, TypeOf } from '../../wire/schema.ts'
import { Writer } from '../../wire/writer.ts'
import type { Group } from './group.ts'

/** The one version that carries an expiry of its own. */
const expiringOffsetValueVersion = 1
const groupKeyVersion = 2
const offsetKeyVersion = 1

export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
  /** -1: as long as the broker keeps the offsets of the group. Given by clients up to version 4. */
  readonly expireTimestampMs: number
}

/** What a group has committed, by topic and partition. */
export type Offsets = Map<string, Map<number, CommittedOffset>>

export interface InternalRecord {
  readonly key: Buffer
  /** Null: what the key names is gone. */
  readonly value: Buffer | null
}

export type ReadRecord =
  | { readonly type: 'group'; readonly group: string; readonly value: StoredGroup | null }
  | {
      readonly type: 'offset'
      readonly group: string
      readonly topic: string
      readonly partition: number
      readonly value: CommittedOffset | null
    }

export type StoredGroup = TypeOf<typeof GroupMetadataValue>

function encode<S extends Schema>(schema: S, version: number, value: InputOf<S>): Buffer {
  const writer = new Writer()
  writer.int16(version)
  compile(schema, version).encode(value, writer)
  return Buffer.from(writer.bytes())
}

/** `version` is that of the inter-broker level; an expiry of its own asks for an older one. */
export function offsetRecord(
  group: string,
  topic: string,
  partition: number,
  { version, committed }: { readonly version: number; readonly committed: CommittedOffset },
): InternalRecord {
  const key = encode(OffsetCommitKey, offsetKeyVersion, { group, topic, partition })
  const { offset, leaderEpoch, metadata } = committed
  const { commitTimestampMs: commitTimestamp, expireTimestampMs: expireTimestamp } = committed
  const written = expireTimestamp === -1 ? version : expiringOffsetValueVersion
  const value = { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp }
  return { key, value: encode(OffsetCommitValue, written, value) }
}

/** That a commit is gone. */
export function offsetTombstone(group: string, topic: string, partition: number): InternalRecord {
  return {
    key: encode(OffsetCommitKey, offsetKeyVersion, { group, topic, partition }),
    value: null,
  }
}

/** That a group is gone. */
export function groupTombstone(groupId: string): InternalRecord {
  return { key: encode(GroupMetadataKey, groupKeyVersion, { group: groupId }), value: null }
}

/** The group as it is now, with its members' assignments. */
export function groupRecord(group: Group, now: number, version: number): InternalRecord {
  const key = encode(GroupMetadataKey, groupKeyVersion, { group: group.id })
  const members = [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeout: member.rebalanceTimeoutMs,
    sessionTimeout: member.sessionTimeoutMs,
    subscription: member.protocols.find((one) => one.name === group.protocolName)?.metadata,
    assignment: member.assignment,
  }))
  const value = encode(GroupMetadataValue, version, {
    protocolType: group.protocolType ?? '',
    generation: group.generation,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: now,
    members,
  })
  return { key, value }
}

/** Undefined for records of other kinds (KIP-848). @throws WireError for what cannot be read. */
export function readInternalRecord(key: Buffer, value: Buffer | null): ReadRecord | undefined {
  const keyReader = new Reader(key)
  const keyVersion = keyReader.int16()
  const valueReader = value === null ? null : new Reader(value)
  const valueVersion = valueReader === null ? -1 : valueReader.int16()
  if (keyVersion === 0 || keyVersion === 1) {
    const name = compile(OffsetCommitKey, keyVersion).decode(keyReader)
    if (valueReader === null) return { type: 'offset', ...name, value: null }
    const stored = compile(OffsetCommitValue, valueVersion).decode(valueReader)
    const committed = {
      offset: Number(stored.offset),
      leaderEpoch: stored.leaderEpoch,
      metadata: stored.metadata,
      commitTimestampMs: Number(stored.commitTimestamp),
      expireTimestampMs: Number(stored.expireTimestamp),
    }
    return { type: 'offset', ...name, value: committed }
  }
  if (keyVersion !== groupKeyVersion) return undefined
  const { group } = compile(GroupMetadataKey, keyVersion).decode(keyReader)
  if (valueReader === null) return { type: 'group', group, value: null }
  return {
    type: 'group',
    group,
    value: compile(GroupMetadataValue, valueVersion).decode(valueReader),
  }
}
