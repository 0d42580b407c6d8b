// Whole packets: int32 size, header, body.
import type { Schema, InputOf } from '../../wire/schema.ts'
import { Writer } from '../../wire/writer.ts'
import { reservedXids, SYNC_CONNECTED } from './opcodes.ts'
import { ConnectRequest, ConnectResponse, put, ReplyHeader } from './records.ts'
import { RequestHeader, WatcherEvent } from './records.ts'

/** jute.maxbuffer's default: a larger packet closes the connection. */
export const PACKET_BYTES_MAX = 0xfffff

const SCRATCH_BYTES = 16 * 1024

/** Most packets are small and live for a moment, so they are built here and copied to their size. */
let scratch = new Writer(SCRATCH_BYTES)

function packet(fill: (writer: Writer) => void): Buffer {
  const writer = scratch
  writer.reset()
  const start = writer.reserve(4)
  fill(writer)
  writer.patchInt32(start, writer.position - 4)
  // A larger one keeps the buffer that has grown for it.
  if (writer.buffer.length > SCRATCH_BYTES) {
    scratch = new Writer(SCRATCH_BYTES)
    return writer.bytes()
  }
  return Buffer.from(writer.bytes())
}

export function requestPacket(xid: number, type: number, body?: (writer: Writer) => void): Buffer {
  return packet((writer) => {
    put(writer, RequestHeader, { xid, type })
    body?.(writer)
  })
}

export interface Reply {
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
}

export function replyPacket(header: Reply, body?: (writer: Writer) => void): Buffer {
  return packet((writer) => {
    put(writer, ReplyHeader, header)
    body?.(writer)
  })
}

/** Of ReplyHeader and an int32 of length, with the packet's size. */
const DATA_HEAD_BYTES = 4 + 16 + 4

/**
 * A reply of a long buffer and a tail of a record's bytes, in the pieces to send: the buffer is sent as
 * it is, since a copy of it for each client that asks would be the larger part of a server's memory.
 */
export function dataReplyPieces(
  { xid, zxid, err }: Reply,
  { data, tail }: { readonly data: Buffer; readonly tail: Buffer },
): readonly Buffer[] {
  const head = Buffer.allocUnsafe(DATA_HEAD_BYTES)
  head.writeInt32BE(DATA_HEAD_BYTES - 4 + data.length + tail.length, 0)
  head.writeInt32BE(xid, 4)
  head.writeBigInt64BE(zxid, 8)
  head.writeInt32BE(err, 16)
  head.writeInt32BE(data.length, 20)
  return [head, data, tail]
}

/** A body of one record, for the functions above. */
export function recordBody<S extends Schema>(
  schema: S,
  value: InputOf<S>,
): (writer: Writer) => void {
  return (writer) => put(writer, schema, value)
}

/** What a watch tells. `zxid` of its header is -1 as in the original up to 3.8. */
export function eventPacket(type: number, path: string): Buffer {
  return packet((writer) => {
    put(writer, ReplyHeader, { xid: reservedXids.notification, zxid: -1n, err: 0 })
    put(writer, WatcherEvent, { type, state: SYNC_CONNECTED, path })
  })
}

/** `readOnly` follows the record; undefined leaves it out, as peers before 3.4 do. */
export function connectRequestPacket(
  request: InputOf<typeof ConnectRequest>,
  readOnly: boolean | undefined,
): Buffer {
  return packet((writer) => {
    put(writer, ConnectRequest, request)
    if (readOnly !== undefined) writer.bool(readOnly)
  })
}

export function connectResponsePacket(
  response: InputOf<typeof ConnectResponse>,
  readOnly: boolean | undefined,
): Buffer {
  return packet((writer) => {
    put(writer, ConnectResponse, response)
    if (readOnly !== undefined) writer.bool(readOnly)
  })
}
