import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32, crc32c, portableCrc32c } from '../../src/wire/crc32c.ts'
import { WireError } from '../../src/wire/errors.ts'
import { isInt64, readInt64, writeInt64 } from '../../src/wire/integers.ts'
import { Reader, ZERO_UUID } from '../../src/wire/reader.ts'
import {
  unsignedVarintSize,
  varintSize,
  varlongSize,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../../src/wire/varint.ts'
import { Writer } from '../../src/wire/writer.ts'

const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)),
)

function written(write: (writer: Writer) => void): Reader {
  const writer = new Writer(1)
  write(writer)
  return new Reader(writer.bytes())
}

test('what the writer writes, the reader reads', () => {
  const property = fc.property(
    fc.integer(),
    int64,
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    (int, long, text, bytes) => {
      const reader = written((writer) => {
        writer.int32(int)
        writer.varint(int)
        writer.uint32(int >>> 0)
        writer.unsignedVarint(int >>> 0)
        writer.int64(long)
        writer.varlong(long)
        writer.compactString(text)
        writer.shortString(text)
        writer.longBytes(bytes)
        writer.compactBytes(bytes)
      })
      const plain = Number.isSafeInteger(Number(long)) ? Number(long) : long
      // Half a surrogate pair has no UTF-8.
      const readable = text.toWellFormed()
      assert.equal(reader.int32(), int)
      assert.equal(reader.varint(), int)
      assert.equal(reader.uint32(), int >>> 0)
      assert.equal(reader.unsignedVarint(), int >>> 0)
      assert.equal(reader.int64(), plain)
      assert.equal(reader.varlong(), plain)
      assert.equal(reader.compactString(), readable)
      assert.equal(reader.shortString(), readable)
      assert.deepEqual(reader.longBytes(), Buffer.from(bytes))
      assert.deepEqual(reader.compactBytes(), Buffer.from(bytes))
      assert.equal(reader.remaining, 0)
    },
  )
  fc.assert(property, { numRuns: 500 })
})

test('varints have the sizes and bytes of the protocol', () => {
  const bytes = Buffer.alloc(10)
  const hex = (end: number): string => bytes.subarray(0, end).toString('hex')
  assert.equal(hex(writeUnsignedVarint(bytes, 0, 300)), 'ac02')
  assert.equal(hex(writeVarint(bytes, 0, -1)), '01')
  assert.equal(hex(writeVarint(bytes, 0, -(2 ** 31))), 'ffffffff0f')
  assert.equal(hex(writeVarlong(bytes, 0, 1_700_000_000_000)), '80a0abfef962')
  const property = fc.property(fc.maxSafeInteger(), fc.integer(), (long, int) => {
    const end = writeVarlong(bytes, 0, long)
    assert.equal(end, varlongSize(long))
    assert.equal(new Reader(bytes, 0, end).varlong(), long)
    assert.equal(hex(end), written((writer) => writer.varlong(BigInt(long))).buffer.toString('hex'))
    assert.equal(writeVarint(bytes, 0, int), varintSize(int))
    assert.equal(writeUnsignedVarint(bytes, 0, int), unsignedVarintSize(int >>> 0))
  })
  fc.assert(property, { numRuns: 2000 })
})

test('a varint that does not end is refused', () => {
  const endless = Buffer.alloc(20, 0xff)
  assert.throws(() => new Reader(endless).unsignedVarint(), WireError)
  assert.throws(() => new Reader(endless).varlong(), WireError)
  assert.throws(() => new Reader(endless.subarray(0, 3)).varlong(), WireError)
})

test('64-bit integers in place are numbers, and refused beyond 2^53', () => {
  const bytes = Buffer.alloc(8)
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      writeInt64(bytes, 0, value)
      assert.equal(bytes.readBigInt64BE(0), BigInt(value))
      assert.equal(readInt64(bytes, 0), value)
      assert.ok(isInt64(bytes, 0, value))
    }),
  )
  bytes.writeBigInt64BE(2n ** 53n)
  assert.throws(() => readInt64(bytes, 0), WireError)
})

test('values that their type cannot carry are refused', () => {
  const writer = new Writer()
  const refused: (() => void)[] = [
    () => writer.int8(128),
    () => writer.int16(-32769),
    () => writer.int32(2 ** 31),
    () => writer.int32(0.5),
    () => writer.uint16(-1),
    () => writer.int64(2 ** 60),
    () => writer.int64(2n ** 63n),
    () => writer.uuid('short'),
    () => writer.shortString('x'.repeat(32768)),
    () => writer.compactString('ä'.repeat(16384)),
  ]
  for (const write of refused) assert.throws(write, WireError)
})

test('uuids are 22 characters of base64url', () => {
  const id = 'dGhpcyBpcyBhIHV1aWQ_LQ'.slice(0, 21) + 'A'
  const reader = written((writer) => {
    writer.uuid(id)
    writer.uuid(ZERO_UUID)
  })
  assert.equal(reader.uuid(), id)
  assert.equal(reader.uuid(), ZERO_UUID)
})

test('a known answer: CRC-32C and CRC-32 of "123456789"', () => {
  const digits = Buffer.from('x123456789y')
  assert.equal(crc32c(digits, 1, 10), 0xe3069283)
  assert.equal(crc32(digits, 1, 10), 0xcbf43926)
  assert.equal(portableCrc32c(digits.subarray(1, 10), 0), 0xe3069283)
})

test('the portable CRC-32C gives what the native one gives, in one piece and in two', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (array, cut) => {
    const bytes = Buffer.from(array)
    const middle = Math.min(cut, bytes.length)
    const whole = crc32c(bytes)
    assert.equal(portableCrc32c(bytes, 0), whole)
    assert.equal(crc32c(bytes, middle, bytes.length, crc32c(bytes, 0, middle)), whole)
    const first = portableCrc32c(bytes.subarray(0, middle), 0)
    assert.equal(portableCrc32c(bytes.subarray(middle), first), whole)
  })
  fc.assert(property)
})

test('a growing writer keeps what was written, and patches and sizes reach the right bytes', () => {
  const writer = new Writer(1)
  const at = writer.reserve(4)
  const sized = writer.beginSized()
  writer.raw(Buffer.alloc(300, 7))
  writer.endSized(sized)
  writer.patchInt32(at, writer.position)
  const reader = new Reader(writer.bytes())
  assert.equal(reader.int32(), writer.position)
  assert.deepEqual(reader.bytes(reader.unsignedVarint()), Buffer.alloc(300, 7))
  assert.equal(reader.remaining, 0)
})
