/** Index templates and settings of the cluster, kept in one small file that is replaced as a whole. */
import { type Disk, readFileIfThere, replaceFile } from '../../runtime/disk.ts'
import { globMatches } from '../json/paths.ts'
import { UserError } from '../../runtime/service.ts'
import { isObject, type Json, type JsonObject, parseOwnJson, textOf } from '../json/value.ts'
import { changed, type ClusterSettings, type SettingsScope } from './cluster-settings.ts'

/** Everything a server keeps that is not one index's: by kind, then by name. */
export type StateKind =
  | 'template'
  | 'index_template'
  | 'component_template'
  | 'ilm'
  | 'ingest'
  | 'settings'

/** @throws UserError that names the file */
function readStored(text: string, path: string): Json {
  try {
    return parseOwnJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new UserError(`cannot read ${path}: it is damaged, ${error.message.split('\n')[0]}`)
  }
}

export class ClusterState {
  readonly #disk: Disk
  readonly #path: string
  readonly #kinds = new Map<StateKind, Map<string, JsonObject>>()
  #transient: ClusterSettings = {}
  /** 22 characters; names the cluster for good. */
  readonly clusterUuid: string

  constructor(disk: Disk, path: string, newUuid: () => string) {
    this.#disk = disk
    this.#path = path
    const bytes = readFileIfThere(disk, path)
    const stored = bytes === undefined ? undefined : readStored(bytes.toString('utf8'), path)
    const uuid = isObject(stored) ? stored['cluster_uuid'] : undefined
    this.clusterUuid = typeof uuid === 'string' ? uuid : newUuid()
    if (isObject(stored)) this.#load(stored)
    if (uuid === undefined) this.#store()
  }

  all(kind: StateKind): ReadonlyMap<string, JsonObject> {
    return this.#kinds.get(kind) ?? new Map()
  }

  /** Durable when it returns. */
  put(kind: StateKind, name: string, value: JsonObject): void {
    const entries = this.#kinds.get(kind) ?? new Map<string, JsonObject>()
    entries.set(name, value)
    this.#kinds.set(kind, entries)
    this.#store()
  }

  /** The persistent ones are kept; the transient ones end with the server. */
  settings(scope: SettingsScope): ClusterSettings {
    if (scope === 'transient') return this.#transient
    const stored = Object.entries(this.all('settings').get('persistent') ?? {})
    return Object.fromEntries(stored.map(([name, value]) => [name, textOf(value)]))
  }

  /** The transient value goes before the persistent one. */
  setting(name: string): string | undefined {
    return this.settings('transient')[name] ?? this.settings('persistent')[name]
  }

  /** Durable, as far as it is persistent, when it returns. */
  changeSettings(
    changes: Readonly<Record<SettingsScope, Readonly<Record<string, string | null>>>>,
  ): void {
    this.#transient = changed(this.#transient, changes.transient)
    const persistent = changed(this.settings('persistent'), changes.persistent)
    this.put('settings', 'persistent', { ...persistent })
  }

  /** Removes all whose names fit; returns how many. */
  remove(kind: StateKind, glob: string): number {
    const entries = this.#kinds.get(kind)
    const names = [...(entries?.keys() ?? [])].filter((name) => globMatches(glob, name))
    for (const name of names) entries?.delete(name)
    if (names.length > 0) this.#store()
    return names.length
  }

  #load(stored: JsonObject): void {
    for (const kind of stateKinds) {
      const entries = stored[kind]
      if (!isObject(entries)) continue
      const loaded = new Map<string, JsonObject>()
      for (const [name, value] of Object.entries(entries)) {
        if (isObject(value)) loaded.set(name, value)
      }
      this.#kinds.set(kind, loaded)
    }
  }

  #store(): void {
    const json: JsonObject = { cluster_uuid: this.clusterUuid }
    for (const [kind, entries] of this.#kinds) json[kind] = Object.fromEntries(entries)
    replaceFile(this.#disk, this.#path, JSON.stringify(json))
  }
}

const stateKinds: readonly StateKind[] = [
  'template',
  'index_template',
  'component_template',
  'ilm',
  'ingest',
  'settings',
]

export interface IndexSetup {
  readonly settings: readonly JsonObject[]
  readonly mappings: readonly JsonObject[]
  readonly aliases: JsonObject
}

/** What templates give an index of this name; later entries go before earlier ones. */
export function templatesFor(state: ClusterState, name: string): IndexSetup {
  const composable = bestComposable(state, name)
  const chosen = composable ?? legacyTemplates(state, name)
  return {
    settings: chosen.flatMap((one) => objects(one['settings'])),
    mappings: chosen.flatMap((one) => objects(one['mappings'])),
    aliases: Object.assign({}, ...chosen.flatMap((one) => objects(one['aliases']))) as JsonObject,
  }
}

function objects(value: Json | undefined): JsonObject[] {
  return isObject(value) ? [value] : []
}

function fits(template: JsonObject, name: string): boolean {
  const patterns = template['index_patterns'] ?? template['template']
  const list = Array.isArray(patterns) ? patterns : [patterns]
  return list.some((glob) => typeof glob === 'string' && globMatches(glob, name))
}

function legacyTemplates(state: ClusterState, name: string): JsonObject[] {
  const fitting = [...state.all('template').values()].filter((one) => fits(one, name))
  return fitting.sort((a, b) => Number(a['order'] ?? 0) - Number(b['order'] ?? 0))
}

function bestComposable(state: ClusterState, name: string): JsonObject[] | undefined {
  const fitting = [...state.all('index_template').values()].filter((one) => fits(one, name))
  fitting.sort((a, b) => Number(b['priority'] ?? 0) - Number(a['priority'] ?? 0))
  const [best] = fitting
  if (best === undefined) return undefined
  const components = Array.isArray(best['composed_of']) ? best['composed_of'] : []
  const parts = components.map((one) => state.all('component_template').get(textOf(one)))
  return [...parts, best].flatMap((one) => objects(one?.['template']))
}
