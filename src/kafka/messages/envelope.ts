import { api, bytes, int16 } from '../../wire/schema.ts'

export const Envelope = api({
  key: 58,
  name: 'Envelope',
  versions: '0',
  flexible: '0+',
  request: {
    requestData: bytes(),
    requestPrincipal: bytes({ nullable: '0+' }),
    clientHostAddress: bytes(),
  },
  response: {
    responseData: bytes({ nullable: '0+', default: null }),
    errorCode: int16(),
  },
})
