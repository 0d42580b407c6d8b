// Pure.
/** What a broker answers when it refuses a whole request: each API's own error form. */
import { encodeResponse } from '../kafka/header.ts'
import { AddPartitionsToTxn } from '../kafka/messages/add-partitions-to-txn.ts'
import { AlterConfigs } from '../kafka/messages/alter-configs.ts'
import { CreatePartitions } from '../kafka/messages/create-partitions.ts'
import { CreateTopics } from '../kafka/messages/create-topics.ts'
import { DeleteGroups } from '../kafka/messages/delete-groups.ts'
import { DeleteRecords } from '../kafka/messages/delete-records.ts'
import { DeleteTopics } from '../kafka/messages/delete-topics.ts'
import { DescribeConfigs } from '../kafka/messages/describe-configs.ts'
import { DescribeGroups } from '../kafka/messages/describe-groups.ts'
import { DescribeProducers } from '../kafka/messages/describe-producers.ts'
import { Fetch } from '../kafka/messages/fetch.ts'
import { FindCoordinator } from '../kafka/messages/find-coordinator.ts'
import { IncrementalAlterConfigs } from '../kafka/messages/incremental-alter-configs.ts'
import { JoinGroup } from '../kafka/messages/join-group.ts'
import { ListOffsets } from '../kafka/messages/list-offsets.ts'
import { Metadata } from '../kafka/messages/metadata.ts'
import { OffsetCommit } from '../kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../kafka/messages/offset-fetch.ts'
import { OffsetForLeaderEpoch } from '../kafka/messages/offset-for-leader-epoch.ts'
import { Produce } from '../kafka/messages/produce.ts'
import { TxnOffsetCommit } from '../kafka/messages/txn-offset-commit.ts'
import type { AnyApi, RequestBody } from './frames.ts'

type AnswerInput<A extends AnyApi> = Parameters<typeof encodeResponse<A>>[3]
type AnyInput = Readonly<Record<string, unknown>>
type ErrorForm = (request: AnyInput, errorCode: number, apiVersion: number) => AnyInput

function form<A extends AnyApi>(
  api: A,
  make: (request: RequestBody<A>, errorCode: number, apiVersion: number) => AnswerInput<A>,
): readonly [AnyApi, ErrorForm] {
  // The table pairs each API with requests of its own.
  const untyped: ErrorForm = (request, ...rest) => make(request as RequestBody<A>, ...rest)
  return [api, untyped]
}

/** From here on FindCoordinator asks for several groups at once. */
const firstVersionWithKeys = 4

/** APIs that name errors elsewhere than in one code on top. */
const forms = new Map<AnyApi, ErrorForm>([
  form(Produce, ({ topicData }, errorCode) => ({
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
    })),
  })),
  // In a fetch session a request names only what changed, so the error stands for the session too.
  form(Fetch, ({ topics }, errorCode) => ({
    errorCode,
    responses: topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode,
        highWatermark: -1,
        records: Buffer.alloc(0),
      })),
    })),
  })),
  form(ListOffsets, ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
  form(Metadata, ({ topics }, errorCode) => ({
    errorCode,
    topics: (topics ?? []).map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId })),
  })),
  form(OffsetCommit, ({ topics }, errorCode) => ({
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
  form(OffsetFetch, ({ topics, groups }, errorCode) => {
    const refused = (indexes: readonly number[]) =>
      indexes.map((partitionIndex) => {
        return { partitionIndex, committedOffset: -1, metadata: '', errorCode }
      })
    return {
      errorCode,
      topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: refused(partitionIndexes),
      })),
      groups: groups.map(({ groupId }) => ({ groupId, errorCode, topics: [] })),
    }
  }),
  form(FindCoordinator, ({ coordinatorKeys }, errorCode, apiVersion) => {
    const nowhere = { nodeId: -1, host: '', port: -1, errorCode }
    if (apiVersion < firstVersionWithKeys) return nowhere
    return { coordinators: coordinatorKeys.map((key) => ({ key, ...nowhere })) }
  }),
  form(JoinGroup, ({ memberId }, errorCode) => ({ errorCode, memberId, protocolName: '' })),
  form(DescribeGroups, ({ groups }, errorCode) => ({
    groups: groups.map((groupId) => ({ groupId, errorCode })),
  })),
  form(CreateTopics, ({ topics }, errorCode) => ({
    topics: topics.map(({ name }) => ({ name, errorCode, configs: null })),
  })),
  form(DeleteTopics, ({ topics, topicNames }, errorCode) => ({
    responses: [
      ...topicNames.map((name) => ({ name, errorCode })),
      ...topics.map(({ name, topicId }) => ({ name, topicId, errorCode })),
    ],
  })),
  form(DeleteRecords, ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        return { partitionIndex, lowWatermark: -1, errorCode }
      }),
    })),
  })),
  form(CreatePartitions, ({ topics }, errorCode) => ({
    results: topics.map(({ name }) => ({ name, errorCode })),
  })),
  form(DescribeConfigs, ({ resources }, errorCode) => ({
    results: resources.map(({ resourceType, resourceName }) => {
      return { resourceType, resourceName, errorCode, errorMessage: null }
    }),
  })),
  form(AlterConfigs, ({ resources }, errorCode) => ({
    responses: resources.map(({ resourceType, resourceName }) => {
      return { resourceType, resourceName, errorCode, errorMessage: null }
    }),
  })),
  form(IncrementalAlterConfigs, ({ resources }, errorCode) => ({
    responses: resources.map(({ resourceType, resourceName }) => {
      return { resourceType, resourceName, errorCode, errorMessage: null }
    }),
  })),
  form(DeleteGroups, ({ groupsNames }, errorCode) => ({
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  })),
  form(OffsetForLeaderEpoch, ({ topics }, errorCode) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
    })),
  })),
  form(DescribeProducers, ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
    })),
  })),
  form(AddPartitionsToTxn, ({ transactions, v3AndBelowTopics }, errorCode) => {
    const results = (topics: readonly { name: string; partitions: readonly number[] }[]) =>
      topics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => {
          return { partitionIndex, partitionErrorCode: errorCode }
        }),
      }))
    if (transactions.length === 0) return { resultsByTopicV3AndBelow: results(v3AndBelowTopics) }
    return {
      errorCode,
      resultsByTransaction: transactions.map(({ transactionalId, topics }) => {
        return { transactionalId, topicResults: results(topics) }
      }),
    }
  }),
  form(TxnOffsetCommit, ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
])

/** Whether an error code can be put into this API's answers. */
export function canRefuse(api: AnyApi): boolean {
  return forms.has(api) || Object.hasOwn(api.response.fields, 'errorCode')
}

/** The one code on top, in the versions that have it. */
function onTop(api: AnyApi, apiVersion: number): ErrorForm {
  const { versions } = api.response.fields['errorCode'] ?? {}
  const isThere = versions !== undefined && apiVersion >= versions.min && apiVersion <= versions.max
  return (_request, errorCode) => (isThere ? { errorCode } : {})
}

export interface Refusal {
  readonly apiVersion: number
  readonly correlationId: number
  readonly errorCode: number
}

/**
 * The whole frame of an answer that refuses the request. Where there is no place for the code (a
 * Metadata request for all topics below version 13), the answer is an empty one.
 */
export function refusalFrame(api: AnyApi, request: AnyInput, refusal: Refusal): Buffer {
  const { apiVersion, correlationId, errorCode } = refusal
  const make = forms.get(api) ?? onTop(api, apiVersion)
  const body = make(request, errorCode, apiVersion)
  return encodeResponse(api, apiVersion, correlationId, body)
}
