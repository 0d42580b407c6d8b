import { api, int16, int32, int64 } from '../../wire/schema.ts'

export const AllocateProducerIds = api({
  key: 67,
  name: 'AllocateProducerIds',
  versions: '0',
  flexible: '0+',
  request: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerIdStart: int64(),
    producerIdLen: int32(),
  },
})
