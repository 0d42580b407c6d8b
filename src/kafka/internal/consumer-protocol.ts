// What members of a consumer group tell the leader and get from it, inside JoinGroup and SyncGroup.
import { array, bytes, int32, record, string } from '../../wire/schema.ts'

export const ConsumerProtocolAssignment = record({
  name: 'ConsumerProtocolAssignment',
  versions: '0-3',
  fields: {
    assignedPartitions: array({
      topic: string(),
      partitions: array(int32()),
    }),
    userData: bytes({ nullable: '0+', default: null }),
  },
})

export const ConsumerProtocolSubscription = record({
  name: 'ConsumerProtocolSubscription',
  versions: '0-3',
  fields: {
    topics: array(string()),
    userData: bytes({ nullable: '0+', default: null }),
    ownedPartitions: array(
      {
        topic: string(),
        partitions: array(int32()),
      },
      { versions: '1+', ignorable: true },
    ),
    generationId: int32({ versions: '2+', default: -1, ignorable: true }),
    rackId: string({ versions: '3+', nullable: '3+', default: null, ignorable: true }),
  },
})
