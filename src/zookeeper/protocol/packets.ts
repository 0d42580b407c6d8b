// Whole packets: int32 size, header, body. A packet is built once, in the buffer that is sent.
import type { Schema, InputOf } from '../../wire/schema.ts'
import { Writer } from '../../wire/writer.ts'
import { reservedXids, SYNC_CONNECTED } from './opcodes.ts'
import { ConnectRequest, ConnectResponse, put, ReplyHeader } from './records.ts'
import { RequestHeader, WatcherEvent } from './records.ts'

/** jute.maxbuffer's default: a larger packet closes the connection. */
export const PACKET_BYTES_MAX = 0xfffff

function packet(fill: (writer: Writer) => void): Buffer {
  const writer = new Writer(128)
  const start = writer.reserve(4)
  fill(writer)
  writer.patchInt32(start, writer.position - 4)
  return writer.bytes()
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
