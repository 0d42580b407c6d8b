// A bounds-checked cursor over received bytes. Nothing is copied: byte strings are views.
import { WireError } from './errors.ts'

/** The text form of sixteen zero bytes, which Kafka uses for "no id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const TWO_32 = 0x100000000

/**
 * Reads big-endian values from `buffer[start, end)`.
 * Every method throws WireError when the bytes end too early or break the format.
 */
export class Reader {
  readonly buffer: Buffer
  position: number
  readonly end: number

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    if (start < 0 || start > end || end > buffer.length) {
      throw new WireError(`no range ${start} to ${end} in ${buffer.length} bytes`, start)
    }
    this.buffer = buffer
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  int8(): number {
    return (this.uint8() << 24) >> 24
  }

  uint8(): number {
    const at = this.position
    if (at >= this.end) this.refuseShort(1)
    this.position = at + 1
    return this.buffer[at]!
  }

  int16(): number {
    return (this.uint16() << 16) >> 16
  }

  uint16(): number {
    const at = this.position
    if (this.end - at < 2) this.refuseShort(2)
    this.position = at + 2
    const bytes = this.buffer
    return (bytes[at]! << 8) | bytes[at + 1]!
  }

  int32(): number {
    const at = this.position
    if (this.end - at < 4) this.refuseShort(4)
    this.position = at + 4
    const bytes = this.buffer
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** A number when that is exact, else a bigint. */
  int64(): number | bigint {
    if (this.end - this.position < 8) this.refuseShort(8)
    const value = this.int32() * TWO_32 + this.uint32()
    return Number.isSafeInteger(value) ? value : this.buffer.readBigInt64BE(this.position - 8)
  }

  bigint64(): bigint {
    const at = this.position
    if (this.end - at < 8) this.refuseShort(8)
    this.position = at + 8
    return this.buffer.readBigInt64BE(at)
  }

  float64(): number {
    const at = this.position
    if (this.end - at < 8) this.refuseShort(8)
    this.position = at + 8
    return this.buffer.readDoubleBE(at)
  }

  bool(): boolean {
    return this.uint8() !== 0
  }

  /** Sixteen bytes in Kafka's text form: 22 characters of base64url. */
  uuid(): string {
    const at = this.position
    if (this.end - at < 16) this.refuseShort(16)
    if ((this.int32() | this.int32() | this.int32() | this.int32()) === 0) return ZERO_UUID
    return this.buffer.toString('base64url', at, at + 16)
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.uint8()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new WireError('a varint of more than 5 bytes', this.position)
  }

  /** A zig-zag int32. */
  varint(): number {
    const value = this.unsignedVarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** A zig-zag int64: a number when that is exact, else a bigint. */
  varlong(): number | bigint {
    const start = this.position
    let value = 0
    let scale = 1
    for (let count = 1; count <= 7; count++) {
      const byte = this.uint8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 0x80
    }
    return this.longVarlong(start)
  }

  /** Eight to ten bytes do not fit a number while they are being put together. */
  private longVarlong(start: number): number | bigint {
    this.position = start
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.uint8()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        const unsigned = BigInt.asUintN(64, value)
        const signed = (unsigned >> 1n) ^ -(unsigned & 1n)
        const short = Number(signed)
        return Number.isSafeInteger(short) ? short : signed
      }
    }
    throw new WireError('a varlong of more than 10 bytes', this.position)
  }

  /** `length` bytes as UTF-8; malformed sequences become U+FFFD, as in Java. */
  string(length: number): string {
    const at = this.position
    if (length < 0 || length > this.end - at) this.refuseLength(length)
    this.position = at + length
    return length === 0 ? '' : this.buffer.toString('utf8', at, at + length)
  }

  /** `length` bytes as a view of the buffer. */
  bytes(length: number): Buffer {
    const at = this.position
    if (length < 0 || length > this.end - at) this.refuseLength(length)
    this.position = at + length
    return this.buffer.subarray(at, at + length)
  }

  skip(length: number): void {
    if (length < 0 || length > this.end - this.position) this.refuseLength(length)
    this.position += length
  }

  /** Kafka's classic string: int16 length, -1 is null. */
  shortString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.string(length)
  }

  /** Kafka's flexible string: unsigned varint length + 1, 0 is null, at most 32767 bytes. */
  compactString(): string | null {
    const length = this.unsignedVarint() - 1
    if (length > 0x7fff) this.refuseLength(length)
    return length === -1 ? null : this.string(length)
  }

  /** Jute's string: int32 length, -1 is null. */
  juteString(): string | null {
    const length = this.int32()
    if (length === -1) return null
    const at = this.position
    const value = this.string(length)
    return value.includes('\ufffd') ? surrogatesRestored(this.buffer, at, at + length) : value
  }

  /** int32 length, -1 is null, then bytes: a view. */
  longBytes(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.bytes(length)
  }

  /** Unsigned varint length + 1, 0 is null, then bytes: a view. */
  compactBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1
    return length === -1 ? null : this.bytes(length)
  }

  /** An int32 array count, -1 for null, refused if the elements cannot fit what remains. */
  longCount(elementBytesMin: number): number {
    return this.checkedCount(this.int32(), elementBytesMin)
  }

  /** An unsigned varint array count + 1; -1 for null. */
  compactCount(elementBytesMin: number): number {
    return this.checkedCount(this.unsignedVarint() - 1, elementBytesMin)
  }

  private checkedCount(count: number, elementBytesMin: number): number {
    if (count < -1 || count * elementBytesMin > this.end - this.position) {
      throw new WireError(`${count} elements in ${this.remaining} bytes`, this.position)
    }
    return count
  }

  private refuseShort(wanted: number): never {
    throw new WireError(`${wanted} bytes wanted, ${this.remaining} left`, this.position)
  }

  private refuseLength(length: number): never {
    throw new WireError(`a length of ${length} with ${this.remaining} bytes left`, this.position)
  }
}

/**
 * ZooKeeper's Java code writes a character outside the BMP as two surrogates of three bytes each,
 * which is not UTF-8. Every other sequence is read as UTF-8.
 */
function surrogatesRestored(bytes: Buffer, start: number, end: number): string {
  let text = ''
  let plain = start
  for (let at = start; at < end - 2; at++) {
    if (bytes[at] !== 0xed || (bytes[at + 1]! & 0xe0) !== 0xa0) continue
    const unit = 0xd000 | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f)
    text += bytes.toString('utf8', plain, at) + String.fromCharCode(unit)
    plain = at + 3
    at += 2
  }
  return text + bytes.toString('utf8', plain, end)
}
