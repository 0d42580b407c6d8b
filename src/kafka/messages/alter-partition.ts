import { api, array, int16, int32, int64, int8, string, uuid } from '../../wire/schema.ts'

export const AlterPartition = api({
  key: 56,
  name: 'AlterPartition',
  versions: '0-3',
  flexible: '0+',
  request: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
    topics: array({
      topicName: string({ versions: '0-1', ignorable: true }),
      topicId: uuid({ versions: '2+', ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        leaderEpoch: int32(),
        newIsr: array(int32(), { versions: '0-2' }),
        newIsrWithEpochs: array(
          {
            brokerId: int32(),
            brokerEpoch: int64({ default: -1 }),
          },
          { versions: '3+' },
        ),
        leaderRecoveryState: int8({ versions: '1+' }),
        partitionEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array({
      topicName: string({ versions: '0-1', ignorable: true }),
      topicId: uuid({ versions: '2+', ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        leaderRecoveryState: int8({ versions: '1+', ignorable: true }),
        partitionEpoch: int32(),
      }),
    }),
  },
})
