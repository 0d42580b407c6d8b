// Ruby's regular expressions (Oniguruma's dialect) as native ones.

import { EmulatedRegExp, toRegExpDetails } from 'oniguruma-to-es'

/** A pattern that is no valid regular expression. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

export interface RubyPattern {
  readonly regexp: RegExp
  /** For each group of the source, in order: its name where it has one, and its place in a match. */
  readonly groups: readonly { readonly name: string | undefined; readonly index: number }[]
}

export interface RubyPatternOptions {
  /** Adds the flag g, for replacing. */
  readonly global?: boolean
  /**
   * The text to match is known to be ASCII: word boundaries, which see all of Unicode in Ruby, can
   * then be the native ones, which are several times faster.
   */
  readonly ascii?: boolean
  /** Plain groups count beside named ones, as with Oniguruma's option CAPTURE_GROUP. */
  readonly captureGroup?: boolean
}

/** In Ruby `\w` and `\d` are ASCII and `\b` is not. @throws PatternError */
export function compileRubyPattern(source: string, options: RubyPatternOptions = {}): RubyPattern {
  const { global = false, ascii = false, captureGroup = false } = options
  try {
    const details = toRegExpDetails(ascii ? source : asciiWordClasses(source), {
      flags: ascii ? 'DSW' : 'DS',
      global,
      target: 'ES2025',
      rules: { captureGroup, allowOrphanBackrefs: false },
    })
    const { pattern, flags } = details
    const emulation = details.options
    if (emulation?.strategy || (emulation?.transfers?.length ?? 0) > 0) {
      const regexp = new EmulatedRegExp(pattern, flags, emulation)
      return { regexp, groups: groupsOf(source, new Set()) }
    }
    const plain = pattern.includes('\\k<') ? pattern : pattern.replaceAll(GROUP_NAME, '(')
    return {
      regexp: new RegExp(plain, flags),
      groups: groupsOf(pattern, new Set(emulation?.hiddenCaptures ?? [])),
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new PatternError(`invalid regular expression /${source}/: ${error.message}`, {
      cause: error,
    })
  }
}

const GROUP_NAME = /\(\?<[A-Za-z_$][^>]*>/g

/** Finds the capturing groups of a pattern, leaving out those the translation added. */
function groupsOf(pattern: string, hidden: ReadonlySet<number>): RubyPattern['groups'] {
  const groups: { name: string | undefined; index: number }[] = []
  let index = 0
  let classDepth = 0
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at]
    if (char === '\\') at += 1
    else if (char === '[') classDepth += 1
    else if (char === ']') classDepth = Math.max(0, classDepth - 1)
    else if (char === '(' && classDepth === 0) {
      const name = /^\(\?<([A-Za-z_$][^>]*)>/.exec(pattern.slice(at, at + 300))?.[1]
      if (name === undefined && pattern[at + 1] === '?') continue
      index += 1
      if (!hidden.has(index)) groups.push({ name, index })
    }
  }
  return groups
}

/** Spells out `\w` and `\W`, which must stay ASCII while `\b` must not. */
function asciiWordClasses(source: string): string {
  let result = ''
  let classDepth = 0
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at] ?? ''
    if (char === '\\') {
      const next = source[at + 1] ?? ''
      at += 1
      if (next === 'w') result += classDepth > 0 ? 'a-zA-Z0-9_' : '[a-zA-Z0-9_]'
      else if (next === 'W') result += '[^a-zA-Z0-9_]'
      else result += char + next
      continue
    }
    if (char === '[') classDepth += 1
    else if (char === ']') classDepth = Math.max(0, classDepth - 1)
    result += char
  }
  return result
}

const NOT_ASCII = /\P{ASCII}/u

export function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text)
}
