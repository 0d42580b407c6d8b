// LZ4 frames as Kafka's Java code reads and writes them: one frame, independent blocks.
// The library decompresses; what it does not offer is here: a bound on the output, and the header
// checksum of message format 0, which was once computed over the magic number too.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
import { createRequire } from 'node:module'
import { WireError } from '../../wire/errors.ts'
import { refuseDecompressed } from './failure.ts'
import { xxhash32 } from './xxhash32.ts'

interface Library {
  compressFrameSync(data: Buffer): Buffer
  decompressFrameSync(data: Buffer): Buffer
}

let library: Library | undefined

function lz4(): Library {
  library ??= createRequire(import.meta.url)('lz4-napi') as Library
  return library
}

const MAGIC = 0x184d2204
const FLAGS_AT = 4
const DESCRIPTOR_AT = 6
const VERSION_BITS = 0xc0
const VERSION_1 = 0x40
const INDEPENDENT_BLOCKS = 0x20
const BLOCK_CHECKSUMS = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const RESERVED_OR_DICTIONARY = 0x03
const STORED_BLOCK = 0x80000000

interface Frame {
  readonly headerEnd: number
  /** After the end mark. What follows, a content checksum or anything else, is not looked at. */
  readonly end: number
  /** The content is not larger. */
  readonly decompressedBytesMax: number
}

/** A block's tokens tell its length, which takes a while to read; or its bound serves. */
type BlockBound = 'by tokens' | 'by frame'

function headerEndOf(frame: Buffer): number {
  const flags = frame[FLAGS_AT]!
  return DESCRIPTOR_AT + ((flags & CONTENT_SIZE) === 0 ? 0 : 8)
}

function checksumOf(frame: Buffer, from: number, headerEnd: number): number {
  return (xxhash32(frame, from, headerEnd) >>> 8) & 0xff
}

function checkHeader(frame: Buffer, brokenChecksum: boolean): number {
  if (frame.length < DESCRIPTOR_AT + 1 || frame.readUInt32LE(0) !== MAGIC) {
    throw new WireError('not an LZ4 frame', 0)
  }
  const flags = frame[FLAGS_AT]!
  const sizeId = frame[FLAGS_AT + 1]! >> 4
  if ((flags & VERSION_BITS) !== VERSION_1) throw new WireError('an unknown LZ4 version', FLAGS_AT)
  if ((flags & INDEPENDENT_BLOCKS) === 0) throw new WireError('dependent LZ4 blocks', FLAGS_AT)
  if ((flags & RESERVED_OR_DICTIONARY) !== 0) throw new WireError('unknown LZ4 flags', FLAGS_AT)
  if (sizeId < 4 || sizeId > 7 || (frame[FLAGS_AT + 1]! & 0x8f) !== 0) {
    throw new WireError('an unknown LZ4 block size', FLAGS_AT + 1)
  }
  const headerEnd = headerEndOf(frame)
  if (frame.length <= headerEnd) throw new WireError('an LZ4 header is cut off', frame.length)
  const stated = frame[headerEnd]
  if (stated === checksumOf(frame, FLAGS_AT, headerEnd)) return headerEnd
  if (brokenChecksum && stated === checksumOf(frame, 0, headerEnd)) return headerEnd
  throw new WireError('the LZ4 header fails its checksum', headerEnd)
}

/** Walks the block headers. @throws WireError */
function walk(frame: Buffer, brokenChecksum: boolean, bound: BlockBound): Frame {
  const headerEnd = checkHeader(frame, brokenChecksum)
  const flags = frame[FLAGS_AT]!
  const blockMax = 1 << (8 + 2 * (frame[FLAGS_AT + 1]! >> 4))
  const checksum = (flags & BLOCK_CHECKSUMS) === 0 ? 0 : 4
  let decompressedBytesMax = 0
  for (let at = headerEnd + 1; ; ) {
    if (frame.length - at < 4) throw new WireError('an LZ4 frame is cut off', at)
    const word = frame.readUInt32LE(at)
    if (word === 0) return { headerEnd, end: at + 4, decompressedBytesMax }
    const stored = word >= STORED_BLOCK
    const size = stored ? word - STORED_BLOCK : word
    if (size > blockMax || size > frame.length - at - 4) {
      throw new WireError(`an LZ4 block of ${size} bytes`, at)
    }
    if (stored) decompressedBytesMax += size
    else if (bound === 'by frame') decompressedBytesMax += blockMax
    else decompressedBytesMax += Math.min(blockMax, blockLength(frame, at + 4, size))
    at += 4 + size + checksum
  }
}

/** Output of a block, from its tokens alone. A malformed one gives any number; others refuse it. */
function blockLength(bytes: Buffer, start: number, size: number): number {
  const end = start + size
  let total = 0
  for (let at = start; at < end; ) {
    const token = bytes[at++]!
    let literals = token >> 4
    if (literals === 15) {
      let more = 255
      while (more === 255 && at < end) {
        more = bytes[at++]!
        literals += more
      }
    }
    total += literals
    at += literals + 2
    if (at > end) break
    let match = token & 15
    if (match === 15) {
      let more = 255
      while (more === 255 && at < end) {
        more = bytes[at++]!
        match += more
      }
    }
    total += match + 4
  }
  return total
}

/**
 * The content of the first frame in `bytes`; what follows it is passed over, as in Java.
 * Throws WireError. `brokenChecksum` also accepts the header checksum of message format 0.
 */
export function decompressLz4(
  bytes: Buffer,
  decompressedBytesMax: number,
  brokenChecksum = false,
): Buffer {
  const frame = walk(bytes, brokenChecksum, 'by frame')
  if (frame.decompressedBytesMax > decompressedBytesMax) {
    const exact = walk(bytes, brokenChecksum, 'by tokens')
    if (exact.decompressedBytesMax > decompressedBytesMax) refuseDecompressed(decompressedBytesMax)
  }
  // The content checksum is left out, since Kafka does not look at it and the library would.
  const plain = Buffer.from(bytes.subarray(0, frame.end))
  plain[FLAGS_AT] = plain[FLAGS_AT]! & ~CONTENT_CHECKSUM
  plain[frame.headerEnd] = checksumOf(plain, FLAGS_AT, frame.headerEnd)
  return lz4().decompressFrameSync(plain)
}

/** One frame. `brokenChecksum` writes the header checksum that readers of format 0 expect. */
export function compressLz4(bytes: Buffer, brokenChecksum = false): Buffer {
  const frame = lz4().compressFrameSync(bytes)
  if (brokenChecksum) {
    const headerEnd = headerEndOf(frame)
    frame[headerEnd] = checksumOf(frame, 0, headerEnd)
  }
  return frame
}
