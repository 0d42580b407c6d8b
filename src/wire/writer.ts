// A growing buffer that values are appended to, big-endian.
import { WireError } from './errors.ts'
import { ZERO_UUID } from './reader.ts'
import type { RecordsSource } from './schema.ts'
import { unsignedVarintSize, writeUnsignedVarint } from './varint.ts'

const TWO_32 = 0x100000000
const INT64_MAX = 0x7fffffffffffffffn
/** Up to this many UTF-16 units a loop over the characters is faster than a native call. */
const SHORT_TEXT = 24

/** Throws WireError for a value that its type cannot carry. */
export class Writer {
  buffer: Buffer
  position = 0

  constructor(initialBytes = 256) {
    this.buffer = Buffer.allocUnsafe(Math.max(16, initialBytes))
  }

  /** What has been written: a view, valid until the next `reset`. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.position)
  }

  /** Starts over in the same buffer. Views handed out before are overwritten. */
  reset(): void {
    this.position = 0
  }

  /** Makes room for `count` bytes, moves past them and returns where they begin. */
  reserve(count: number): number {
    const at = this.position
    const wanted = at + count
    if (wanted > this.buffer.length) this.grow(wanted)
    this.position = wanted
    return at
  }

  private grow(wanted: number): void {
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.position)
    this.buffer = larger
  }

  patchInt32(at: number, value: number): void {
    this.buffer.writeInt32BE(value, at)
  }

  int8(value: number): void {
    if (value !== (value << 24) >> 24) this.refuse(value, 'int8')
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  uint8(value: number): void {
    if (value !== (value & 0xff)) this.refuse(value, 'uint8')
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  int16(value: number): void {
    if (value !== (value << 16) >> 16) this.refuse(value, 'int16')
    this.put16(value)
  }

  uint16(value: number): void {
    if (value !== (value & 0xffff)) this.refuse(value, 'uint16')
    this.put16(value)
  }

  private put16(value: number): void {
    const at = this.reserve(2)
    const bytes = this.buffer
    bytes[at] = value >> 8
    bytes[at + 1] = value
  }

  int32(value: number): void {
    if (value !== (value | 0)) this.refuse(value, 'int32')
    this.put32(value)
  }

  uint32(value: number): void {
    if (value !== value >>> 0) this.refuse(value, 'uint32')
    this.put32(value)
  }

  private put32(value: number): void {
    const at = this.reserve(4)
    const bytes = this.buffer
    bytes[at] = value >> 24
    bytes[at + 1] = value >> 16
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value
  }

  int64(value: number | bigint): void {
    if (typeof value === 'bigint') {
      if (value > INT64_MAX || value < -INT64_MAX - 1n) this.refuse(value, 'int64')
      const at = this.reserve(8)
      this.buffer.writeBigInt64BE(value, at)
      return
    }
    if (!Number.isSafeInteger(value)) this.refuse(value, 'safe integer')
    const high = Math.floor(value / TWO_32)
    this.put32(high)
    this.put32(value - high * TWO_32)
  }

  float64(value: number): void {
    if (typeof value !== 'number') this.refuse(value, 'float64')
    const at = this.reserve(8)
    this.buffer.writeDoubleBE(value, at)
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') this.refuse(value, 'bool')
    const at = this.reserve(1)
    this.buffer[at] = value ? 1 : 0
  }

  /** 22 characters of base64url as sixteen bytes. */
  uuid(value: string): void {
    const at = this.reserve(16)
    if (value === ZERO_UUID) {
      this.buffer.fill(0, at, at + 16)
    } else if (
      typeof value !== 'string' ||
      value.length !== 22 ||
      this.buffer.write(value, at, 16, 'base64url') !== 16
    ) {
      this.refuse(value, 'uuid')
    }
  }

  unsignedVarint(value: number): void {
    if (value !== value >>> 0) this.refuse(value, 'uint32')
    const at = this.position
    if (at + 5 > this.buffer.length) this.grow(at + 5)
    this.position = writeUnsignedVarint(this.buffer, at, value)
  }

  /** A zig-zag int32. */
  varint(value: number): void {
    if (value !== (value | 0)) this.refuse(value, 'int32')
    this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** A zig-zag int64. */
  varlong(value: number | bigint): void {
    if (typeof value === 'number' && value === (value | 0)) return this.varint(value)
    if (typeof value === 'number' && !Number.isSafeInteger(value)) this.refuse(value, 'integer')
    const signed = BigInt(value)
    if (signed > INT64_MAX || signed < -INT64_MAX - 1n) this.refuse(value, 'int64')
    let rest = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n))
    for (; rest > 0x7fn; rest >>= 7n) this.uint8(Number(rest & 0x7fn) | 0x80)
    this.uint8(Number(rest))
  }

  /** UTF-8 without a length; returns the number of bytes. */
  string(value: string): number {
    const length = value.length
    const start = this.position
    if (start + length * 3 > this.buffer.length) this.grow(start + length * 3)
    const bytes = this.buffer
    if (length <= SHORT_TEXT) {
      let index = 0
      for (; index < length; index++) {
        const unit = value.charCodeAt(index)
        if (unit > 0x7f) break
        bytes[start + index] = unit
      }
      if (index === length) {
        this.position = start + length
        return length
      }
    }
    const written = bytes.write(value, start)
    this.position = start + written
    return written
  }

  /** Copies `value` to the end, without a length. */
  raw(value: Uint8Array): void {
    const at = this.reserve(value.length)
    this.buffer.set(value, at)
  }

  /** Kafka's classic string: int16 length, -1 for null. */
  shortString(value: string | null): void {
    if (value === null) return this.put16(-1)
    if (typeof value !== 'string') this.refuse(value, 'string')
    const at = this.reserve(2)
    const length = this.string(value)
    if (length > 0x7fff) this.refuse(`${length} bytes of text`, 'string')
    this.buffer[at] = length >> 8
    this.buffer[at + 1] = length
  }

  /** Kafka's flexible string: unsigned varint length + 1, 0 for null, at most 32767 bytes. */
  compactString(value: string | null): void {
    if (value === null) return this.uint8(0)
    if (typeof value !== 'string') this.refuse(value, 'string')
    if (value.length < 42) {
      // At most 126 bytes of UTF-8, so the length takes one byte.
      const at = this.reserve(1)
      // Not in one expression: writing the text may replace the buffer.
      const length = this.string(value)
      this.buffer[at] = length + 1
      return
    }
    const length = Buffer.byteLength(value)
    if (length > 0x7fff) this.refuse(`${length} bytes of text`, 'string')
    this.unsignedVarint(length + 1)
    this.string(value)
  }

  /**
   * Jute's string: int32 length, -1 for null. Characters outside the BMP become two surrogates
   * of three bytes each, as ZooKeeper's own code writes them.
   */
  juteString(value: string | null): void {
    if (value === null) return this.put32(-1)
    if (typeof value !== 'string') this.refuse(value, 'string')
    const at = this.reserve(4)
    const length = /[\ud800-\udfff]/.test(value) ? this.unitsOf(value) : this.string(value)
    this.buffer.writeInt32BE(length, at)
  }

  private unitsOf(value: string): number {
    const start = this.position
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index)
      if (unit < 0x80) {
        this.uint8(unit)
      } else if (unit < 0x800) {
        this.uint8(0xc0 | (unit >> 6))
        this.uint8(0x80 | (unit & 0x3f))
      } else {
        this.uint8(0xe0 | (unit >> 12))
        this.uint8(0x80 | ((unit >> 6) & 0x3f))
        this.uint8(0x80 | (unit & 0x3f))
      }
    }
    return this.position - start
  }

  /** int32 length, -1 for null, then the bytes. */
  longBytes(value: Uint8Array | RecordsSource | null): void {
    if (value === null) return this.put32(-1)
    this.put32(this.lengthOf(value))
    this.content(value)
  }

  /** Unsigned varint length + 1, 0 for null, then the bytes. */
  compactBytes(value: Uint8Array | RecordsSource | null): void {
    if (value === null) return this.uint8(0)
    this.unsignedVarint(this.lengthOf(value) + 1)
    this.content(value)
  }

  private lengthOf(value: Uint8Array | RecordsSource): number {
    const length = value.byteLength
    if (!Number.isSafeInteger(length)) this.refuse(value, 'bytes')
    return length
  }

  private content(value: Uint8Array | RecordsSource): void {
    if (value instanceof Uint8Array) return this.raw(value)
    const at = this.reserve(value.byteLength)
    value.fill(this.buffer, at)
  }

  /** Begins a value that is preceded by its size as an unsigned varint; see `endSized`. */
  beginSized(): number {
    return this.reserve(1)
  }

  /**
   * Ends the value begun at `at`. One byte was left for the size; a larger size moves the value.
   */
  endSized(at: number): void {
    const size = this.position - at - 1
    const more = unsignedVarintSize(size) - 1
    if (more > 0) {
      this.reserve(more)
      this.buffer.copyWithin(at + 1 + more, at + 1, at + 1 + size)
    }
    writeUnsignedVarint(this.buffer, at, size)
  }

  private refuse(value: unknown, type: string): never {
    const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value)
    throw new WireError(`${shown} is not a valid ${type}`, this.position)
  }
}
