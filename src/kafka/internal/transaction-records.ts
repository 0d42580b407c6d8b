// The records of __transaction_state, and the value of a transaction marker.
import { array, int16, int32, int64, int8, record, string } from '../../wire/schema.ts'

export const TransactionLogKey = record({
  name: 'TransactionLogKey',
  versions: '0',
  fields: {
    transactionalId: string(),
  },
})

export const TransactionLogValue = record({
  name: 'TransactionLogValue',
  versions: '0-1',
  flexible: '1+',
  fields: {
    producerId: int64(),
    producerEpoch: int16(),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array(
      {
        topic: string(),
        partitionIds: array(int32()),
      },
      { nullable: '0+' },
    ),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
  },
})

export const EndTxnMarker = record({
  name: 'EndTxnMarker',
  versions: '0',
  fields: {
    coordinatorEpoch: int32(),
  },
})
