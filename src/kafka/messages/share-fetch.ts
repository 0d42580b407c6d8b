import {
  api,
  array,
  int16,
  int32,
  int64,
  int8,
  records,
  string,
  struct,
  uuid,
} from '../../wire/schema.ts'

export const ShareFetch = api({
  key: 78,
  name: 'ShareFetch',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string({ nullable: '0+', default: null }),
    memberId: string({ nullable: '0+' }),
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2_147_483_647, ignorable: true }),
    maxRecords: int32({ versions: '1+' }),
    batchSize: int32({ versions: '1+' }),
    topics: array({
      topicId: uuid({ ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        partitionMaxBytes: int32({ versions: '0' }),
        acknowledgementBatches: array({
          firstOffset: int64(),
          lastOffset: int64(),
          acknowledgeTypes: array(int8()),
        }),
      }),
    }),
    forgottenTopicsData: array({
      topicId: uuid({ ignorable: true }),
      partitions: array(int32()),
    }),
  },
  response: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16({ ignorable: true }),
    errorMessage: string({ nullable: '0+', default: null }),
    acquisitionLockTimeoutMs: int32({ versions: '1+' }),
    responses: array({
      topicId: uuid({ ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
        acknowledgeErrorCode: int16(),
        acknowledgeErrorMessage: string({ nullable: '0+', default: null }),
        currentLeader: struct({
          leaderId: int32(),
          leaderEpoch: int32(),
        }),
        records: records({ nullable: '0' }),
        acquiredRecords: array({
          firstOffset: int64(),
          lastOffset: int64(),
          deliveryCount: int16(),
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
