// A principal as it travels in Envelope requests.
import { bool, record, string } from '../../wire/schema.ts'

export const DefaultPrincipalData = record({
  name: 'DefaultPrincipalData',
  versions: '0',
  flexible: '0+',
  fields: {
    type: string(),
    name: string(),
    tokenAuthenticated: bool(),
  },
})
