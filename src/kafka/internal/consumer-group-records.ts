// Groups of the newer consumer protocol (KIP-848) in __consumer_offsets.
import { array, bytes, int32, int8, record, string, struct, uuid } from '../../wire/schema.ts'

export const ConsumerGroupCurrentMemberAssignmentKey = record({
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  versions: '8',
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

export const ConsumerGroupCurrentMemberAssignmentValue = record({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array({
      topicId: uuid(),
      partitions: array(int32()),
    }),
    partitionsPendingRevocation: array({
      topicId: uuid(),
      partitions: array(int32()),
    }),
  },
})

export const ConsumerGroupMemberMetadataKey = record({
  name: 'ConsumerGroupMemberMetadataKey',
  versions: '5',
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

export const ConsumerGroupMemberMetadataValue = record({
  name: 'ConsumerGroupMemberMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    instanceId: string({ nullable: '0+' }),
    rackId: string({ nullable: '0+' }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: string({ nullable: '0+' }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: string({ nullable: '0+' }),
    classicMemberMetadata: struct(
      {
        sessionTimeoutMs: int32(),
        supportedProtocols: array({
          name: string(),
          metadata: bytes(),
        }),
      },
      { nullable: '0+', tag: 0 },
    ),
  },
})

export const ConsumerGroupMetadataKey = record({
  name: 'ConsumerGroupMetadataKey',
  versions: '3',
  fields: {
    groupId: string(),
  },
})

export const ConsumerGroupMetadataValue = record({
  name: 'ConsumerGroupMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: int32(),
  },
})

export const ConsumerGroupPartitionMetadataKey = record({
  name: 'ConsumerGroupPartitionMetadataKey',
  versions: '4',
  fields: {
    groupId: string(),
  },
})

export const ConsumerGroupPartitionMetadataValue = record({
  name: 'ConsumerGroupPartitionMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    topics: array({
      topicId: uuid(),
      topicName: string(),
      numPartitions: int32(),
      partitionMetadata: array({
        partition: int32(),
        racks: array(string()),
      }),
    }),
  },
})

export const ConsumerGroupTargetAssignmentMemberKey = record({
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  versions: '7',
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

export const ConsumerGroupTargetAssignmentMemberValue = record({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  versions: '0',
  flexible: '0+',
  fields: {
    topicPartitions: array({
      topicId: uuid(),
      partitions: array(int32()),
    }),
  },
})

export const ConsumerGroupTargetAssignmentMetadataKey = record({
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  versions: '6',
  fields: {
    groupId: string(),
  },
})

export const ConsumerGroupTargetAssignmentMetadataValue = record({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: int32(),
  },
})
