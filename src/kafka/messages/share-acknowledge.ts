import { api, array, int16, int32, int64, int8, string, struct, uuid } from '../../wire/schema.ts'

export const ShareAcknowledge = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string({ nullable: '0+', default: null }),
    memberId: string({ nullable: '0+' }),
    shareSessionEpoch: int32(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        acknowledgementBatches: array({
          firstOffset: int64(),
          lastOffset: int64(),
          acknowledgeTypes: array(int8()),
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16({ ignorable: true }),
    errorMessage: string({ nullable: '0+', default: null }),
    responses: array({
      topicId: uuid({ ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
        currentLeader: struct({
          leaderId: int32(),
          leaderEpoch: int32(),
        }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: '0+', default: null }),
    }),
  },
})
