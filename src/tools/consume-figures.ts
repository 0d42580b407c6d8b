// Pure.
// The figures of kafka-consumer-perf-test.
import { formatDate } from './java-dates.ts'

export interface Reading {
  readonly startMs: number
  endMs: number
  bytes: number
  records: number
  /** Spent joining the group. */
  rebalanceMs: number
}

const megabyte = 1024 * 1024

function fixed(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? value.toFixed(4) : 'Infinity'
}

function rates(bytes: number, records: number, lengthMs: number): readonly [string, string] {
  const seconds = lengthMs / 1000
  return [fixed(bytes / megabyte / seconds), fixed(records / seconds)]
}

export function oldConsumeTotal(reading: Reading, dateFormat: string): string {
  const { startMs, endMs, bytes, records } = reading
  const [mb, count] = rates(bytes, records, endMs - startMs)
  const times = [formatDate(dateFormat, startMs), formatDate(dateFormat, endMs)]
  return [...times, fixed(bytes / megabyte), mb, records, count].join(', ')
}

export function consumeTotal(reading: Reading, dateFormat: string): string {
  const { startMs, endMs, bytes, records, rebalanceMs } = reading
  const fetchMs = endMs - startMs - rebalanceMs
  const fetching = rates(bytes, records, fetchMs)
  return [oldConsumeTotal(reading, dateFormat), rebalanceMs, fetchMs, ...fetching].join(', ')
}

/** What came since `told`. */
export function consumeProgress(reading: Reading, told: Reading, dateFormat: string): string {
  const lengthMs = reading.endMs - told.endMs
  const rebalanceMs = reading.rebalanceMs - told.rebalanceMs
  const bytes = reading.bytes - told.bytes
  const records = reading.records - told.records
  const [mb, count] = rates(bytes, records, lengthMs)
  const fetchMs = lengthMs - rebalanceMs
  const whole = [fixed(reading.bytes / megabyte), mb, reading.records, count]
  const fetching = rates(bytes, records, fetchMs)
  const time = formatDate(dateFormat, reading.endMs)
  return [time, 0, ...whole, rebalanceMs, fetchMs, ...fetching].join(', ')
}
