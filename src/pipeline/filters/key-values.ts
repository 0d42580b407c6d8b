// Pure. Finding key=value pairs in a text, as the filter kv of Logstash does.

import { type RubyPattern, compileRubyPattern } from '../../text/regexp.ts'

export interface PairSyntax {
  /** Characters that end a pair; or a pattern in their place. */
  readonly fieldSplit: string
  readonly fieldSplitPattern: string | undefined
  readonly valueSplit: string
  readonly valueSplitPattern: string | undefined
  /** Blanks around the character between key and value are passed over. */
  readonly isLenient: boolean
  /** Values may stand in brackets, which are taken off. */
  readonly includesBrackets: boolean
}

export interface Pair {
  readonly key: string
  readonly value: string
}

const closings = { '"': '"', "'": "'" } as const
const brackets = { '(': ')', '[': ']', '<': '>' } as const

/** A function that finds the pairs of a text, in order. @throws PatternError */
export function compilePairs(syntax: PairSyntax): (text: string) => Pair[] {
  const { fieldSplitPattern, valueSplitPattern } = syntax
  const field = fieldSplitPattern ?? `[${syntax.fieldSplit}]`
  const separator = valueSplitPattern ?? `[${syntax.valueSplit}]`
  const between = syntax.isLenient ? ` *(?:${separator}) *` : `(?:${separator})`
  const enclosed = { ...closings, ...(syntax.includesBrackets ? brackets : {}) }
  const values = Object.entries(enclosed).map(([open, close]) => {
    const [start, end] = [`\\${open}`, `\\${close}`]
    return `${start}((?:\\\\.|(?!${end})[^\\\\])*)${end}`
  })
  const key = `((?:\\\\.|(?!${field})(?!${between}).)+)`
  const rest = `((?:\\\\.|(?!${field}).)+)`
  const source = `${key}${between}(?:${values.join('|')}|${rest})?(?=${field}|$)`
  const pattern = compileRubyPattern(source, { global: true, captureGroup: true })
  const test = compileRubyPattern(separator)
  return (text) => {
    if (text.search(test.regexp) < 0) return []
    return [...text.matchAll(pattern.regexp)].map((match) => pairOf(match, pattern))
  }
}

function pairOf(match: RegExpExecArray, { groups }: RubyPattern): Pair {
  const [key = '', ...values] = groups.map(({ index }) => match[index])
  return { key, value: values.find((value) => value !== undefined) ?? '' }
}
