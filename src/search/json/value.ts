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
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) {
    let text = '['
    for (const [at, item] of value.entries()) text += (at === 0 ? '' : ',') + renderJson(item)
    return `${text}]`
  }
  let text = '{'
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    text += `${text.length === 1 ? '' : ','}${JSON.stringify(name)}:${renderJson(member)}`
  }
  return `${text}}`
}

/** A value as the text it stands for: texts as they are, everything else as JSON. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
