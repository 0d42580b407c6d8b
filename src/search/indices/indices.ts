/** All indices of the server: by name and alias, created on demand, resolved from expressions. */
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Compatibility } from '../compatibility.ts'
import { findFieldType } from '../mapping/field.ts'
import { illegalArgument, indexNotFound, SearchError } from '../errors.ts'
import { isObject, type JsonObject } from '../json/value.ts'
import { Mapping } from '../mapping/mapping.ts'
import type { IndexStorage } from '../storage/index-storage.ts'
import type { SearchStorage } from '../storage/storage.ts'
import { customAnalyzers } from './analyzers.ts'
import {
  flattenSettings,
  type IndexDefinition,
  loadDefinition,
  storeDefinition,
} from './definition.ts'
import { Index } from './index.ts'
import { shardsSetting } from './cluster-settings.ts'
import { checkIndexName, expandNames, resolveDateMath } from './names.ts'
import { type ClusterState, templatesFor } from './templates.ts'

export interface IndicesPorts {
  readonly clock: Clock
  readonly random: Random
  readonly storage: SearchStorage
  readonly state: ClusterState
  /** Shards of all open indices, copies counted, unless the cluster's settings say it. Versions before 7 know no such limit. */
  readonly shardsMax: number
}

export interface CreateRequest {
  readonly settings?: JsonObject
  /** With or without the level of the type's name. */
  readonly mappings?: JsonObject
  readonly aliases?: JsonObject
  readonly typeName?: string
}

export interface ResolveOptions {
  readonly ignoreUnavailable?: boolean
  /** Refuse an expression that leaves no index. */
  readonly demandSome?: boolean
  /** `index_or_alias` or `index_expression`: how the original names it where an index is missing. */
  readonly missingKind?: string
  /** Closed indices are left out of wildcards and refused when named; undefined allows them. */
  readonly openOnly?: boolean
}

export class Indices {
  readonly compatibility: Compatibility
  readonly #ports: IndicesPorts
  readonly #byName = new Map<string, Index>()
  readonly #creating = new Map<string, Promise<Index>>()

  constructor(ports: IndicesPorts, compatibility: Compatibility) {
    this.#ports = ports
    this.compatibility = compatibility
  }

  /** Takes over what the storage found at its start. */
  load(stored: readonly IndexStorage[]): void {
    for (const storage of stored) {
      const definition = loadDefinition(storage.definition)
      this.#byName.set(definition.name, new Index(storage, definition, this.compatibility))
    }
  }

  get all(): Index[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  find(name: string): Index | undefined {
    return this.#byName.get(name)
  }

  /** Indices that carry an alias. */
  withAlias(alias: string): Index[] {
    return this.all.filter((index) => Object.hasOwn(index.definition.aliases, alias))
  }

  /** The indices an expression names, in the order of their names. @throws SearchError */
  resolve(expression: string, options: ResolveOptions = {}): Index[] {
    const text = this.#withDates(expression)
    const known = (name: string): boolean =>
      this.#byName.has(name) || this.withAlias(name).length > 0
    const aliases = this.all.flatMap((index) => Object.keys(index.definition.aliases))
    const all = [...new Set([...this.#byName.keys(), ...aliases])]
    const { names, missing } = expandNames(text === '' ? '_all' : text, known, all)
    const kind = options.missingKind ?? 'index_or_alias'
    for (const name of missing) {
      if (name.startsWith('_')) checkIndexName(name)
      if (options.ignoreUnavailable !== true) throw indexNotFound(name, kind)
    }
    const found = new Set<Index>()
    for (const name of names) {
      const index = this.#byName.get(name)
      for (const one of index === undefined ? this.withAlias(name) : [index]) found.add(one)
    }
    const wild = /[*]|^$|^_all$/.test(text)
    const open = [...found].filter((index) => {
      if (options.openOnly !== true || !index.definition.closed) return true
      if (wild || options.ignoreUnavailable === true) return false
      throw indexClosed(index)
    })
    if (open.length === 0 && options.demandSome === true) throw indexNotFound(text, kind)
    return open.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The one index that a name or alias writes to; made where it is missing. @throws SearchError */
  async forWriting(expression: string, typeName?: string): Promise<Index> {
    const name = this.#withDates(expression)
    const index = this.#byName.get(name) ?? this.#writeIndex(name)
    if (index?.definition.closed === true) throw indexClosed(index)
    if (index !== undefined) return index
    const under = this.#creating.get(name)
    if (under !== undefined) return await under
    return await this.create(name, typeName === undefined ? {} : { typeName })
  }

  #writeIndex(alias: string): Index | undefined {
    const carriers = this.withAlias(alias)
    if (carriers.length <= 1) return carriers[0]
    const writing = carriers.find(
      (index) => index.definition.aliases[alias]?.['is_write_index'] === true,
    )
    if (writing !== undefined) return writing
    throw illegalArgument(
      `no write index is defined for alias [${alias}]. The write index may be explicitly disabled ` +
        'using is_write_index=false or the alias points to multiple indices without one being ' +
        'designated as a write index',
    )
  }

  /** @throws SearchError resource_already_exists_exception, invalid_index_name_exception … */
  async create(expression: string, request: CreateRequest): Promise<Index> {
    const name = this.#withDates(expression)
    checkIndexName(name)
    const present = this.#byName.get(name)
    if (present !== undefined || this.#creating.has(name)) {
      const uuid = present?.uuid ?? '_na_'
      throw new SearchError(
        400,
        'resource_already_exists_exception',
        `index [${name}/${uuid}] already exists`,
        { extra: { index_uuid: uuid, index: name } },
      )
    }
    if (this.withAlias(name).length > 0) {
      throw new SearchError(
        400,
        'invalid_index_name_exception',
        `Invalid index name [${name}], already exists as alias`,
        { extra: { index_uuid: '_na_', index: name } },
      )
    }
    const making = this.#make(name, request).finally(() => this.#creating.delete(name))
    this.#creating.set(name, making)
    return await making
  }

  async remove(index: Index): Promise<void> {
    if (!this.#byName.delete(index.name)) return
    await index.idle()
    await this.#ports.storage.drop(index.storage)
  }

  #withDates(expression: string): string {
    if (!expression.includes('<')) return expression
    return expression
      .split(/,(?=<)|(?<=>),/)
      .map((part) => resolveDateMath(part, this.#ports.clock.now()))
      .join(',')
  }

  /** Each index costs memory and files: the original's `cluster.max_shards_per_node`. */
  #checkShards(settings: Readonly<Record<string, string>>): void {
    if (this.compatibility.major < 7) return
    const { state } = this.#ports
    const shardsMax = Number(state.setting(shardsSetting) ?? this.#ports.shardsMax)
    const added =
      Number(settings['index.number_of_shards']) *
      (1 + Number(settings['index.number_of_replicas']))
    const open = this.all.filter((index) => !index.definition.closed)
    const present = open.reduce((sum, one) => sum + one.shardCount * (1 + one.replicaCount), 0)
    if (present + added <= shardsMax) return
    throw new SearchError(
      400,
      'validation_exception',
      `Validation Failed: 1: this action would add [${added}] shards, but this cluster currently ` +
        `has [${present}]/[${shardsMax}] maximum normal shards open;`,
    )
  }

  async #make(name: string, request: CreateRequest): Promise<Index> {
    const setup = templatesFor(this.#ports.state, name)
    const settings: Record<string, string> = {
      'index.number_of_shards': String(this.compatibility.shards),
      'index.number_of_replicas': '1',
    }
    for (const one of [...setup.settings, request.settings ?? {}]) {
      Object.assign(settings, flattenSettings(one))
    }
    let typeName = request.typeName
    const analyzers = customAnalyzers(settings)
    const fieldsMax = Number(settings['index.mapping.total_fields.limit'] ?? 1000)
    const mapping = new Mapping({ fieldsMax, analyzers })
    for (const one of [...setup.mappings, request.mappings ?? {}]) {
      const typed = untype(one)
      if (typed.typeName !== '_default_') typeName = typed.typeName ?? typeName
      mapping.merge(typed.mapping)
    }
    this.#checkShards(settings)
    const definition: IndexDefinition = {
      name,
      createdMs: this.#ports.clock.now(),
      versionId: this.compatibility.versionId,
      typeName: typeName ?? (this.compatibility.typedMappings ? 'doc' : '_doc'),
      settings,
      aliases: aliasesOf({ ...setup.aliases, ...request.aliases }),
      mapping: mapping.store(),
      closed: false,
    }
    const uuid = Buffer.from(this.#ports.random.bytes(17)).toString('base64url').slice(0, 22)
    const identity = { uuid, name }
    const storage = await this.#ports.storage.create(identity, storeDefinition(definition))
    const index = new Index(storage, definition, this.compatibility)
    this.#byName.set(name, index)
    return index
  }
}

function indexClosed(index: Index): SearchError {
  return new SearchError(400, 'index_closed_exception', 'closed', {
    extra: { index_uuid: index.uuid, index: index.name },
  })
}

function aliasesOf(aliases: JsonObject): Record<string, JsonObject> {
  const entries = Object.entries(aliases)
  return Object.fromEntries(entries.map(([name, one]) => [name, isObject(one) ? one : {}]))
}

const mappingKeys = new Set([
  'properties',
  'dynamic',
  'dynamic_templates',
  'date_detection',
  'numeric_detection',
  'dynamic_date_formats',
  '_source',
  '_meta',
  '_routing',
  '_all',
  '_field_names',
  'runtime',
])

/** Takes the level of the type's name off a mapping, where there is one. */
export function untype(mapping: JsonObject): {
  readonly typeName: string | undefined
  readonly mapping: JsonObject
} {
  const names = Object.keys(mapping)
  const [only] = names
  const inner = only === undefined ? undefined : mapping[only]
  if (names.length !== 1 || only === undefined || mappingKeys.has(only) || !isObject(inner)) {
    return { typeName: undefined, mapping }
  }
  if (typeof inner['type'] === 'string' && findFieldType(inner['type']) !== undefined) {
    return { typeName: undefined, mapping }
  }
  return { typeName: only, mapping: inner }
}
