// Share groups (KIP-932) in __consumer_offsets.
import { array, int32, record, string, uuid } from '../../wire/schema.ts'

export const ShareGroupMemberMetadataKey = record({
  name: 'ShareGroupMemberMetadataKey',
  versions: '10',
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

export const ShareGroupMemberMetadataValue = record({
  name: 'ShareGroupMemberMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    rackId: string({ nullable: '0+' }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
  },
})

export const ShareGroupMetadataKey = record({
  name: 'ShareGroupMetadataKey',
  versions: '11',
  fields: {
    groupId: string(),
  },
})

export const ShareGroupMetadataValue = record({
  name: 'ShareGroupMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: int32(),
  },
})

export const ShareGroupPartitionMetadataKey = record({
  name: 'ShareGroupPartitionMetadataKey',
  versions: '9',
  fields: {
    groupId: string(),
  },
})

export const ShareGroupPartitionMetadataValue = record({
  name: 'ShareGroupPartitionMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    initializedTopics: array({
      topicId: uuid(),
      topicName: string(),
      partitions: array(int32()),
    }),
    deletingTopics: array({
      topicId: uuid(),
      topicName: string(),
    }),
  },
})
