// Pure. Field paths with wildcards: filter_path of answers and include/exclude lists of sources.
import { isObject, type Json, type JsonObject } from './value.ts'

/** What is left of a path pattern: its parts from `at` on. */
interface Rest {
  readonly parts: readonly string[]
  readonly at: number
}

/** `a.*.b`, `a*`, `**.c`: matched part by part; a `*` stays within a part, `**` crosses them. */
function restOf(pattern: string): Rest {
  const parts = pattern.split('.')
  // Several `**` in a row are one.
  return { parts: parts.filter((part, at) => part !== '**' || parts[at - 1] !== '**'), at: 0 }
}

/**
 * What is left of the patterns after one more name. Each remainder once: several `**` in a pattern
 * would otherwise double them with every level.
 */
function stepAll(patterns: readonly Rest[], name: string): Rest[] {
  const found = new Map<readonly string[], Set<number>>()
  const next: Rest[] = []
  const add = (parts: readonly string[], at: number): void => {
    let places = found.get(parts)
    if (places === undefined) found.set(parts, (places = new Set()))
    if (places.has(at)) return
    places.add(at)
    next.push({ parts, at })
  }
  for (const { parts, at } of patterns) {
    let own = at
    if (parts[own] === '**') {
      add(parts, own)
      own++
    }
    const part = parts[own]
    if (part !== undefined && globMatches(part, name)) add(parts, own + 1)
  }
  return next
}

function isUsedUp({ parts, at }: Rest): boolean {
  return at === parts.length || (at === parts.length - 1 && parts[at] === '**')
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
  const includes = parts.filter((part) => !part.startsWith('-')).map(restOf)
  const excludes = parts.filter((part) => part.startsWith('-')).map((part) => restOf(part.slice(1)))
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

function keep(value: Json, patterns: readonly Rest[]): Json | undefined {
  if (Array.isArray(value)) {
    const kept = value.flatMap((item) => keep(item, patterns) ?? [])
    return kept.length > 0 ? kept : undefined
  }
  if (!isObject(value)) return undefined
  const result: JsonObject = {}
  for (const [name, member] of Object.entries(value)) {
    const next = stepAll(patterns, name)
    if (next.some(isUsedUp)) {
      result[name] = member
    } else if (next.length > 0) {
      const kept = keep(member, next)
      if (kept !== undefined) result[name] = kept
    }
  }
  return Object.keys(result).length > 0 ? result : undefined
}

function drop(value: Json, patterns: readonly Rest[]): Json | undefined {
  if (Array.isArray(value)) return value.flatMap((item) => drop(item, patterns) ?? [])
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const [name, member] of Object.entries(value)) {
    const next = stepAll(patterns, name)
    if (next.some(({ parts, at }) => at === parts.length)) continue
    const kept = next.length > 0 ? drop(member, next) : member
    if (kept !== undefined) result[name] = kept
  }
  return result
}
