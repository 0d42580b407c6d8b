import { api, array, int16, int32, int8, string } from '../../wire/schema.ts'

export const ListClientMetricsResources = api({
  key: 74,
  name: 'ListClientMetricsResources',
  versions: '0-1',
  flexible: '0+',
  request: {
    resourceTypes: array(int8(), { versions: '1+' }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array(
      {
        resourceName: string(),
        resourceType: int8({ default: 16, ignorable: true }),
      },
      { versions: '1+' },
    ),
    clientMetricsResources: array(
      {
        name: string(),
      },
      { versions: '0' },
    ),
  },
})
