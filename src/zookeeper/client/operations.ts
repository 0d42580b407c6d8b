// Pure.
// Operations as requests, and answers as results: without connection, watch or chroot.
import type { Reader } from '../../wire/reader.ts'
import { errorCodes } from '../protocol/errors.ts'
import { type MultiOperation, type MultiResult, takeMultiResponse } from '../protocol/multi.ts'
import { createFlags, opcodes } from '../protocol/opcodes.ts'
import * as records from '../protocol/records.ts'
import { take } from '../protocol/records.ts'
import type { TypeOf } from '../../wire/schema.ts'
import {
  type Acl,
  type CreateOptions,
  type CreateResult,
  MultiError,
  openAcl,
  type Operation,
  type OperationResult,
} from './client.ts'

type Create = TypeOf<typeof records.CreateRequest>

function bufferOf(data: Uint8Array | null): Buffer | null {
  return data === null ? null : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

export function createRequest(
  path: string,
  data: Uint8Array | null,
  options: CreateOptions,
): Create {
  const { acl } = options
  const flags = flagsOf(options)
  const list = (acl ?? openAcl).map(({ perms, id }) => ({ perms, id: { ...id } }))
  return { path, data: bufferOf(data), acl: list, flags }
}

function flagsOf({ ephemeral, sequential, container, ttlMs }: CreateOptions): number {
  if (container === true) return createFlags.container
  if (ttlMs !== undefined) return sequential === true ? createFlags.ttlSequential : createFlags.ttl
  return (
    (ephemeral === true ? createFlags.ephemeral : 0) |
    (sequential === true ? createFlags.persistentSequential : 0)
  )
}

/** Which of the create requests carries these options. */
export function createType({ stat, container, ttlMs }: CreateOptions) {
  if (container === true) return opcodes.createContainer
  if (ttlMs !== undefined) return opcodes.createTtl
  return stat === false ? opcodes.create : opcodes.create2
}

export function takeCreateResult(reader: Reader, hasStat: boolean): CreateResult {
  if (!hasStat) return { path: take(reader, records.CreateResponse).path ?? '', stat: null }
  const { path, stat } = take(reader, records.Create2Response)
  return { path: path ?? '', stat }
}

export function takeAcl(reader: Reader) {
  const { acl, stat } = take(reader, records.GetAclResponse)
  const list: Acl[] = (acl ?? []).map(({ perms, id }) => ({
    perms,
    id: { scheme: id.scheme ?? '', id: id.id ?? '' },
  }))
  return { acl: list, stat }
}

export function takeData(reader: Reader) {
  const { data, stat } = take(reader, records.GetDataResponse)
  return { data: Buffer.from(data ?? []), stat }
}

export function takeChildren(reader: Reader) {
  const { children, stat } = take(reader, records.GetChildren2Response)
  return { children: (children ?? []).map((name) => name ?? ''), stat }
}

/** `path` is as the server shall see it. */
export function multiOperation(operation: Operation, path: string): MultiOperation {
  switch (operation.type) {
    case 'create': {
      const request = createRequest(path, operation.data, operation)
      const type = createType({ stat: false, ...operation })
      if (type !== opcodes.createTtl) return { type, request }
      return { type, request: { ...request, ttl: BigInt(operation.ttlMs ?? 0) } }
    }
    case 'delete':
      return { type: opcodes.delete, request: { path, version: operation.version ?? -1 } }
    case 'setData': {
      const data = bufferOf(operation.data)
      return { type: opcodes.setData, request: { path, data, version: operation.version ?? -1 } }
    }
    case 'check':
      return { type: opcodes.check, request: { path, version: operation.version } }
  }
}

/** The results, or the error of the first operation that failed. */
export function takeMultiResults(
  reader: Reader,
  operations: readonly Operation[],
): OperationResult[] | MultiError {
  const results = takeMultiResponse(reader)
  for (const [index, result] of results.entries()) {
    if (result.type !== opcodes.error || result.err === errorCodes.OK) continue
    return new MultiError(result.err, operations[index]?.path ?? null, index)
  }
  return results.map(resultOf)
}

function resultOf(result: MultiResult): OperationResult {
  switch (result.type) {
    case opcodes.create:
      return { type: 'create', path: result.path ?? '', stat: null }
    case opcodes.create2:
      return { type: 'create', path: result.path ?? '', stat: result.stat }
    case opcodes.setData:
      return { type: 'setData', stat: result.stat }
    case opcodes.delete:
      return { type: 'delete' }
    case opcodes.check:
    case opcodes.error:
    case opcodes.getData:
    case opcodes.getChildren:
      return { type: 'check' }
  }
}
