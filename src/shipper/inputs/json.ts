// Pure. Lines that are JSON objects, decoded into fields as Filebeat's json and ndjson settings
// say.

import { parseJson } from '../../events/json.ts'
import type { Value, ValueMap } from '../../events/values.ts'
import type { JsonSettings } from '../settings.ts'
import { scanJson } from './json-error.ts'

/** What decoding adds to an event. */
export interface Decoded {
  /** undefined: the event has no message of its own. */
  readonly message: string | undefined
  readonly fields: ValueMap
  /** Fields that replace what the event has already. */
  readonly overwrite: boolean
}

export function decodeJsonLine(text: string, settings: JsonSettings): Decoded {
  let value: Value
  try {
    value = parseJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const scanned = scanJson(text)
    if ('end' in scanned && scanned.end < text.length) {
      return decodeJsonLine(text.slice(0, scanned.end), settings)
    }
    const problem = 'problem' in scanned ? scanned.problem : 'invalid JSON'
    return refusedJsonLine(text, settings, problem)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
    const type = found === 'boolean' ? 'bool' : found
    const problem = `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`
    return refusedJsonLine(text, settings, problem)
  }
  const fields = value as ValueMap
  const { messageKey } = settings
  let problem: string | undefined
  if (messageKey !== undefined) {
    if (!Object.hasOwn(fields, messageKey)) problem = `Key '${messageKey}' not found`
    else if (typeof fields[messageKey] !== 'string') {
      problem = `Value of key '${messageKey}' is not a string`
    }
  }
  if (problem !== undefined && settings.addErrorKey) fields['error'] = errorOf(problem)
  return place(fields, settings, undefined)
}

/** The event of a line that is no JSON object: the line itself, and why, where that is wanted. */
export function refusedJsonLine(text: string, settings: JsonSettings, problem: string): Decoded {
  if (!settings.addErrorKey) return { message: text, fields: {}, overwrite: false }
  return place({ error: errorOf(`Error decoding JSON: ${problem}`) }, settings, text)
}

function errorOf(problem: string): ValueMap {
  return { message: problem, type: 'json' }
}

function place(fields: ValueMap, settings: JsonSettings, message: string | undefined): Decoded {
  if (!settings.keysUnderRoot) {
    return { message, fields: { [settings.target]: fields }, overwrite: false }
  }
  const { overwriteKeys } = settings
  delete fields['@metadata']
  if (!overwriteKeys) delete fields['@timestamp']
  return { message, fields, overwrite: overwriteKeys }
}
