// Pure. Operations on documents, and what becomes of them.
import { isObject, type Json, type JsonObject, textOf } from '../json/value.ts'
import { illegalArgument, type SearchError } from '../errors.ts'

export type WriteOperation = IndexOperation | DeleteOperation | UpdateOperation

interface Target {
  /** Undefined: the index gives one. */
  readonly id: string | undefined
  /** The operation is refused where the document has another sequence number now. */
  readonly ifSeqNo?: number | undefined
}

export interface IndexOperation extends Target {
  /** create refuses an id that exists. */
  readonly kind: 'index' | 'create'
  readonly source: string
}

export interface DeleteOperation extends Target {
  readonly kind: 'delete'
}

export interface UpdateOperation extends Target {
  readonly kind: 'update'
  readonly body: UpdateBody
}

export interface UpdateBody {
  readonly doc: JsonObject | undefined
  readonly upsert: JsonObject | undefined
  readonly docAsUpsert: boolean
  readonly script: Script | undefined
  readonly detectNoop: boolean
}

export interface WriteOutcome {
  readonly result: 'created' | 'updated' | 'deleted' | 'not_found' | 'noop'
  readonly id: string
  readonly version: number
  /** Undefined for a noop. */
  readonly seqNo: number | undefined
}

export type WriteResult = WriteOutcome | { readonly error: SearchError; readonly id: string }

export function parseUpdate(body: Json): UpdateBody {
  if (!isObject(body)) throw illegalArgument('the update must be an object')
  const { doc, upsert, script } = body
  return {
    doc: isObject(doc) ? doc : undefined,
    upsert: isObject(upsert) ? upsert : undefined,
    docAsUpsert: body['doc_as_upsert'] === true,
    script: script === undefined ? undefined : parseScript(script),
    detectNoop: body['detect_noop'] !== false,
  }
}

/** Objects are merged member by member, everything else is replaced. True when something changed. */
export function mergeInto(target: JsonObject, changes: JsonObject): boolean {
  let changed = false
  for (const [name, value] of Object.entries(changes)) {
    const present = target[name]
    if (isObject(value) && isObject(present)) {
      changed = mergeInto(present, value) || changed
    } else if (JSON.stringify(present) !== JSON.stringify(value)) {
      target[name] = value
      changed = true
    }
  }
  return changed
}

/** The scripts that are understood: one assignment to a field of the document. */
export interface Script {
  readonly path: readonly string[]
  readonly operator: '=' | '+=' | '-='
  readonly value: Json
}

const assignment =
  /^\s*ctx\._source\.([A-Za-z_][\w.]*)\s*(\+=|-=|=)\s*(?:params\.(\w+)|(-?\d+(?:\.\d+)?)|'([^']*)'|"([^"]*)"|(true|false|null))\s*;?\s*$/

/** @throws SearchError for a script that is more than one such assignment */
export function parseScript(script: Json): Script {
  const source = isObject(script) ? (script['source'] ?? script['inline']) : script
  const parameters = isObject(script) && isObject(script['params']) ? script['params'] : {}
  const match = assignment.exec(textOf(source))
  if (match === null) {
    throw illegalArgument(
      `script [${textOf(source)}] is not supported: only ctx._source.FIELD = VALUE, += and -=`,
    )
  }
  const [, path = '', operator, name, number, single, double, word] = match
  let value: Json = single ?? double ?? null
  if (name !== undefined) value = parameters[name] ?? null
  else if (number !== undefined) value = Number(number)
  else if (word !== undefined) value = JSON.parse(word) as Json
  return { path: path.split('.'), operator: operator as Script['operator'], value }
}

export function runScript(script: Script, source: JsonObject): void {
  let target = source
  for (const name of script.path.slice(0, -1)) {
    const next = target[name]
    if (!isObject(next)) throw illegalArgument('failed to execute script')
    target = next
  }
  const name = script.path.at(-1) ?? ''
  const present = target[name]
  if (script.operator === '=') target[name] = script.value
  else if (typeof present === 'number' && typeof script.value === 'number') {
    target[name] = script.operator === '+=' ? present + script.value : present - script.value
  } else if (typeof present === 'string' && script.operator === '+=') {
    target[name] = present + textOf(script.value)
  } else throw illegalArgument('failed to execute script')
}
