// The controller tells a broker to stop, and perhaps to delete, replicas.
import { api, array, bool, int16, int32, int64, string } from '../../wire/schema.ts'

export const StopReplica = api({
  key: 5,
  name: 'StopReplica',
  versions: '0-4',
  flexible: '2+',
  request: {
    controllerId: int32(),
    isKRaftController: bool({ versions: '4+' }),
    controllerEpoch: int32(),
    brokerEpoch: int64({ versions: '1+', default: -1, ignorable: true }),
    deletePartitions: bool({ versions: '0-2' }),
    ungroupedPartitions: array(
      {
        topicName: string(),
        partitionIndex: int32(),
      },
      { versions: '0' },
    ),
    topics: array(
      {
        name: string(),
        partitionIndexes: array(int32()),
      },
      { versions: '1-2' },
    ),
    topicStates: array(
      {
        topicName: string(),
        partitionStates: array({
          partitionIndex: int32(),
          leaderEpoch: int32({ default: -1 }),
          deletePartition: bool(),
        }),
      },
      { versions: '3+' },
    ),
  },
  response: {
    errorCode: int16(),
    partitionErrors: array({
      topicName: string(),
      partitionIndex: int32(),
      errorCode: int16(),
    }),
  },
})
