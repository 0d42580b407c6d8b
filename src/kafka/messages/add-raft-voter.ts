import { api, array, int16, int32, string, uint16, uuid } from '../../wire/schema.ts'

export const AddRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: '0',
  flexible: '0+',
  request: {
    clusterId: string({ nullable: '0+' }),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({
      name: string(),
      host: string(),
      port: uint16(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+', ignorable: true }),
  },
})
