import { api, array, int16, int32, string, uint16, uuid } from '../../wire/schema.ts'

export const EndQuorumEpoch = api({
  key: 54,
  name: 'EndQuorumEpoch',
  versions: '0-1',
  flexible: '1+',
  request: {
    clusterId: string({ nullable: '0+', default: null }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32(),
        preferredSuccessors: array(int32(), { versions: '0', ignorable: true }),
        preferredCandidates: array(
          {
            candidateId: int32(),
            candidateDirectoryId: uuid(),
          },
          { versions: '1+', ignorable: true },
        ),
      }),
    }),
    leaderEndpoints: array(
      {
        name: string(),
        host: string(),
        port: uint16(),
      },
      { versions: '1+', ignorable: true },
    ),
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
