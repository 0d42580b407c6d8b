import { Errors } from '../../kafka/errors.ts'
import { Metadata } from '../../kafka/messages/metadata.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { PartitionMetadata, TopicMetadata } from '../metadata-cache.ts'
import {
  isInternalTopic,
  offsetsTopic,
  topicNameProblem,
  transactionsTopic,
} from '../topic-names.ts'

type Request = RequestOf<typeof Metadata>

const zeroId = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * Metadata (key 3). Version 0 lists all topics for an empty list, later ones for null. A topic that is
 * named, missing and allowed to be made is made, and answered LEADER_NOT_AVAILABLE so that the client
 * asks again (kafka.md F16, F17).
 */
export const metadata = handler(Metadata, [0, 12], (request, context) => {
  const problem = problemOf(request, context)
  if (problem !== Errors.NONE) return { brokers: [], topics: failedRows(request, problem) }
  const { metadata: cache } = context.parts
  const brokers = []
  for (const { id, rack } of cache.brokers.values()) {
    const endpoint = cache.endpoint(id, context.listener)
    if (endpoint !== undefined)
      brokers.push({ nodeId: id, host: endpoint.host, port: endpoint.port, rack })
  }
  return {
    brokers,
    clusterId: context.parts.clusterId,
    controllerId: cache.controllerId,
    topics: topicsOf(request, context),
  }
})

const firstVersionOfIds = 12

/** Versions 10 and 11 have the fields of topic ids, but not their use. */
function problemOf({ topics }: Request, { apiVersion }: RequestContext): number {
  if (topics === null || apiVersion < 10) return Errors.NONE
  if (apiVersion < firstVersionOfIds) {
    const isMisused = topics.some(({ name, topicId }) => name === null || topicId !== zeroId)
    return isMisused ? Errors.INVALID_REQUEST : Errors.NONE
  }
  const hasIds = topics.some(({ topicId }) => topicId !== zeroId)
  const isNameless = !hasIds && topics.some(({ name }) => name === null)
  return isNameless ? Errors.UNKNOWN_SERVER_ERROR : Errors.NONE
}

function failedRows({ topics }: Request, errorCode: number) {
  return (topics ?? []).map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId }))
}

function topicsOf(request: Request, context: RequestContext) {
  const { metadata: cache } = context.parts
  const wantsAll =
    request.topics === null || (context.apiVersion === 0 && request.topics.length === 0)
  if (wantsAll) return [...cache.topics.values()].map((topic) => known(topic, context))
  // Where one topic is named by its id, names alone do not count.
  const ids = new Set((request.topics ?? []).map(({ topicId }) => topicId))
  ids.delete(zeroId)
  if (context.apiVersion >= firstVersionOfIds && ids.size > 0)
    return [...ids].map((topicId) => {
      const name = cache.nameOfId(topicId)
      const topic = name === undefined ? undefined : cache.topic(name)
      if (topic !== undefined) return known(topic, context)
      return { errorCode: Errors.UNKNOWN_TOPIC_ID, name: null, topicId }
    })
  const names = new Set((request.topics ?? []).map(({ name }) => name ?? ''))
  return [...names].map((name) => {
    const topic = cache.topic(name)
    return topic === undefined ? missing(name, request, context) : known(topic, context)
  })
}

function missing(name: string, request: Request, context: RequestContext) {
  const isInternal = isInternalTopic(name)
  const row = (errorCode: number) => ({ errorCode, name, isInternal })
  if (topicNameProblem(name) !== undefined) return row(Errors.INVALID_TOPIC_EXCEPTION)
  const allowed = context.apiVersion < 4 || request.allowAutoTopicCreation
  if (!allowed || !(context.parts.settings.autoCreateTopicsEnable || isInternal))
    return row(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  if (name === transactionsTopic) return row(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  if (name === offsetsTopic) context.parts.groups.createOffsetsTopic()
  else if (!context.parts.topics.canCreateByDefault) return row(Errors.INVALID_REPLICATION_FACTOR)
  else if (!context.parts.topics.isInCreation(name)) createQuietly(name, context)
  return row(Errors.LEADER_NOT_AVAILABLE)
}

function createQuietly(name: string, context: RequestContext): void {
  const creation = {
    name,
    partitionCount: -1,
    replicationFactor: -1,
    assignment: new Map(),
    configs: {},
    validateOnly: false,
  }
  void context.parts.topics.create(creation).then(({ error, message }) => {
    if (error !== Errors.NONE && error !== Errors.TOPIC_ALREADY_EXISTS)
      context.parts.logger.warn(`Automatic creation of topic ${name} failed: ${message ?? error}`)
  })
}

function known(topic: TopicMetadata, context: RequestContext) {
  const partitions = []
  for (const [index, partition] of topic.partitions.entries())
    if (partition !== undefined) partitions.push(partitionRow(index, partition, context))
  return {
    errorCode: Errors.NONE,
    name: topic.name,
    topicId: topic.topicId ?? zeroId,
    isInternal: isInternalTopic(topic.name),
    partitions,
  }
}

function partitionRow(index: number, partition: PartitionMetadata, context: RequestContext) {
  const { apiVersion } = context
  const { metadata: cache } = context.parts
  const isLive = (id: number): boolean => cache.brokers.has(id)
  const row = {
    errorCode: Errors.NONE as number,
    partitionIndex: index,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: [...partition.isr],
    offlineReplicas: partition.replicas.filter((id) => !isLive(id)),
  }
  if (apiVersion === 0) {
    row.replicaNodes = row.replicaNodes.filter(isLive)
    row.isrNodes = row.isrNodes.filter(isLive)
    if (row.offlineReplicas.length > 0) row.errorCode = Errors.REPLICA_NOT_AVAILABLE
  }
  if (!isLive(partition.leader)) {
    row.errorCode = Errors.LEADER_NOT_AVAILABLE
    row.leaderId = -1
  } else if (cache.endpoint(partition.leader, context.listener) === undefined) {
    row.errorCode = apiVersion <= 5 ? Errors.LEADER_NOT_AVAILABLE : Errors.LISTENER_NOT_FOUND
    row.leaderId = -1
  }
  return row
}
