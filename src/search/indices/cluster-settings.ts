// Pure. Settings of the whole cluster that can be changed while it runs.
import { illegalArgument, validationFailed } from '../errors.ts'
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'

/** Flat names to values. */
export type ClusterSettings = Readonly<Record<string, string>>

export type SettingsScope = 'persistent' | 'transient'

export const shardsSetting = 'cluster.max_shards_per_node'

/**
 * The body of a change: per scope the settings to set, or, with null, to set back.
 * @throws SearchError for settings that nothing acts on, and for values that do not fit
 */
export function readChanges(
  body: JsonObject,
): Record<SettingsScope, Record<string, string | null>> {
  const changes = {
    persistent: flat(body['persistent'] ?? null),
    transient: flat(body['transient'] ?? null),
  }
  for (const scope of ['persistent', 'transient'] as const) {
    for (const [name, value] of Object.entries(changes[scope])) check(scope, name, value)
  }
  const count = Object.keys({ ...changes.persistent, ...changes.transient }).length
  if (count === 0) throw validationFailed('no settings to update')
  return changes
}

function check(scope: SettingsScope, name: string, value: string | null): void {
  if (name !== shardsSetting) throw illegalArgument(`${scope} setting [${name}], not recognized`)
  if (value === null) return
  const shown = `Failed to parse value [${value}] for setting [${name}]`
  if (!/^[+-]?\d+$/.test(value) || Number(value) > 2 ** 31 - 1) throw illegalArgument(shown)
  if (Number(value) < 1) throw illegalArgument(`${shown} must be >= 1`)
}

function flat(settings: Json, path = ''): Record<string, string | null> {
  if (!isObject(settings)) {
    return path === '' ? {} : { [path]: settings === null ? null : textOf(settings) }
  }
  const all: Record<string, string | null> = {}
  for (const [name, value] of Object.entries(settings)) {
    Object.assign(all, flat(value, path === '' ? name : `${path}.${name}`))
  }
  return all
}

export function changed(
  settings: ClusterSettings,
  changes: Readonly<Record<string, string | null>>,
): ClusterSettings {
  const result: Record<string, string> = { ...settings }
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete result[name]
    else result[name] = value
  }
  return result
}
