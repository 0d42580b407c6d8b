import { api, array, bool, int16, int32, int64, string } from '../../wire/schema.ts'

export const AddPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexible: '3+',
  request: {
    transactions: array(
      {
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool(),
        topics: array({
          name: string(),
          partitions: array(int32()),
        }),
      },
      { versions: '4+' },
    ),
    v3AndBelowTransactionalId: string({ versions: '0-3' }),
    v3AndBelowProducerId: int64({ versions: '0-3' }),
    v3AndBelowProducerEpoch: int16({ versions: '0-3' }),
    v3AndBelowTopics: array(
      {
        name: string(),
        partitions: array(int32()),
      },
      { versions: '0-3' },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '4+', ignorable: true }),
    resultsByTransaction: array(
      {
        transactionalId: string(),
        topicResults: array({
          name: string(),
          resultsByPartition: array({
            partitionIndex: int32(),
            partitionErrorCode: int16(),
          }),
        }),
      },
      { versions: '4+' },
    ),
    resultsByTopicV3AndBelow: array(
      {
        name: string(),
        resultsByPartition: array({
          partitionIndex: int32(),
          partitionErrorCode: int16(),
        }),
      },
      { versions: '0-3' },
    ),
  },
})
