// Pure. Turns the bytes of keys, values and headers into what a page can show.
import { isUtf8 } from 'node:buffer'

/**
 * null: no bytes at all (a tombstone, or no key). json: an object or array that parses whole.
 * text: UTF-8 without control characters. binary: the rest, as hex.
 */
export interface DecodedBytes {
  readonly kind: 'null' | 'json' | 'text' | 'binary'
  /** For binary: lower-case hex. */
  readonly text: string
  readonly sizeBytes: number
  /** Whether text covers only the beginning of the bytes. */
  readonly truncated: boolean
}

const none: DecodedBytes = { kind: 'null', text: '', sizeBytes: 0, truncated: false }

/** Shows at most `maxBytes` of the input; for binary a quarter, since hex and its layout take room. */
export function decodeBytes(bytes: Buffer | null, maxBytes: number): DecodedBytes {
  if (bytes === null) return none
  const sizeBytes = bytes.length
  const head = bytes.subarray(0, cutLength(bytes, maxBytes))
  if (!isUtf8(head) || hasControlBytes(head)) {
    const shown = bytes.subarray(0, Math.max(1, maxBytes >> 2))
    const truncated = shown.length < sizeBytes
    return { kind: 'binary', text: shown.toString('hex'), sizeBytes, truncated }
  }
  const text = head.toString('utf8')
  const truncated = head.length < sizeBytes
  return { kind: !truncated && isJson(text) ? 'json' : 'text', text, sizeBytes, truncated }
}

/** Steps back from the cut to the start of the character it would split. */
function cutLength(bytes: Buffer, maxBytes: number): number {
  if (bytes.length <= maxBytes) return bytes.length
  let length = maxBytes
  for (let step = 0; step < 3 && isContinuation(bytes[length]); step++) length--
  return length
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/** Tab, line feed, carriage return and escape (coloured log lines) are text; other controls are not. */
function hasControlBytes(bytes: Buffer): boolean {
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x1b) return true
  }
  return false
}

function isJson(text: string): boolean {
  const first = /^\s*([[{])/.exec(text)?.[1]
  if (first === undefined) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    // Not JSON after all: then it is shown as the text it is.
    return false
  }
}
