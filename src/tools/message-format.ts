// Pure.
// How the console consumer prints a record: which of its parts, between which separators. Values are
// bytes and stay so, unless a deserializer says that they are numbers.
import type { ConsumedRecord } from '../client/consumer/types.ts'
import type { Properties } from './client-settings.ts'
import { OptionError } from './options.ts'

/** A value's bytes as they are printed. @throws RangeError for bytes that are no such value */
export type Deserializer = (bytes: Buffer) => Buffer

export interface MessageFormat {
  readonly printTimestamp: boolean
  readonly printPartition: boolean
  readonly printOffset: boolean
  readonly printHeaders: boolean
  readonly printKey: boolean
  readonly printValue: boolean
  readonly keySeparator: Buffer
  readonly lineSeparator: Buffer
  readonly headersSeparator: Buffer
  readonly nullLiteral: Buffer
  readonly keyDeserializer: Deserializer
  readonly valueDeserializer: Deserializer
  readonly headersDeserializer: Deserializer
}

const asIs: Deserializer = (bytes) => bytes

function number(size: number, read: (bytes: Buffer) => number | bigint): Deserializer {
  return (bytes) => {
    if (bytes.length === size) return Buffer.from(String(read(bytes)))
    throw new RangeError(`Size of data received by the deserializer is not ${size}`)
  }
}

const deserializers: Readonly<Record<string, Deserializer>> = {
  StringDeserializer: asIs,
  ByteArrayDeserializer: asIs,
  ShortDeserializer: number(2, (bytes) => bytes.readInt16BE()),
  IntegerDeserializer: number(4, (bytes) => bytes.readInt32BE()),
  LongDeserializer: number(8, (bytes) => bytes.readBigInt64BE()),
  BooleanDeserializer: number(1, (bytes) => bytes.readUInt8()),
}

/** @throws OptionError for a class that is not known */
function deserializer(name: string | undefined): Deserializer {
  if (name === undefined || name === '') return asIs
  const known = deserializers[name.replace(/^org\.apache\.kafka\.common\.serialization\./, '')]
  if (known !== undefined) return known
  const names = Object.keys(deserializers).join(', ')
  throw new OptionError(`${name} is not a known deserializer: there are ${names}`)
}

/** @throws OptionError for deserializers that are not known */
export function messageFormat(properties: Properties): MessageFormat {
  const isTrue = (name: string, fallback: boolean): boolean => {
    const text = properties[name]?.trim().toLowerCase()
    return text === undefined ? fallback : text === 'true'
  }
  const bytes = (name: string, fallback: string): Buffer =>
    Buffer.from(properties[name] ?? fallback)
  return {
    printTimestamp: isTrue('print.timestamp', false),
    printPartition: isTrue('print.partition', false),
    printOffset: isTrue('print.offset', false),
    printHeaders: isTrue('print.headers', false),
    printKey: isTrue('print.key', false),
    printValue: isTrue('print.value', true),
    keySeparator: bytes('key.separator', '\t'),
    lineSeparator: bytes('line.separator', '\n'),
    headersSeparator: bytes('headers.separator', ','),
    nullLiteral: bytes('null.literal', 'null'),
    keyDeserializer: deserializer(properties['key.deserializer']),
    valueDeserializer: deserializer(properties['value.deserializer']),
    headersDeserializer: deserializer(properties['headers.deserializer']),
  }
}

const noHeaders = Buffer.from('NO_HEADERS')
const colon = Buffer.from(':')

/** Adds what is printed of a record to `parts`. @throws RangeError of a deserializer, after none. */
export function appendMessage(
  parts: Buffer[],
  record: ConsumedRecord,
  format: MessageFormat,
): void {
  const { keySeparator, nullLiteral } = format
  const first = parts.length
  const add = (part: Buffer): void => {
    if (parts.length > first) parts.push(keySeparator)
    parts.push(part)
  }
  // First of all, so that nothing of a record is printed whose bytes cannot be read.
  const key =
    format.printKey && record.key !== null ? format.keyDeserializer(record.key) : nullLiteral
  const value =
    format.printValue && record.value !== null
      ? format.valueDeserializer(record.value)
      : nullLiteral
  const headers = format.printHeaders ? headerBytes(record, format) : noHeaders
  if (format.printTimestamp) {
    const { timestamp, timestampType } = record
    add(Buffer.from(timestamp < 0 ? 'NO_TIMESTAMP' : `${timestampType}:${timestamp}`))
  }
  if (format.printPartition) add(Buffer.from(`Partition:${record.partition}`))
  if (format.printOffset) add(Buffer.from(`Offset:${record.offset}`))
  if (format.printHeaders) add(headers)
  if (format.printKey) add(key)
  if (format.printValue) add(value)
  parts.push(format.lineSeparator)
}

function headerBytes({ headers }: ConsumedRecord, format: MessageFormat): Buffer {
  if (headers.length === 0) return noHeaders
  const parts: Buffer[] = []
  for (const { key, value } of headers) {
    if (parts.length > 0) parts.push(format.headersSeparator)
    const shown = value === null ? format.nullLiteral : format.headersDeserializer(value)
    parts.push(Buffer.from(key), colon, shown)
  }
  return Buffer.concat(parts)
}
