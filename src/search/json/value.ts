// Pure. JSON values, and how to look into ones that come from outside.
export type Json = null | boolean | number | string | Json[] | JsonObject

export interface JsonObject {
  [name: string]: Json
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Any parsed JSON text. @throws SyntaxError */
export function parseJson(text: string): Json {
  const value: Json = JSON.parse(text)
  return value
}

export function asArray(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

/** JSON text that is put into an answer as it is: a document's source, as it was sent. */
export class RawJson {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Turns an answer into JSON text; raw parts are spliced in. */
export function renderJson(value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) {
    if (!containsRaw(value)) return JSON.stringify(value)
    return `[${value.map(renderJson).join(',')}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (!containsRaw(value)) return JSON.stringify(value)
  const members: string[] = []
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${renderJson(member)}`)
  }
  return `{${members.join(',')}}`
}

function containsRaw(value: object): boolean {
  if (value instanceof RawJson) return true
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null && containsRaw(member)) return true
  }
  return false
}
