// The codecs of record batches, behind one table. The number is the one in the attributes.
import { gunzipSync, gzipSync } from 'node:zlib'
import { WireError } from '../../wire/errors.ts'
import { refuseDecompressed } from './failure.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** As in the settings `compression.type` of producers and topics. */
export type CodecName = (typeof CODEC_NAMES)[number]

interface Codec {
  compress(bytes: Buffer, magic: number): Buffer
  decompress(bytes: Buffer, decompressedBytesMax: number, magic: number): Buffer
}

const codecs: Readonly<Record<CodecName, Codec>> = {
  none: { compress: (bytes) => bytes, decompress: (bytes) => bytes },
  gzip: {
    compress: (bytes) => gzipSync(bytes),
    // Reads concatenated members through.
    decompress: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  },
  snappy: { compress: compressSnappy, decompress: decompressSnappy },
  lz4: {
    compress: (bytes, magic) => compressLz4(bytes, magic === 0),
    decompress: (bytes, limit, magic) => decompressLz4(bytes, limit, magic === 0),
  },
  zstd: { compress: compressZstd, decompress: decompressZstd },
}

/** Name of the codec with this number, or undefined: five to seven mean nothing. */
export function codecName(id: number): CodecName | undefined {
  return CODEC_NAMES[id]
}

export function codecIdOf(name: CodecName): number {
  return CODEC_NAMES.indexOf(name)
}

function codecOf(codec: number | CodecName): Codec {
  const name = typeof codec === 'number' ? codecName(codec) : codec
  if (name === undefined) throw new WireError(`no codec ${codec}`, 0)
  return codecs[name]
}

/** `magic` is the record format the result is for: LZ4 differs in format 0. */
export function compress(codec: number | CodecName, bytes: Buffer, magic = 2): Buffer {
  return codecOf(codec).compress(bytes, magic)
}

/** How node:zlib says that `maxOutputLength` is reached. */
function isOverLimit(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}

/**
 * Throws WireError when the bytes are damaged, and RecordsError (MESSAGE_TOO_LARGE) when they would
 * become more than `decompressedBytesMax`.
 */
export function decompress(
  codec: number | CodecName,
  bytes: Buffer,
  decompressedBytesMax: number,
  magic = 2,
): Buffer {
  try {
    return codecOf(codec).decompress(bytes, decompressedBytesMax, magic)
  } catch (error) {
    if (error instanceof WireError) throw error
    if (isOverLimit(error)) refuseDecompressed(decompressedBytesMax)
    const reason = error instanceof Error ? error.message : String(error)
    throw new WireError(`compressed records cannot be read: ${reason}`, 0)
  }
}
