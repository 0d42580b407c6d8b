import { api, array, bool, int16, int32, int8, string } from '../../wire/schema.ts'

export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: '0-4',
  flexible: '4+',
  request: {
    resources: array({
      resourceType: int8({ about: '2: topic, 4: broker, 8: broker logger.' }),
      resourceName: string(),
      configurationKeys: array(string(), { nullable: '0+', about: 'Null for all.' }),
    }),
    includeSynonyms: bool({ versions: '1+' }),
    includeDocumentation: bool({ versions: '3+' }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: '0+' }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string({ nullable: '0+' }),
        readOnly: bool(),
        isDefault: bool({ versions: '0' }),
        configSource: int8({
          versions: '1+',
          default: -1,
          ignorable: true,
          about: '1: topic, 2: broker, 3: all brokers, 4: file, 5: default.',
        }),
        isSensitive: bool(),
        synonyms: array(
          {
            name: string(),
            value: string({ nullable: '1+' }),
            source: int8(),
          },
          { versions: '1+', ignorable: true },
        ),
        configType: int8({ versions: '3+', ignorable: true }),
        documentation: string({ versions: '3+', nullable: '3+', ignorable: true }),
      }),
    }),
  },
})
