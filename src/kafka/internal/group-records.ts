// Classic groups and committed offsets in __consumer_offsets. Each is preceded by an int16 version.
import { array, bytes, int32, int64, record, string } from '../../wire/schema.ts'

export const GroupMetadataKey = record({
  name: 'GroupMetadataKey',
  versions: '2',
  fields: {
    group: string(),
  },
})

export const GroupMetadataValue = record({
  name: 'GroupMetadataValue',
  versions: '0-4',
  flexible: '4+',
  fields: {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: '0+' }),
    leader: string({ nullable: '0+' }),
    currentStateTimestamp: int64({ versions: '2+', default: -1, ignorable: true }),
    members: array({
      memberId: string(),
      groupInstanceId: string({ versions: '3+', nullable: '3+', default: null, ignorable: true }),
      clientId: string(),
      clientHost: string(),
      rebalanceTimeout: int32({ versions: '1+', default: -1, ignorable: true }),
      sessionTimeout: int32(),
      subscription: bytes(),
      assignment: bytes(),
    }),
  },
})

export const OffsetCommitKey = record({
  name: 'OffsetCommitKey',
  versions: '0-1',
  fields: {
    group: string(),
    topic: string(),
    partition: int32(),
  },
})

export const OffsetCommitValue = record({
  name: 'OffsetCommitValue',
  versions: '0-4',
  flexible: '4+',
  fields: {
    offset: int64(),
    leaderEpoch: int32({ versions: '3+', default: -1, ignorable: true }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ versions: '1', default: -1, ignorable: true }),
  },
})
