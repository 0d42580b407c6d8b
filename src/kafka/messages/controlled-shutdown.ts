// A broker asks the controller to move its leaders away. The request header of version 0 has no
// client id.
import { api, array, int16, int32, int64, string } from '../../wire/schema.ts'

export const ControlledShutdown = api({
  key: 7,
  name: 'ControlledShutdown',
  versions: '0-3',
  flexible: '3+',
  request: {
    brokerId: int32(),
    brokerEpoch: int64({ versions: '2+', default: -1, ignorable: true }),
  },
  response: {
    errorCode: int16(),
    remainingPartitions: array({
      topicName: string(),
      partitionIndex: int32(),
    }),
  },
})
