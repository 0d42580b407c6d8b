// Zstandard frames. node:zlib stops after the first frame, so frames are told apart here.
// RFC 8878, section 3.1.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { WireError } from '../../wire/errors.ts'

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50

const DICTIONARY_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const

function cutOff(at: number): never {
  throw new WireError('a Zstandard frame is cut off', at)
}

/** Where the frame that begins at `start` ends. */
function frameEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start < 6) cutOff(start)
  const descriptor = bytes[start + 4]!
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag]!
  let at = start + 5 + (singleSegment ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]! + sizeBytes
  for (let last = false; !last; ) {
    if (bytes.length - at < 3) cutOff(at)
    const header = bytes.readUIntLE(at, 3)
    last = (header & 1) === 1
    // A run-length block holds one byte, whatever its size.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3)
  }
  const end = at + ((descriptor & 4) === 0 ? 0 : 4)
  return end > bytes.length ? cutOff(at) : end
}

/** Throws WireError for broken framing, and the library's errors for broken content. */
export function decompressZstd(bytes: Buffer, decompressedBytesMax: number): Buffer {
  const parts: Buffer[] = []
  let total = 0
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 8) cutOff(at)
    const magic = bytes.readUInt32LE(at)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + bytes.readUInt32LE(at + 4)
      continue
    }
    if (magic !== MAGIC) throw new WireError('not a Zstandard frame', at)
    const end = frameEnd(bytes, at)
    const part = zstdDecompressSync(bytes.subarray(at, end), {
      maxOutputLength: Math.max(1, decompressedBytesMax - total),
    })
    parts.push(part)
    total += part.length
    at = end
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total)
}

export function compressZstd(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes)
}
