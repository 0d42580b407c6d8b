// The bodies of multi: each element stands behind a MultiHeader, and a last header says done.
import { WireError } from '../../wire/errors.ts'
import type { Reader } from '../../wire/reader.ts'
import type { TypeOf } from '../../wire/schema.ts'
import type { Writer } from '../../wire/writer.ts'
import { opcodes } from './opcodes.ts'
import * as records from './records.ts'
import { put, take } from './records.ts'

export type MultiOperation =
  | {
      readonly type: typeof opcodes.create | typeof opcodes.create2 | typeof opcodes.createContainer
      readonly request: TypeOf<typeof records.CreateRequest>
    }
  | {
      readonly type: typeof opcodes.createTtl
      readonly request: TypeOf<typeof records.CreateTtlRequest>
    }
  | {
      readonly type: typeof opcodes.delete
      readonly request: TypeOf<typeof records.DeleteRequest>
    }
  | {
      readonly type: typeof opcodes.setData
      readonly request: TypeOf<typeof records.SetDataRequest>
    }
  | {
      readonly type: typeof opcodes.check
      readonly request: TypeOf<typeof records.CheckVersionRequest>
    }
  | {
      readonly type: typeof opcodes.getData
      readonly request: TypeOf<typeof records.GetDataRequest>
    }
  | {
      readonly type: typeof opcodes.getChildren
      readonly request: TypeOf<typeof records.GetChildrenRequest>
    }

export type MultiResult =
  | ({ readonly type: typeof opcodes.create } & TypeOf<typeof records.CreateResponse>)
  | ({ readonly type: typeof opcodes.create2 } & TypeOf<typeof records.Create2Response>)
  | { readonly type: typeof opcodes.delete }
  | { readonly type: typeof opcodes.check }
  | ({ readonly type: typeof opcodes.setData } & TypeOf<typeof records.SetDataResponse>)
  | ({ readonly type: typeof opcodes.getData } & TypeOf<typeof records.GetDataResponse>)
  | ({ readonly type: typeof opcodes.getChildren } & TypeOf<typeof records.GetChildrenResponse>)
  | ({ readonly type: typeof opcodes.error } & TypeOf<typeof records.ErrorResponse>)

const END = { type: -1, done: true, err: -1 }

function takeOperation(type: number, reader: Reader): MultiOperation {
  switch (type) {
    case opcodes.create:
    case opcodes.create2:
    case opcodes.createContainer:
      return { type, request: take(reader, records.CreateRequest) }
    case opcodes.createTtl:
      return { type, request: take(reader, records.CreateTtlRequest) }
    case opcodes.delete:
      return { type, request: take(reader, records.DeleteRequest) }
    case opcodes.setData:
      return { type, request: take(reader, records.SetDataRequest) }
    case opcodes.check:
      return { type, request: take(reader, records.CheckVersionRequest) }
    case opcodes.getData:
      return { type, request: take(reader, records.GetDataRequest) }
    case opcodes.getChildren:
      return { type, request: take(reader, records.GetChildrenRequest) }
    default:
      throw new WireError(`operation ${type} in a multi`, reader.position)
  }
}

/** @throws WireError, also for an operation that may not stand in a multi, or not beside its first. */
export function takeMultiRequest(reader: Reader): MultiOperation[] {
  const operations: MultiOperation[] = []
  for (;;) {
    const { type, done } = take(reader, records.MultiHeader)
    if (done) return operations
    const operation = takeOperation(type, reader)
    if (isRead(operation) !== isRead(operations[0] ?? operation)) {
      throw new WireError('a multi reads or writes, but not both', reader.position)
    }
    operations.push(operation)
  }
}

export function isRead({ type }: MultiOperation): boolean {
  return type === opcodes.getData || type === opcodes.getChildren
}

export function putMultiRequest(writer: Writer, operations: readonly MultiOperation[]): void {
  for (const operation of operations) {
    put(writer, records.MultiHeader, { type: operation.type, done: false, err: -1 })
    switch (operation.type) {
      case opcodes.create:
      case opcodes.create2:
      case opcodes.createContainer:
        put(writer, records.CreateRequest, operation.request)
        break
      case opcodes.createTtl:
        put(writer, records.CreateTtlRequest, operation.request)
        break
      case opcodes.delete:
        put(writer, records.DeleteRequest, operation.request)
        break
      case opcodes.setData:
        put(writer, records.SetDataRequest, operation.request)
        break
      case opcodes.check:
        put(writer, records.CheckVersionRequest, operation.request)
        break
      case opcodes.getData:
        put(writer, records.GetDataRequest, operation.request)
        break
      case opcodes.getChildren:
        put(writer, records.GetChildrenRequest, operation.request)
        break
    }
  }
  put(writer, records.MultiHeader, END)
}

function takeResult(type: number, reader: Reader): MultiResult {
  switch (type) {
    case opcodes.create:
      return { type, ...take(reader, records.CreateResponse) }
    case opcodes.create2:
      return { type, ...take(reader, records.Create2Response) }
    case opcodes.delete:
    case opcodes.check:
      return { type }
    case opcodes.setData:
      return { type, ...take(reader, records.SetDataResponse) }
    case opcodes.getData:
      return { type, ...take(reader, records.GetDataResponse) }
    case opcodes.getChildren:
      return { type, ...take(reader, records.GetChildrenResponse) }
    case opcodes.error:
      return { type, ...take(reader, records.ErrorResponse) }
    default:
      throw new WireError(`result ${type} in a multi`, reader.position)
  }
}

/** @throws WireError */
export function takeMultiResponse(reader: Reader): MultiResult[] {
  const results: MultiResult[] = []
  for (;;) {
    const { type, done } = take(reader, records.MultiHeader)
    if (done) return results
    results.push(takeResult(type, reader))
  }
}

export function putMultiResponse(writer: Writer, results: readonly MultiResult[]): void {
  for (const result of results) {
    const err = result.type === opcodes.error ? result.err : 0
    put(writer, records.MultiHeader, { type: result.type, done: false, err })
    switch (result.type) {
      case opcodes.create:
        put(writer, records.CreateResponse, result)
        break
      case opcodes.create2:
        put(writer, records.Create2Response, result)
        break
      case opcodes.setData:
        put(writer, records.SetDataResponse, result)
        break
      case opcodes.getData:
        put(writer, records.GetDataResponse, result)
        break
      case opcodes.getChildren:
        put(writer, records.GetChildrenResponse, result)
        break
      case opcodes.error:
        put(writer, records.ErrorResponse, result)
        break
      case opcodes.delete:
      case opcodes.check:
        break
    }
  }
  put(writer, records.MultiHeader, END)
}
