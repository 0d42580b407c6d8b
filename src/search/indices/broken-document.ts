// Pure. What the original says of a document that is not a JSON object.
import { type ErrorBody, SearchError } from '../errors.ts'
import { isObject, type Json, type JsonObject } from '../json/value.ts'

const stream =
  'org.elasticsearch.common.bytes.BytesReference$MarkSupportingStreamInputWrapper@0000000'

export function brokenDocument(source: string): SearchError {
  const trimmed = source.trim()
  if (trimmed === '') {
    return new SearchError(400, 'parse_exception', 'request body is required')
  }
  return new SearchError(400, 'mapper_parsing_exception', 'failed to parse', {
    causedBy: causeOf(trimmed, source.length),
  })
}

function causeOf(trimmed: string, length: number): ErrorBody {
  if (!trimmed.startsWith('{')) {
    return {
      type: 'not_x_content_exception',
      reason:
        'Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes',
    }
  }
  const at = `\n at [Source: ${stream}; line: 1, column: ${2 * length + 1}]`
  if (isCutOff(trimmed)) {
    return {
      type: 'json_e_o_f_exception',
      reason: `Unexpected end-of-input within/between Object entries${at}`,
    }
  }
  return { type: 'json_parse_exception', reason: `Unexpected character${at}` }
}

/**
 * The error for an object that names a member twice, which JSON.parse lets pass; undefined for none.
 * `members` is how many the parsed document has: fewer than are written means that one is lost.
 */
export function duplicateMember(source: string, parsed: JsonObject): SearchError | undefined {
  if (countWritten(source) === countMembers(parsed)) return undefined
  const found = findDuplicate(source)
  if (found === undefined) return undefined
  const at = `\n at [Source: ${stream}; line: 1, column: ${found.column}]`
  return new SearchError(400, 'mapper_parsing_exception', 'failed to parse', {
    causedBy: { type: 'json_parse_exception', reason: `Duplicate field '${found.name}'${at}` },
  })
}

function countMembers(value: Json): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + countMembers(one), 0)
  if (!isObject(value)) return 0
  let count = 0
  for (const name in value) count += 1 + countMembers(value[name] ?? null)
  return count
}

/** Colons outside of texts: one per member. */
function countWritten(source: string): number {
  let count = 0
  for (let at = 0; at < source.length; at++) {
    const unit = source.charCodeAt(at)
    if (unit === 0x3a) count++
    else if (unit === 0x22) at = textEnd(source, at)
  }
  return count
}

/** The position of the quote that closes the text at `start`. */
function textEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    const unit = source.charCodeAt(at)
    if (unit === 0x5c) at++
    else if (unit === 0x22) return at
  }
  return source.length
}

function findDuplicate(source: string): { name: string; column: number } | undefined {
  const open: Set<string>[] = []
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at)
    if (character === '{' || character === '[') open.push(new Set())
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const end = textEnd(source, at)
      if (/^\s*:/.test(source.slice(end + 1, end + 40))) {
        const name = source.slice(at + 1, end)
        if (open.at(-1)?.has(name) === true) return { name, column: end + 2 }
        open.at(-1)?.add(name)
      }
      at = end
    }
  }
  return undefined
}

/** Whether brackets are left open at the end. */
export function isCutOff(text: string): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (quoted) {
      if (character === '\\') at++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
  }
  return quoted || depth > 0
}
