import { api, array, bool, int16, int32, int64, string, uint16, uuid } from '../../wire/schema.ts'

export const Vote = api({
  key: 52,
  name: 'Vote',
  versions: '0-2',
  flexible: '0+',
  request: {
    clusterId: string({ nullable: '0+', default: null }),
    voterId: int32({ versions: '1+', default: -1, ignorable: true }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        replicaEpoch: int32({ versions: '2+' }),
        replicaId: int32({ versions: '2+' }),
        replicaDirectoryId: uuid({ versions: '2+', ignorable: true }),
        candidateEpoch: int32({ versions: '0-1' }),
        candidateId: int32({ versions: '0-1' }),
        candidateDirectoryId: uuid({ versions: '1', ignorable: true }),
        voterDirectoryId: uuid({ versions: '1+', ignorable: true }),
        lastOffsetEpoch: int32(),
        lastOffset: int64(),
        preVote: bool({ versions: '2+' }),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        voteGranted: bool(),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: uint16(),
      },
      { versions: '1+', tag: 0 },
    ),
  },
})
