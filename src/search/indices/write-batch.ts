/** Decides what each operation of a commit does, and gathers the rows and tombstones that result. */
import { SearchError } from '../errors.ts'
import { isObject, type JsonObject, parseJson } from '../json/value.ts'
import { locate } from '../json/locate.ts'
import { readDocument } from '../mapping/document.ts'
import { RowBuffer } from '../storage/rows.ts'
import type { IndexStorage, StoredVersion } from '../storage/index-storage.ts'
import type { Compatibility } from '../compatibility.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { IndexDefinition } from './definition.ts'
import {
  type IndexOperation,
  mergeInto,
  runScript,
  type UpdateOperation,
  type WriteOperation,
  type WriteOutcome,
  type WriteResult,
} from './operations.ts'
import { brokenDocument, duplicateMember } from './broken-document.ts'

/** Deleted documents whose version is remembered. */
const deletedVersionsMax = 10_000

/** The index that is written to. */
export interface WriteTarget {
  readonly name: string
  readonly uuid: string
  readonly storage: IndexStorage
  readonly compatibility: Compatibility
  readonly mapping: Mapping
  readonly definition: IndexDefinition
}

interface Present extends StoredVersion {
  readonly source: string | undefined
}

export class WriteBatch {
  readonly rows = new RowBuffer()
  readonly gone: number[] = []
  nextSeq: number
  readonly #index: WriteTarget
  readonly #deletedVersions: Map<string, number>
  readonly #present = new Map<string, Present>()

  constructor(index: WriteTarget, deletedVersions: Map<string, number>) {
    this.#index = index
    this.#deletedVersions = deletedVersions
    this.nextSeq = index.storage.nextSeq
  }

  async prepare(operations: readonly WriteOperation[]): Promise<WriteResult[]> {
    await this.#lookup(operations)
    return operations.map((operation) => this.#apply(operation))
  }

  async #lookup(operations: readonly WriteOperation[]): Promise<void> {
    const ids = new Set<string>()
    const updated = new Set<string>()
    for (const operation of operations) {
      if (operation.id === undefined) continue
      ids.add(operation.id)
      if (operation.kind === 'update') updated.add(operation.id)
    }
    if (ids.size === 0) return
    const { storage } = this.#index
    const versions = await storage.lookup([...ids])
    const seqs = [...updated].flatMap((id) => versions.get(id)?.seq ?? [])
    const sources = seqs.length > 0 ? await storage.sources(seqs) : undefined
    for (const [id, { seq, version }] of versions) {
      this.#present.set(id, { seq, version, source: sources?.get(seq) })
    }
  }

  #apply(operation: WriteOperation): WriteResult {
    const id = operation.id
    try {
      this.#checkSeqNo(operation)
      switch (operation.kind) {
        case 'index':
        case 'create':
          return this.#put(operation)
        case 'delete':
          return this.#delete(id ?? '')
        case 'update':
          return this.#update(operation, id ?? '')
      }
    } catch (error) {
      if (error instanceof SearchError) return { error, id: id ?? '' }
      throw error
    }
  }

  #checkSeqNo(operation: WriteOperation): void {
    const { ifSeqNo, id } = operation
    if (ifSeqNo === undefined || id === undefined) return
    const present = this.#present.get(id)
    if (present?.seq === ifSeqNo) return
    const now =
      present === undefined
        ? 'but no document was found'
        : `current document has seqNo [${present.seq}] and primary term [1]`
    throw this.#conflict(id, `required seqNo [${ifSeqNo}], primary term [1]. ${now}`)
  }

  #put(operation: IndexOperation): WriteOutcome {
    const { id, kind, source } = operation
    const present = id === undefined ? undefined : this.#present.get(id)
    if (present !== undefined && kind === 'create' && id !== undefined) {
      throw this.#conflict(id, `document already exists (current version [${present.version}])`)
    }
    return this.#store(id, source, this.#parse(source))
  }

  #parse(source: string): JsonObject {
    try {
      const parsed = parseJson(source)
      if (isObject(parsed)) {
        const duplicate = duplicateMember(source, parsed)
        if (duplicate !== undefined) throw duplicate
        return parsed
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    throw brokenDocument(source)
  }

  #store(id: string | undefined, source: string, parsed: JsonObject): WriteOutcome {
    const index = this.#index
    let ignored: string[]
    try {
      ignored = readDocument(index.mapping, parsed, this.rows, {
        misfits: index.compatibility.misfits,
        placeOf: (path) => {
          const place = locate(source, path, 'value')
          return `${place.line}:${place.col}`
        },
      })
    } catch (error) {
      this.rows.abandon()
      throw error
    }
    const seq = this.nextSeq++
    const present = id === undefined ? undefined : this.#present.get(id)
    let version = 1
    if (present !== undefined) {
      version = present.version + 1
      this.gone.push(present.seq)
    } else if (id !== undefined) {
      version = (this.#deletedVersions.get(id) ?? 0) + 1
    }
    this.rows.finish({ seq, id: id ?? null, version, source }, ignored)
    if (id !== undefined) this.#present.set(id, { seq, version, source })
    const result = present === undefined ? 'created' : 'updated'
    return { result, id: id ?? this.#autoId(seq), version, seqNo: seq }
  }

  #delete(id: string): WriteOutcome {
    const present = this.#present.get(id)
    const seqNo = this.nextSeq++
    if (present === undefined) {
      const version = (this.#deletedVersions.get(id) ?? 0) + 1
      return { result: 'not_found', id, version, seqNo }
    }
    this.gone.push(present.seq)
    this.#present.delete(id)
    const version = present.version + 1
    this.#remember(id, version)
    return { result: 'deleted', id, version, seqNo }
  }

  #update(operation: UpdateOperation, id: string): WriteOutcome {
    const { doc, upsert, docAsUpsert, script, detectNoop } = operation.body
    const present = this.#present.get(id)
    if (present === undefined) {
      const first = upsert ?? (docAsUpsert ? doc : undefined)
      if (first === undefined) throw this.#missing(id)
      return this.#store(id, JSON.stringify(first), first)
    }
    const source = this.#parse(present.source ?? '{}')
    if (script !== undefined) runScript(script, source)
    else if (!mergeInto(source, doc ?? {}) && detectNoop) {
      return { result: 'noop', id, version: present.version, seqNo: undefined }
    }
    return this.#store(id, JSON.stringify(source), source)
  }

  #remember(id: string, version: number): void {
    this.#deletedVersions.set(id, version)
    if (this.#deletedVersions.size <= deletedVersionsMax) return
    const [oldest] = this.#deletedVersions.keys()
    if (oldest !== undefined) this.#deletedVersions.delete(oldest)
  }

  #conflict(id: string, why: string): SearchError {
    const index = this.#index
    const type = index.compatibility.major >= 7 ? '' : `[${index.definition.typeName}]`
    return new SearchError(
      409,
      'version_conflict_engine_exception',
      `${type}[${id}]: version conflict, ${why}`,
      { extra: { index_uuid: index.uuid, shard: '0', index: index.name } },
    )
  }

  #missing(id: string): SearchError {
    const index = this.#index
    const type = index.compatibility.major >= 7 ? '_doc' : index.definition.typeName
    return new SearchError(
      404,
      'document_missing_exception',
      `[${type}][${id}]: document missing`,
      {
        extra: { index_uuid: index.uuid, shard: '0', index: index.name },
      },
    )
  }

  #autoId(seq: number): string {
    return this.#index.storage.autoId(seq)
  }
}
