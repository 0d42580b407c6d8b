// Pure.
// What a leader does to records before they enter its log: the produce rules, offsets, the epoch.
import { Errors } from '../kafka/errors.ts'
import { checkProduceRecords, type RecordRefusal, validateBatches } from '../kafka/records/validate.ts'
import type { AppendOptions } from './results.ts'
import type { LogSettings } from './settings.ts'

/** Some whole entries. */
export interface Entries {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}

/** Entries ready to be written, or why not. */
export interface Preparation extends Entries {
  readonly error: number
  readonly message: string
  readonly records: readonly RecordRefusal[]
}

const noRecords: readonly RecordRefusal[] = []

/** The result is the given buffer, patched in place, or another where records were rewritten. */
export function prepareLeaderAppend(
  given: Entries,
  firstOffset: number,
  options: AppendOptions,
  settings: LogSettings,
): Preparation {
  if (options.origin === 'client') {
    const { buffer, start, end } = given
    const error = checkProduceRecords(buffer, start, end, options.produceVersion)
    if (error !== Errors.NONE) return { ...given, error, message: '', records: noRecords }
  }
  const verdict = validateBatches(given.buffer, given.start, given.end, {
    now: options.nowMs,
    firstOffset,
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
  if (verdict.error !== Errors.NONE) return { ...given, ...verdict }
  const { bytes, start, end } = verdict
  return { error: Errors.NONE, message: '', records: noRecords, buffer: bytes, start, end }
}
