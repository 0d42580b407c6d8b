// Pure.
// Where kafka-consumer-groups --reset-offsets moves offsets to: what the scenarios mean, how times,
// partitions and CSV files are written.
import type { TopicPartition } from '../client/types.ts'
import type { NewOffset } from './group-tables.ts'

/** What is wrong with a scenario's value; shown as the original shows its exceptions. */
export class ResetError extends Error {
  override readonly name = 'ResetError'
}

export interface TopicChoice {
  readonly topic: string
  /** undefined: all of them. */
  readonly partitions: readonly number[] | undefined
}

/** `topic` or `topic:0,1`. @throws ResetError */
export function topicChoice(text: string): TopicChoice {
  const colon = text.indexOf(':')
  if (colon < 0) return { topic: text, partitions: undefined }
  const list = text.slice(colon + 1)
  const partitions = list.split(',').map((one) => {
    if (/^\s*\d+\s*$/.test(one)) return Number(one)
    throw new ResetError(`java.lang.NumberFormatException: For input string: "${one}"`)
  })
  return { topic: text.slice(0, colon), partitions }
}

export interface OffsetRange {
  readonly earliest: number
  readonly latest: number
}

export interface FittedOffset {
  readonly offset: number
  /** A sentence where the wish was not met. */
  readonly warning?: string
}

/** The wish, or the nearest offset that the log has. */
export function fitOffset(
  { topic, partition }: TopicPartition,
  wanted: number,
  { earliest, latest }: OffsetRange,
): FittedOffset {
  const place = `for topic partition ${topic}-${partition}`
  if (wanted > latest) {
    const warning = `New offset (${wanted}) is higher than latest offset ${place}. Value will be set to ${latest}`
    return { offset: latest, warning }
  }
  if (wanted < earliest) {
    const warning = `New offset (${wanted}) is lower than earliest offset ${place}. Value will be set to ${earliest}`
    return { offset: earliest, warning }
  }
  return { offset: wanted }
}

/** Milliseconds since 1970 of `2026-11-23T10:00:00.000`, which is UTC unless a zone follows. */
export function parseDateTime(text: string): number {
  const clockAt = text.indexOf('T')
  if (clockAt < 0) {
    throw new ResetError(
      "java.text.ParseException: Error parsing timestamp. It does not contain a 'T' according to ISO8601 format",
    )
  }
  const match =
    /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?)(Z|[+-]\d{2}(?::?\d{2})?)?$/.exec(text)
  const [, time = '', zone = 'Z'] = match ?? []
  const offset = /^[+-]/.test(zone)
    ? `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`
    : zone
  const value = match === null ? NaN : Date.parse(time + offset)
  if (!Number.isNaN(value)) return value
  throw new ResetError(`java.text.ParseException: Unparseable date: "${text}"`)
}

const unitsMs = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1000 }

/** Milliseconds of an ISO 8601 duration such as P1DT2H or PT0.5S. @throws ResetError */
export function parseDurationMs(text: string): number {
  const pattern =
    /^([+-])?P(?:([+-]?\d+)D)?(?:(T)(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+(?:\.\d{0,9})?)S)?)?$/i
  const match = pattern.exec(text)
  const parts = match?.slice(4, 7) ?? []
  const isClockEmpty = match?.[3] !== undefined && parts.every((one) => one === undefined)
  const isEmpty = match?.[2] === undefined && match?.[3] === undefined
  if (match === null || isClockEmpty || isEmpty) {
    throw new ResetError('Text cannot be parsed to a Duration')
  }
  const number = (index: number): number => Number(match[index] ?? 0)
  const lengthMs =
    number(2) * unitsMs.days +
    number(4) * unitsMs.hours +
    number(5) * unitsMs.minutes +
    Math.floor(number(6) * unitsMs.seconds)
  return match[1] === '-' ? -lengthMs : lengthMs
}

/**
 * Lines `topic,partition,offset`, or with the group in front. Without a group in it a line is the only
 * group's. @throws ResetError
 */
export function parseResetFile(text: string, groups: readonly string[]): NewOffset[] {
  const only = groups.length === 1 ? groups[0] : undefined
  const found: NewOffset[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    const [group, topic, partition, offset] =
      cells.length === 3 && only !== undefined ? [only, ...cells] : cells
    if (
      cells.length > 4 ||
      group === undefined ||
      topic === undefined ||
      !/^\d+$/.test(partition ?? '') ||
      !/^\d+$/.test(offset ?? '')
    ) {
      throw new ResetError(
        `line ${index + 1} of the file is not ${only === undefined ? 'group,' : ''}topic,partition,offset: ${line}`,
      )
    }
    found.push({ group, topic, partition: Number(partition), offset: Number(offset) })
  }
  return found
}

/** With the group in front where there are several. Ends with an empty line, as the original's. */
export function resetCsv(offsets: readonly NewOffset[], groups: readonly string[]): string {
  const lines = offsets.map(({ group, topic, partition, offset }) => {
    return `${groups.length === 1 ? '' : `${group},`}${topic},${partition},${offset}\n`
  })
  return `${lines.join('')}\n`
}
