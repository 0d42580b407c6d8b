// Pure.
// What a line of the console producer's input means: `headers TAB key TAB value`, each part only where
// it is asked for. Separators and the marker that stands for null are properties.
import type { ProducerRecord } from '../client/producer/types.ts'
import type { RecordHeader } from '../client/types.ts'

/** A line that cannot be read. Its message names the line's number. */
export class LineError extends Error {
  override readonly name = 'LineError'
}

export interface LineFormat {
  readonly topic: string
  readonly parseKey: boolean
  readonly parseHeaders: boolean
  readonly keySeparator: Buffer
  readonly headersDelimiter: Buffer
  readonly headersSeparator: Buffer
  readonly headersKeySeparator: Buffer
  /** undefined: nothing stands for null. */
  readonly nullMarker: Buffer | undefined
  /** Takes a line for a value alone where its parts are not there. */
  readonly ignoreError: boolean
}

/** @throws LineError for separators that could not be told apart */
export function lineFormat(
  topic: string,
  properties: Readonly<Record<string, string>>,
): LineFormat {
  const isTrue = (name: string): boolean => properties[name]?.trim().toLowerCase() === 'true'
  const bytes = (name: string, fallback: string): Buffer =>
    Buffer.from(properties[name] ?? fallback)
  const marker = properties['null.marker']
  const format: LineFormat = {
    topic: properties['topic'] ?? topic,
    parseKey: isTrue('parse.key'),
    parseHeaders: isTrue('parse.headers'),
    keySeparator: bytes('key.separator', '\t'),
    headersDelimiter: bytes('headers.delimiter', '\t'),
    headersSeparator: bytes('headers.separator', ','),
    headersKeySeparator: bytes('headers.key.separator', ':'),
    nullMarker: marker === undefined ? undefined : Buffer.from(marker),
    ignoreError: isTrue('ignore.error'),
  }
  const pairs: readonly (readonly [string, Buffer, string, Buffer])[] = [
    ['headers.delimiter', format.headersDelimiter, 'headers.separator', format.headersSeparator],
    [
      'headers.delimiter',
      format.headersDelimiter,
      'headers.key.separator',
      format.headersKeySeparator,
    ],
    [
      'headers.separator',
      format.headersSeparator,
      'headers.key.separator',
      format.headersKeySeparator,
    ],
  ]
  for (const [one, oneBytes, other, otherBytes] of pairs) {
    if (oneBytes.equals(otherBytes)) throw new LineError(`${one} and ${other} may not be equal`)
  }
  const { nullMarker } = format
  if (nullMarker === undefined) return format
  for (const [name, separator] of [
    ['key.separator', format.keySeparator],
    ['headers.delimiter', format.headersDelimiter],
    ['headers.separator', format.headersSeparator],
    ['headers.key.separator', format.headersKeySeparator],
  ] as const) {
    if (nullMarker.equals(separator)) {
      throw new LineError(`null.marker and ${name} may not be equal`)
    }
  }
  return format
}

/** @param number the line's, from 1. @throws LineError */
export function recordFrom(format: LineFormat, line: Buffer, number: number): ProducerRecord {
  const { topic, parseKey, parseHeaders, nullMarker } = format
  if (!parseKey && !parseHeaders && nullMarker === undefined) return { topic, value: line }
  let rest = line
  let headers: Buffer | undefined
  let key: Buffer | undefined
  if (parseHeaders) {
    headers = partBefore(format.headersDelimiter, 'headers delimiter', rest, line, number, format)
    if (headers !== undefined) {
      rest = rest.subarray(headers.length + format.headersDelimiter.length)
    }
  }
  if (parseKey) {
    key = partBefore(format.keySeparator, 'key separator', rest, line, number, format)
    if (key !== undefined) rest = rest.subarray(key.length + format.keySeparator.length)
  }
  return {
    topic,
    key: key === undefined ? null : unlessNull(key, format),
    value: unlessNull(rest, format),
    headers: headers === undefined ? [] : headersFrom(headers, number, format),
  }
}

function partBefore(
  separator: Buffer,
  what: string,
  rest: Buffer,
  line: Buffer,
  number: number,
  { ignoreError }: LineFormat,
): Buffer | undefined {
  const end = rest.indexOf(separator)
  if (end >= 0) return rest.subarray(0, end)
  if (ignoreError) return undefined
  throw new LineError(`No ${what} found on line number ${number}: '${line.toString()}'`)
}

function unlessNull(bytes: Buffer, { nullMarker }: LineFormat): Buffer | null {
  return nullMarker !== undefined && bytes.equals(nullMarker) ? null : bytes
}

function headersFrom(text: Buffer, number: number, format: LineFormat): RecordHeader[] {
  if (unlessNull(text, format) === null) return []
  const headers: RecordHeader[] = []
  const { headersSeparator, headersKeySeparator, ignoreError, nullMarker } = format
  for (const pair of splitBy(text, headersSeparator)) {
    const at = pair.indexOf(headersKeySeparator)
    if (at < 0 && !ignoreError) {
      const place = `in pair '${pair.toString()}' on line number ${number}`
      throw new LineError(`No header key separator found ${place}`)
    }
    const key = at < 0 ? pair : pair.subarray(0, at)
    if (nullMarker?.equals(key) === true) {
      const text = `Header keys should not be equal to the null marker '${nullMarker.toString()}'`
      throw new LineError(`${text} as they can't be null`)
    }
    const value = at < 0 ? null : unlessNull(pair.subarray(at + headersKeySeparator.length), format)
    headers.push({ key: key.toString(), value })
  }
  return headers
}

function* splitBy(bytes: Buffer, separator: Buffer): Generator<Buffer> {
  let start = 0
  for (;;) {
    const end = bytes.indexOf(separator, start)
    yield bytes.subarray(start, end < 0 ? bytes.length : end)
    if (end < 0 || separator.length === 0) return
    start = end + separator.length
  }
}
