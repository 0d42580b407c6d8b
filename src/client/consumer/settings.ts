// Pure.
// A consumer's settings with their defaults filled in.
import type { IsolationLevel } from '../types.ts'
import type { AssignorName, ConsumerSettings } from './types.ts'

export interface CompleteConsumerSettings {
  readonly groupId: string | undefined
  readonly groupInstanceId: string | null
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  readonly autoCommit: boolean
  readonly autoCommitIntervalMs: number
  readonly maxPollRecords: number
  readonly maxPollIntervalMs: number
  readonly fetchMinBytes: number
  readonly fetchMaxWaitMs: number
  readonly fetchBytesMax: number
  readonly partitionFetchBytesMax: number
  readonly prefetchBytesMax: number
  readonly decompressedBytesMax: number
  readonly isolationLevel: IsolationLevel
  readonly sessionTimeoutMs: number
  /** It is our default, so a broker that refuses it may be asked for less. */
  readonly sessionTimeoutIsDefault: boolean
  readonly heartbeatIntervalMs: number
  readonly assignors: readonly AssignorName[]
  /** Empty: unknown. */
  readonly rackId: string
  readonly excludeInternalTopics: boolean
  readonly allowAutoTopicCreation: boolean
}

export function completeConsumerSettings(settings: ConsumerSettings): CompleteConsumerSettings {
  return {
    groupId: settings.groupId,
    groupInstanceId: settings.groupInstanceId ?? null,
    autoOffsetReset: settings.autoOffsetReset ?? 'latest',
    autoCommit: settings.autoCommit ?? false,
    autoCommitIntervalMs: settings.autoCommitIntervalMs ?? 5000,
    maxPollRecords: settings.maxPollRecords ?? 500,
    maxPollIntervalMs: settings.maxPollIntervalMs ?? 300_000,
    fetchMinBytes: settings.fetchMinBytes ?? 1,
    fetchMaxWaitMs: settings.fetchMaxWaitMs ?? 500,
    fetchBytesMax: settings.fetchBytesMax ?? 50 * 1024 * 1024,
    partitionFetchBytesMax: settings.partitionFetchBytesMax ?? 1024 * 1024,
    prefetchBytesMax: settings.prefetchBytesMax ?? 64 * 1024 * 1024,
    decompressedBytesMax: settings.decompressedBytesMax ?? 128 * 1024 * 1024,
    isolationLevel: settings.isolationLevel ?? 'read_uncommitted',
    sessionTimeoutMs: settings.sessionTimeoutMs ?? 45_000,
    sessionTimeoutIsDefault: settings.sessionTimeoutMs === undefined,
    heartbeatIntervalMs: settings.heartbeatIntervalMs ?? 3000,
    assignors: settings.assignors ?? ['range'],
    rackId: settings.rackId ?? '',
    excludeInternalTopics: settings.excludeInternalTopics ?? true,
    allowAutoTopicCreation: settings.allowAutoTopicCreation ?? true,
  }
}
