// Pure. JSON values, and how to look into ones that come from outside.
export type Json = null | boolean | number | string | Json[] | JsonObject

export interface JsonObject {
  [name: string]: Json
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Deeper nesting is refused, as the original's parser does: whoever reads the value recurses. */
const depthMax = 1000

/** Any parsed JSON text. @throws SyntaxError */
export function parseJson(text: string): Json {
  // What is shorter cannot be that deep.
  if (text.length > depthMax && isDeeper(text, depthMax)) {
    throw new SyntaxError(`the nesting is deeper than ${depthMax}`)
  }
  return parseOwnJson(text)
}

/** JSON that we wrote ourselves. @throws SyntaxError */
export function parseOwnJson(text: string): Json {
  const value: Json = JSON.parse(text)
  return value
}

function isDeeper(text: string, limit: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) {
      at = textEnd(text, at)
    } else if (unit === 0x7b || unit === 0x5b) {
      depth++
      if (depth > limit) return true
    } else if (unit === 0x7d || unit === 0x5d) depth--
  }
  return false
}

/** The position of the quote that closes the text at `start`. */
function textEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === 0x5c) first--
    if ((end - first) % 2 === 0) return end
  }
  return text.length
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
