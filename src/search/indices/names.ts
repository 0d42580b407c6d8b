// Pure. Names of indices: what is allowed, date math in them, and expressions that stand for several.
import { SearchError } from '../errors.ts'
import { findDateFormat } from '../dates/format.ts'
import { parseDateMath } from '../dates/math.ts'
import { findZone, utc } from '../dates/zone.ts'
import { globMatches } from '../json/paths.ts'

/** @throws SearchError invalid_index_name_exception */
export function checkIndexName(name: string): void {
  const why = reasonAgainst(name)
  if (why === undefined) return
  throw invalidName(name, why)
}

export function invalidName(name: string, why: string): SearchError {
  return new SearchError(
    400,
    'invalid_index_name_exception',
    `Invalid index name [${name}], ${why}`,
    { extra: { index_uuid: '_na_', index: name } },
  )
}

function reasonAgainst(name: string): string | undefined {
  if (name === '.' || name === '..') return "must not be '.' or '..'"
  if (/[ "*\\<>|,/?]/.test(name)) {
    return 'must not contain the following characters [ , ", *, \\, <, |, ,, >, /, ?]'
  }
  if (name.includes('#')) return "must not contain '#'"
  if (name.includes(':')) return "must not contain ':'"
  if (name.startsWith('_')) return "must not start with '_'."
  if (name.startsWith('-')) return "must not start with '-'"
  if (name.startsWith('+')) return "must not start with '+'"
  if (name !== name.toLowerCase()) return 'must be lowercase'
  if (Buffer.byteLength(name) > 255) {
    return `index name is too long, (${Buffer.byteLength(name)} > 255)`
  }
  return name === '' ? 'must not be empty' : undefined
}

/** `<logs-{now/d{yyyy.MM.dd|+08:00}}>` to `logs-2026.11.23`; other names as they are. */
export function resolveDateMath(name: string, now: number): string {
  if (!name.startsWith('<') || !name.endsWith('>')) return name
  const inner = name.slice(1, -1)
  return inner.replace(
    /\{([^{}]+)(?:\{([^{}|]+)(?:\|([^{}]+))?\})?\}/g,
    (_, math: string, pattern?: string, zoneId?: string) => {
      const format = findDateFormat(pattern ?? 'yyyy.MM.dd')
      const zone = zoneId === undefined ? utc : findZone(zoneId)
      if (format === undefined || zone === undefined) {
        throw new SearchError(
          400,
          'parse_exception',
          `invalid dynamic name expression [${name}]. date math placeholder is not valid`,
        )
      }
      return format.format(parseDateMath(math, { now, format, zone }), zone)
    },
  )
}

/** Splits at commas that are not within braces or brackets. */
export function splitNames(expression: string): string[] {
  const names: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at <= expression.length; at++) {
    const character = expression.charAt(at)
    if (character === '<' || character === '{') depth++
    else if (character === '>' || character === '}') depth--
    else if (at === expression.length || (character === ',' && depth <= 0)) {
      if (at > start) names.push(expression.slice(start, at))
      start = at + 1
    }
  }
  return names
}

/** Names that an expression's wildcards and exclusions leave, in order; `missing` for unknown ones. */
export function expandNames(
  expression: string,
  known: (name: string) => boolean,
  all: readonly string[],
): { readonly names: string[]; readonly missing: string[] } {
  const chosen = new Set<string>()
  const missing: string[] = []
  let sawWildcard = false
  for (const part of splitNames(expression)) {
    if (part === '_all' || part === '*') {
      sawWildcard = true
      for (const name of all) chosen.add(name)
    } else if (part.startsWith('-') && sawWildcard) {
      const glob = part.slice(1)
      for (const name of [...chosen]) if (globMatches(glob, name)) chosen.delete(name)
    } else if (part.includes('*')) {
      sawWildcard = true
      for (const name of all) if (globMatches(part, name)) chosen.add(name)
    } else if (known(part)) chosen.add(part)
    else missing.push(part)
  }
  return { names: [...chosen], missing }
}
