// The controller tells a broker which partitions it leads and follows.
import { api, array, bool, int16, int32, int64, int8, string, uuid } from '../../wire/schema.ts'

export const LeaderAndIsr = api({
  key: 4,
  name: 'LeaderAndIsr',
  versions: '0-7',
  flexible: '4+',
  request: {
    controllerId: int32(),
    isKRaftController: bool({ versions: '7+' }),
    controllerEpoch: int32(),
    brokerEpoch: int64({ versions: '2+', default: -1, ignorable: true }),
    type: int8({ versions: '5+' }),
    ungroupedPartitionStates: array(
      {
        topicName: string({ ignorable: true }),
        partitionIndex: int32(),
        controllerEpoch: int32(),
        leader: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        partitionEpoch: int32(),
        replicas: array(int32()),
        isNew: bool({ versions: '1', ignorable: true }),
      },
      { versions: '0-1' },
    ),
    topicStates: array(
      {
        topicName: string(),
        topicId: uuid({ versions: '5+', ignorable: true }),
        partitionStates: array({
          partitionIndex: int32(),
          controllerEpoch: int32(),
          leader: int32(),
          leaderEpoch: int32(),
          isr: array(int32()),
          partitionEpoch: int32(),
          replicas: array(int32()),
          addingReplicas: array(int32(), { versions: '3+', ignorable: true }),
          removingReplicas: array(int32(), { versions: '3+', ignorable: true }),
          isNew: bool({ ignorable: true }),
          leaderRecoveryState: int8({ versions: '6+' }),
        }),
      },
      { versions: '2+' },
    ),
    liveLeaders: array({
      brokerId: int32(),
      hostName: string(),
      port: int32(),
    }),
  },
  response: {
    errorCode: int16(),
    partitionErrors: array(
      {
        topicName: string({ ignorable: true }),
        partitionIndex: int32(),
        errorCode: int16(),
      },
      { versions: '0-4' },
    ),
    topics: array(
      {
        topicId: uuid(),
        partitionErrors: array({
          partitionIndex: int32(),
          errorCode: int16(),
        }),
      },
      { versions: '5+' },
    ),
  },
})
