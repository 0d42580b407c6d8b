/**
 * One index: its mapping and settings, and the queue through which all changes go. What waits while a
 * commit is under way is committed together by the next one.
 */
import type { Analyzer } from '../analysis/analyzer.ts'
import type { Compatibility } from '../compatibility.ts'
import { SearchError } from '../errors.ts'
import type { JsonObject } from '../json/value.ts'
import type { Field } from '../mapping/field.ts'
import { Mapping } from '../mapping/mapping.ts'
import type { FieldSource, IndexStorage } from '../storage/index-storage.ts'
import { DiskFullError } from '../storage/storage.ts'
import { customAnalyzers } from './analyzers.ts'
import { type IndexDefinition, storeDefinition } from './definition.ts'
import type { WriteOperation, WriteResult } from './operations.ts'
import { WriteBatch } from './write-batch.ts'

interface Waiting {
  readonly operations: readonly WriteOperation[]
  readonly done: (results: WriteResult[]) => void
  readonly failed: (error: unknown) => void
}

/** Operations that go into one commit. */
const commitOperationsMax = 20_000

export class Index implements FieldSource {
  readonly storage: IndexStorage
  readonly compatibility: Compatibility
  readonly mapping: Mapping
  readonly analyzers: ReadonlyMap<string, Analyzer>
  #definition: IndexDefinition
  #storedRevision: number
  #definitionChanged = false
  #textFields: { revision: number; fields: readonly Field[] } | undefined
  readonly #queue: Waiting[] = []
  #working: Promise<void> | undefined
  /** Versions of documents that were deleted lately: a new one under the same id counts on. */
  readonly #deletedVersions = new Map<string, number>()

  constructor(storage: IndexStorage, definition: IndexDefinition, compatibility: Compatibility) {
    this.storage = storage
    this.compatibility = compatibility
    this.#definition = definition
    this.analyzers = customAnalyzers(definition.settings)
    const limit = Number(definition.settings['index.mapping.total_fields.limit'] ?? 1000)
    const mappingSettings = { fieldsMax: limit, analyzers: this.analyzers }
    this.mapping = new Mapping(mappingSettings, definition.mapping)
    this.#storedRevision = this.mapping.revision
    storage.bind(this)
  }

  get name(): string {
    return this.#definition.name
  }

  get uuid(): string {
    return this.storage.identity.uuid
  }

  get definition(): IndexDefinition {
    return this.#definition
  }

  get shardCount(): number {
    return Number(this.#definition.settings['index.number_of_shards'] ?? 1)
  }

  get replicaCount(): number {
    return Number(this.#definition.settings['index.number_of_replicas'] ?? 1)
  }

  textFields(): readonly Field[] {
    const { revision } = this.mapping
    if (this.#textFields?.revision !== revision) {
      const all = [...this.mapping.fields.values()]
      const fields = all.filter((field) => field.type === 'text' && field.indexed)
      this.#textFields = { revision, fields }
    }
    return this.#textFields.fields
  }

  timeField(): Field | undefined {
    const field = this.mapping.fields.get('@timestamp')
    return field?.type === 'date' ? field : undefined
  }

  /** All operations in order; durable when it resolves. */
  write(operations: readonly WriteOperation[]): Promise<WriteResult[]> {
    return new Promise((done, failed) => {
      this.#queue.push({ operations, done, failed })
      this.#wake()
    })
  }

  async putMapping(definition: JsonObject): Promise<void> {
    this.mapping.merge(definition)
    await this.save({})
  }

  /** Changes parts of the definition, durably. */
  async save(changes: Partial<Omit<IndexDefinition, 'mapping'>>): Promise<void> {
    this.#definition = { ...this.#definition, ...changes }
    this.#definitionChanged = true
    await this.write([])
  }

  /** Resolves when nothing is being written any more. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  #wake(): void {
    if (this.#working !== undefined) return
    this.#working = this.#work().finally(() => {
      this.#working = undefined
      if (this.#queue.length > 0) this.#wake()
    })
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      const taken: Waiting[] = []
      let count = 0
      while (this.#queue.length > 0 && count < commitOperationsMax) {
        const next = this.#queue.shift()
        if (next === undefined) break
        count += next.operations.length
        taken.push(next)
      }
      await this.#commit(taken)
    }
  }

  async #commit(taken: readonly Waiting[]): Promise<void> {
    try {
      const operations = taken.flatMap((one) => one.operations)
      const batch = new WriteBatch(this, this.#deletedVersions)
      const results = await batch.prepare(operations)
      const { revision } = this.mapping
      const changed = this.#definitionChanged || revision !== this.#storedRevision
      if (changed) this.#definition = { ...this.#definition, mapping: this.mapping.store() }
      await this.storage.append({
        rows: batch.rows,
        gone: batch.gone,
        nextSeq: batch.nextSeq,
        definition: changed ? storeDefinition(this.#definition) : undefined,
      })
      this.#storedRevision = revision
      this.#definitionChanged = false
      let at = 0
      for (const one of taken) {
        one.done(results.slice(at, at + one.operations.length))
        at += one.operations.length
      }
    } catch (error) {
      if (error instanceof DiskFullError) this.#refuse(taken, diskFull(this))
      else for (const one of taken) one.failed(error)
    }
  }

  /** Each operation for itself, so that clients that retry operations retry these. */
  #refuse(taken: readonly Waiting[], error: SearchError): void {
    for (const { operations, done, failed } of taken) {
      if (operations.length === 0) failed(error)
      else done(operations.map(({ id }) => ({ error, id: id ?? '' })))
    }
  }
}

/** What the original answers once a disk is so full that it takes no more writes. */
function diskFull({ name, compatibility }: Index): SearchError {
  if (compatibility.major < 7) {
    const block = '[FORBIDDEN/12/index read-only / allow delete (api)]'
    return new SearchError(403, 'cluster_block_exception', `blocked by: ${block};`)
  }
  const block =
    '[TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, ' +
    'index has read-only-allow-delete block]'
  return new SearchError(429, 'cluster_block_exception', `index [${name}] blocked by: ${block};`)
}
