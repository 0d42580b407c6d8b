import { api, array, int16, int32, int64, string, uuid } from '../../wire/schema.ts'

export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: '0-10',
  flexible: '8+',
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({
      versions: '1+',
      default: -1,
      ignorable: true,
      about: '-1 when the offsets are committed without membership.',
    }),
    memberId: string({ versions: '1+', ignorable: true }),
    groupInstanceId: string({ versions: '7+', nullable: '7+', default: null }),
    retentionTimeMs: int64({
      versions: '2-4',
      default: -1,
      ignorable: true,
      about: '-1 for what the broker is set to.',
    }),
    topics: array({
      topicId: uuid({ versions: '10+', ignorable: true }),
      name: string({ versions: '0-9' }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ versions: '6+', default: -1, ignorable: true }),
        commitTimestamp: int64({ versions: '1', default: -1 }),
        committedMetadata: string({ nullable: '0+' }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    topics: array({
      topicId: uuid({ versions: '10+', ignorable: true }),
      name: string({ versions: '0-9' }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})
