import { api, array, bool, int16, int32, int64, uuid } from '../../wire/schema.ts'

export const BrokerHeartbeat = api({
  key: 63,
  name: 'BrokerHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
    currentMetadataOffset: int64(),
    wantFence: bool(),
    wantShutDown: bool(),
    offlineLogDirs: array(uuid(), { versions: '1+', tag: 0 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    isCaughtUp: bool(),
    isFenced: bool({ default: true }),
    shouldShutDown: bool(),
  },
})
