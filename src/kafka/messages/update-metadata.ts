// The controller tells a broker about all brokers and partitions.
import { api, array, bool, int16, int32, int64, int8, string, uuid } from '../../wire/schema.ts'

export const UpdateMetadata = api({
  key: 6,
  name: 'UpdateMetadata',
  versions: '0-8',
  flexible: '6+',
  request: {
    controllerId: int32(),
    isKRaftController: bool({ versions: '8+' }),
    type: int8({ versions: '8+', tag: 0 }),
    controllerEpoch: int32(),
    brokerEpoch: int64({ versions: '5+', default: -1, ignorable: true }),
    ungroupedPartitionStates: array(
      {
        topicName: string({ ignorable: true }),
        partitionIndex: int32(),
        controllerEpoch: int32(),
        leader: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        zkVersion: int32(),
        replicas: array(int32()),
        offlineReplicas: array(int32(), { versions: '4', ignorable: true }),
      },
      { versions: '0-4' },
    ),
    topicStates: array(
      {
        topicName: string(),
        topicId: uuid({ versions: '7+', ignorable: true }),
        partitionStates: array({
          partitionIndex: int32(),
          controllerEpoch: int32(),
          leader: int32(),
          leaderEpoch: int32(),
          isr: array(int32()),
          zkVersion: int32(),
          replicas: array(int32()),
          offlineReplicas: array(int32(), { ignorable: true }),
        }),
      },
      { versions: '5+' },
    ),
    liveBrokers: array({
      id: int32(),
      v0Host: string({ versions: '0', ignorable: true }),
      v0Port: int32({ versions: '0', ignorable: true }),
      endpoints: array(
        {
          port: int32(),
          host: string(),
          listener: string({ versions: '3+', ignorable: true }),
          securityProtocol: int16(),
        },
        { versions: '1+', ignorable: true },
      ),
      rack: string({ versions: '2+', nullable: '2+', ignorable: true }),
    }),
  },
  response: {
    errorCode: int16(),
  },
})
