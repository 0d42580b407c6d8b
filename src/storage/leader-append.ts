// Pure.
// What a leader does to records before they enter its log: the produce rules, offsets, the epoch.
import { Errors } from '../kafka/errors.ts'
import type { RecordRefusal } from '../kafka/records/rules.ts'
import { checkProduceRecords, validateBatches } from '../kafka/records/validate.ts'
import type { Entries } from './entry.ts'
import { checkProducers } from './producer-check.ts'
import type { ProducerBatch, Producers } from './producers.ts'
import type { AppendOptions } from './results.ts'
import type { LogSettings } from './settings.ts'

/** Entries ready to be written, or why not. */
export interface Preparation extends Entries {
  readonly error: number
  readonly message: string
  readonly records: readonly RecordRefusal[]
  /** Set where the producer's batch is in the log already: nothing is to be written. */
  readonly duplicate: ProducerBatch | undefined
}

/** The log as it is before the append. */
export interface LeaderState {
  readonly nextOffset: number
  readonly producers: Producers
  readonly settings: LogSettings
}

const noRecords: readonly RecordRefusal[] = []

/** The result is the given buffer, patched in place, or another where records were rewritten. */
export function prepareLeaderAppend(
  given: Entries,
  options: AppendOptions,
  log: LeaderState,
): Preparation {
  const { settings } = log
  if (options.origin === 'client') {
    const { buffer, start, end } = given
    const error = checkProduceRecords(buffer, start, end, options.produceVersion)
    if (error !== Errors.NONE) return failure(given, error)
  }
  const verdict = validateBatches(given.buffer, given.start, given.end, {
    now: options.nowMs,
    firstOffset: log.nextOffset,
    leaderEpoch: options.leaderEpoch,
    origin: options.origin,
    magic: settings.messageFormat ?? 2,
    timestampType: settings.messageTimestampType,
    maxMessageBytes: settings.maxMessageBytes,
    compacted: settings.compacts,
    beforeMaxMs: settings.timestampBeforeMaxMs,
    afterMaxMs: settings.timestampAfterMaxMs,
    compressionType: settings.compressionType,
  })
  if (verdict.error !== Errors.NONE) {
    return { ...failure(given, verdict.error, verdict.message), records: verdict.records }
  }
  const { start, end } = verdict
  if (end - start > settings.segmentBytes) return failure(given, Errors.RECORD_LIST_TOO_LARGE)
  const entries = { buffer: verdict.bytes, start, end }
  const producer = checkProducers(log.producers, entries, options.origin)
  return { ...entries, ...producer, records: noRecords }
}

function failure(given: Entries, error: number, message = ''): Preparation {
  return { ...given, error, message, records: noRecords, duplicate: undefined }
}
