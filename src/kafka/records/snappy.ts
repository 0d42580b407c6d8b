// Snappy as Kafka carries it: the stream of the Java library (xerial), a header and then blocks of
// at most 32 KiB, each preceded by its length. Some clients send one raw block without a header.
import { createRequire } from 'node:module'
import { WireError } from '../../wire/errors.ts'
import { refuseDecompressed } from './failure.ts'

interface Library {
  compressSync(data: Buffer): Buffer
  uncompressSync(data: Buffer, options?: { asBuffer: true }): Buffer
}

let library: Library | undefined

function snappy(): Library {
  library ??= createRequire(import.meta.url)('snappy') as Library
  return library
}

const HEADER = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex')
const MARK_BYTES = 8
const BLOCK_BYTES = 32 * 1024

/** A raw block begins with its decompressed length as a varint. */
function statedLength(block: Buffer): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index] ?? 0x80
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return length
  }
  throw new WireError('a Snappy block without a length', 0)
}

function decompressBlock(block: Buffer, bytesMax: number): Buffer {
  if (statedLength(block) > bytesMax) refuseDecompressed(bytesMax)
  return snappy().uncompressSync(block, { asBuffer: true })
}

/** Throws WireError for what cannot be read; the library's own errors pass through. */
export function decompressSnappy(bytes: Buffer, decompressedBytesMax: number): Buffer {
  if (bytes.length < HEADER.length || HEADER.compare(bytes, 0, MARK_BYTES, 0, MARK_BYTES) !== 0) {
    return decompressBlock(bytes, decompressedBytesMax)
  }
  const blocks: Buffer[] = []
  let total = 0
  for (let at = HEADER.length; at < bytes.length; ) {
    if (HEADER.compare(bytes, at, at + MARK_BYTES, 0, MARK_BYTES) === 0) {
      // Streams may follow each other.
      at += HEADER.length
      continue
    }
    const length = bytes.length - at < 4 ? -1 : bytes.readInt32BE(at)
    at += 4
    if (length < 0 || length > bytes.length - at) {
      throw new WireError(`a Snappy block of ${length} bytes`, at)
    }
    const block = decompressBlock(bytes.subarray(at, at + length), decompressedBytesMax - total)
    blocks.push(block)
    total += block.length
    at += length
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, total)
}

export function compressSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = snappy().compressSync(bytes.subarray(at, at + BLOCK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}
