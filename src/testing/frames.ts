// Pure.
/** Kafka's frames as somebody between client and broker sees them: whole, with the header read. */
import { decodeResponse, requestHeaderVersion } from '../kafka/header.ts'
import { apiByKey } from '../kafka/messages/index.ts'

/** An API as src/kafka declares it. */
export type AnyApi = NonNullable<ReturnType<typeof apiByKey.get>>

type AsResponse<A extends AnyApi> = Omit<A, 'response'> & { readonly response: A['request'] }

/** What decoding a request of an API gives. */
export type RequestBody<A extends AnyApi> = ReturnType<typeof decodeResponse<AsResponse<A>>>['body']

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body begins in the frame. */
  readonly bodyStart: number
}

const sizeBytes = 4
/** Larger frames are not looked into: what comes after is passed on as it is. */
const frameBytesMax = 256 * 1024 * 1024

/**
 * Cuts a stream into frames, sizes included. A frame that came in one chunk is a view of it. Where a
 * size makes no sense, the rest of the stream is one endless piece, and `isBroken` says so.
 */
export class FrameSplitter {
  isBroken = false
  readonly #parts: Buffer[] = []
  #length = 0

  /** The frames that the chunk completed; of a broken stream, what came. */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = []
    let rest = this.#length === 0 ? chunk : this.#joined(chunk)
    while (rest !== undefined && rest.length > 0) {
      const size = rest.length >= sizeBytes ? rest.readInt32BE(0) : 0
      if (this.isBroken || size < 0 || size > frameBytesMax) {
        this.isBroken = true
        frames.push(rest)
        return frames
      }
      const end = size + sizeBytes
      if (rest.length < sizeBytes || rest.length < end) {
        this.#keep(rest)
        return frames
      }
      frames.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return frames
  }

  /** Undefined while the frame under way is not complete, so that a large one is joined only once. */
  #joined(chunk: Buffer): Buffer | undefined {
    this.#parts.push(Buffer.from(chunk))
    this.#length += chunk.length
    const [first] = this.#parts
    const isSizeKnown = first !== undefined && first.length >= sizeBytes
    if (isSizeKnown && this.#length < first.readInt32BE(0) + sizeBytes) return undefined
    const whole = Buffer.concat(this.#parts, this.#length)
    this.#parts.length = 0
    this.#length = 0
    return whole
  }

  #keep(rest: Buffer): void {
    this.#parts.push(Buffer.from(rest))
    this.#length = rest.length
  }
}

/** The header of a whole request frame; undefined where it makes no sense. */
export function requestHeader(frame: Buffer): RequestHeader | undefined {
  if (frame.length < 14) return undefined
  const apiKey = frame.readInt16BE(4)
  const apiVersion = frame.readInt16BE(6)
  const correlationId = frame.readInt32BE(8)
  const version = requestHeaderVersion(apiKey, apiVersion)
  if (version === 0) return { apiKey, apiVersion, correlationId, clientId: null, bodyStart: 12 }
  const length = frame.readInt16BE(12)
  const end = 14 + Math.max(length, 0)
  if (end > frame.length) return undefined
  const clientId = length < 0 ? null : frame.toString('utf8', 14, end)
  const bodyStart = version === 2 ? afterTaggedFields(frame, end) : end
  return { apiKey, apiVersion, correlationId, clientId, bodyStart }
}

function afterTaggedFields(frame: Buffer, start: number): number {
  let [count, at] = varint(frame, start)
  for (; count > 0; count -= 1) {
    const [, sizeAt] = varint(frame, at)
    const [size, dataAt] = varint(frame, sizeAt)
    at = dataAt + size
  }
  return at
}

/** An unsigned varint and where the next byte is. */
function varint(frame: Buffer, start: number): [value: number, next: number] {
  let value = 0
  let at = start
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = frame[at] ?? 0
    at += 1
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  return [value, at]
}

const asResponse = new Map<AnyApi, AnyApi>()

/**
 * The body of a whole request frame; byte strings in it are copies. Undefined where the body is not one
 * of that version: the broker will say so itself.
 */
export function requestBody<A extends AnyApi>(
  api: A,
  frame: Buffer,
  header: RequestHeader,
): RequestBody<A> | undefined {
  const { apiVersion, bodyStart } = header
  // Requests and responses differ in their headers only: a request's body is read behind a response's.
  let swapped = asResponse.get(api)
  if (swapped === undefined) asResponse.set(api, (swapped = { ...api, response: api.request }))
  const { min, max } = api.flexible
  const isFlexible = apiVersion >= min && apiVersion <= max
  const head = Buffer.alloc(isFlexible && api.key !== apiVersionsKey ? 9 : 8)
  const bytes = Buffer.concat([head, frame.subarray(bodyStart)])
  bytes.writeInt32BE(bytes.length - sizeBytes, 0)
  try {
    return decodeResponse(swapped, apiVersion, bytes).body as RequestBody<A>
  } catch (error) {
    if (error instanceof Error && error.name === 'WireError') return undefined
    throw error
  }
}

const produceKey = 0
const apiVersionsKey = 18

/** Produce with acks 0 is the one request that gets no answer. */
export function isAnswered(frame: Buffer, header: RequestHeader): boolean {
  const { apiKey, apiVersion, bodyStart } = header
  if (apiKey !== produceKey) return true
  let acksAt = bodyStart
  if (apiVersion >= 9) {
    const [lengthPlusOne, next] = varint(frame, bodyStart)
    acksAt = next + Math.max(lengthPlusOne - 1, 0)
  } else if (apiVersion >= 3 && bodyStart + 2 <= frame.length) {
    acksAt = bodyStart + 2 + Math.max(frame.readInt16BE(bodyStart), 0)
  }
  return acksAt + 2 > frame.length || frame.readInt16BE(acksAt) !== 0
}
