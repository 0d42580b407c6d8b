// Pure. Field paths with wildcards: filter_path of answers and include/exclude lists of sources.
import { isObject, type Json, type JsonObject } from './value.ts'

/** `a.*.b`, `a*`, `**.c`: matched part by part; a `*` stays within a part, `**` crosses them. */
export class PathPattern {
  readonly #parts: readonly string[]
  constructor(pattern: string) {
    this.#parts = pattern.split('.')
  }

  /** What is left of the pattern after one more name: [] when it is used up, undefined for no match. */
  static step(pattern: readonly string[], name: string): (readonly string[])[] {
    const [first, ...rest] = pattern
    if (first === undefined) return []
    if (first === '**') {
      const skipping: (readonly string[])[] = [pattern]
      return rest.length === 0 ? skipping : [...skipping, ...PathPattern.step(rest, name)]
    }
    return globMatches(first, name) ? [rest] : []
  }

  get parts(): readonly string[] {
    return this.#parts
  }
}

/** Whether a glob with `*` (and nothing else special) matches the whole name. Linear, no backtracking. */
export function globMatches(glob: string, name: string): boolean {
  if (!glob.includes('*')) return glob === name
  const pieces = glob.split('*')
  const head = pieces[0] ?? ''
  const tail = pieces.at(-1) ?? ''
  if (name.length < head.length + tail.length) return false
  if (!name.startsWith(head) || !name.endsWith(tail)) return false
  let at = head.length
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= name.length - tail.length
}

/** Keeps what a `filter_path` names (or, with a leading `-`, drops it). */
export function filterPaths(value: Json, filterPath: string): Json {
  const parts = filterPath.split(',').filter((part) => part !== '')
  const includes = parts.filter((part) => !part.startsWith('-')).map(split)
  const excludes = parts.filter((part) => part.startsWith('-')).map((part) => split(part.slice(1)))
  let result: Json | undefined = value
  if (includes.length > 0) result = keep(value, includes)
  if (result !== undefined && excludes.length > 0) result = drop(result, excludes)
  return result ?? {}
}

/**
 * A source with only the included fields and without the excluded ones. A pattern that names an object
 * stands for all that is in it; `*` crosses dots, as in the original.
 */
export function filterSource(
  source: JsonObject,
  includes: readonly string[],
  excludes: readonly string[],
): JsonObject {
  return filterObject(source, '', { includes, excludes, inside: includes.length === 0 })
}

interface SourceFilter {
  readonly includes: readonly string[]
  readonly excludes: readonly string[]
  /** An object above was included as a whole. */
  readonly inside: boolean
}

function filterObject(source: JsonObject, prefix: string, filter: SourceFilter): JsonObject {
  const result: JsonObject = {}
  for (const [name, value] of Object.entries(source)) {
    const path = prefix === '' ? name : `${prefix}.${name}`
    if (filter.excludes.some((glob) => globMatches(glob, path))) continue
    const inside = filter.inside || filter.includes.some((glob) => globMatches(glob, path))
    const kept = filterValue(value, path, { ...filter, inside })
    if (kept !== undefined) result[name] = kept
  }
  return result
}

function filterValue(value: Json, path: string, filter: SourceFilter): Json | undefined {
  if (isObject(value)) {
    const kept = filterObject(value, path, filter)
    return filter.inside || Object.keys(kept).length > 0 ? kept : undefined
  }
  if (Array.isArray(value) && value.some(isObject)) {
    const kept = value.flatMap((item) => filterValue(item, path, filter) ?? [])
    return filter.inside || kept.length > 0 ? kept : undefined
  }
  return filter.inside ? value : undefined
}

function split(pattern: string): readonly string[] {
  return new PathPattern(pattern).parts
}

function keep(value: Json, patterns: readonly (readonly string[])[]): Json | undefined {
  if (Array.isArray(value)) {
    const kept = value.flatMap((item) => keep(item, patterns) ?? [])
    return kept.length > 0 ? kept : undefined
  }
  if (!isObject(value)) return undefined
  const result: JsonObject = {}
  for (const [name, member] of Object.entries(value)) {
    const next = patterns.flatMap((pattern) => PathPattern.step(pattern, name))
    if (next.some((rest) => rest.length === 0 || (rest.length === 1 && rest[0] === '**'))) {
      result[name] = member
    } else if (next.length > 0) {
      const kept = keep(member, next)
      if (kept !== undefined) result[name] = kept
    }
  }
  return Object.keys(result).length > 0 ? result : undefined
}

function drop(value: Json, patterns: readonly (readonly string[])[]): Json | undefined {
  if (Array.isArray(value)) return value.flatMap((item) => drop(item, patterns) ?? [])
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const [name, member] of Object.entries(value)) {
    const next = patterns.flatMap((pattern) => PathPattern.step(pattern, name))
    if (next.some((rest) => rest.length === 0)) continue
    const kept = next.length > 0 ? drop(member, next) : member
    if (kept !== undefined) result[name] = kept
  }
  return result
}
