// Pure.
// What a node holds, kept small: short contents as strings of one character a byte, since a Buffer of
// its own costs some hundred bytes more, and a slice of a shared one keeps its neighbours alive.
import type { Writer } from '../../wire/writer.ts'

/** A string stands for as many bytes as it has characters, each below 256. */
export type NodeData = string | Buffer | null

const TEXT_BYTES_MAX = 1024

/** Bytes of its own for what stands in a buffer that will be used again. */
export function keptData(bytes: Buffer | null): NodeData {
  if (bytes === null) return null
  if (bytes.length <= TEXT_BYTES_MAX) return bytes.toString('latin1')
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}

/** 0 for null. */
export function dataLength(data: NodeData): number {
  return data === null ? 0 : data.length
}

export function dataBytes(data: NodeData): Buffer | null {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data
}

/** Appends it as jute's buffer: int32 length, -1 for null, then the bytes. */
export function putData(writer: Writer, data: NodeData): void {
  if (typeof data !== 'string') return writer.longBytes(data)
  writer.int32(data.length)
  const at = writer.reserve(data.length)
  writer.buffer.write(data, at, 'latin1')
}
