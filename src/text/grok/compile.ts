// Grok: `%{NAME:field:type}` patterns expanded to one regular expression, its groups mapped to fields.

import { PatternError, type RubyPattern, compileRubyPattern, isAscii } from '../regexp.ts'

/** What a group becomes in the event. */
export interface Capture {
  /** A field reference as written in the pattern. */
  readonly field: string
  readonly type: 'string' | 'int' | 'float'
}

export interface GrokPattern {
  readonly source: string
  readonly captures: readonly Capture[]
  /**
   * One entry per capture, undefined where its group took no part; undefined where the text does not
   * match. May run for years on a hostile text: call it under a guard.
   */
  match(text: string): readonly (string | undefined)[] | undefined
}

export interface GrokOptions {
  readonly patterns: ReadonlyMap<string, string>
  /** Without it, `%{INT}` without a field name becomes the field INT. */
  readonly namedCapturesOnly: boolean
}

const REFERENCE = /%\{([A-Za-z0-9_]+)(?::([@[\]A-Za-z0-9_:.-]+))?\s*\}/g
const EXPANSIONS_MAX = 1000
const EXPANDED_LENGTH_MAX = 1_000_000
const GROUP = /^grok_(\d+)$/

/** @throws PatternError for an unknown name, endless recursion or a bad expression */
export function compileGrok(source: string, options: GrokOptions): GrokPattern {
  const captures: Capture[] = []
  const expression = expand(source, captures, options)
  const ascii = matcherOf(expression, captures, true)
  let unicode: Matcher | undefined
  return {
    source,
    captures: ascii.captures,
    match(text) {
      if (isAscii(text)) return run(ascii, text)
      unicode ??= matcherOf(expression, captures, false)
      return run(unicode, text)
    },
  }
}

function expand(source: string, captures: Capture[], options: GrokOptions): string {
  let expression = source
  let expansions = 0
  for (;;) {
    let found = false
    expression = expression.replaceAll(REFERENCE, (whole, name: string, target?: string) => {
      found = true
      expansions += 1
      const definition = options.patterns.get(name)
      if (definition === undefined) throw new PatternError(`pattern ${whole} not defined`)
      if (target === undefined && options.namedCapturesOnly) return `(?:${definition})`
      captures.push(captureOf(target ?? name))
      return `(?<grok_${captures.length - 1}>${definition})`
    })
    if (!found) return expression
    if (expansions > EXPANSIONS_MAX || expression.length > EXPANDED_LENGTH_MAX) {
      throw new PatternError(`deep recursion in pattern ${source}`)
    }
  }
}

function captureOf(target: string): Capture {
  const colon = target.indexOf(':')
  const field = colon < 0 ? target : target.slice(0, colon)
  const type = colon < 0 ? '' : target.slice(colon + 1)
  return { field, type: type === 'int' || type === 'float' ? type : 'string' }
}

interface Matcher {
  readonly regexp: RegExp
  readonly captures: readonly Capture[]
  readonly indexes: readonly number[]
}

/** Groups in the order of the expression; the user's own named groups are fields too. */
function matcherOf(expression: string, captures: readonly Capture[], ascii: boolean): Matcher {
  const { regexp, groups }: RubyPattern = compileRubyPattern(expression, { ascii })
  const used: Capture[] = []
  const indexes: number[] = []
  for (const { name, index } of groups) {
    if (name === undefined) continue
    const number = GROUP.exec(name)?.[1]
    const capture = number === undefined ? undefined : captures[Number(number)]
    used.push(capture ?? { field: name, type: 'string' })
    indexes.push(index)
  }
  return { regexp, captures: used, indexes }
}

function run({ regexp, indexes }: Matcher, text: string): (string | undefined)[] | undefined {
  const match = regexp.exec(text)
  if (match === null) return undefined
  const values: (string | undefined)[] = []
  for (const index of indexes) values.push(match[index])
  return values
}

/** `NAME pattern` per line, `#` comments; the form of pattern files. */
export function parsePatternFile(text: string): [name: string, pattern: string][] {
  const patterns: [string, string][] = []
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([A-Za-z0-9_]+)\s+(.*?)\s*$/.exec(line)
    if (match === null || line.trimStart().startsWith('#')) continue
    patterns.push([match[1] ?? '', match[2] ?? ''])
  }
  return patterns
}
