// Pure. Analyzers: how a text becomes tokens, in TypeScript here and, by the same pattern, in SQL.

export interface Analyzer {
  readonly name: string
  /**
   * Matches one token. Written in what JavaScript (flag u) and RE2 share, so that the storage can cut
   * texts into the very same tokens in SQL. Undefined: the whole text is one token.
   */
  readonly tokenPattern: TokenPattern | undefined
  readonly lowercase: boolean
  readonly stopwords: ReadonlySet<string>
}

export interface TokenPattern {
  readonly javascript: RegExp
  readonly re2: string
}

export interface AnalyzedToken {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly position: number
  readonly type: string
}

/**
 * UAX #29 word boundaries as far as logs need them: ideographs and Hiragana singly, words with inner
 * dots, apostrophes and colons, numbers with inner separators, underscores joining.
 */
const wordPattern = (han: string): string =>
  `${han}|(?:\\p{L}(?:[.'’·:]\\p{L})*|\\p{Nd}(?:[.,;']\\p{Nd})*|\\p{M}|_)+`

const standardPattern: TokenPattern = {
  javascript: new RegExp(wordPattern('[\\p{Script=Han}\\p{Script=Hiragana}]'), 'gu'),
  re2: wordPattern('[\\p{Han}\\p{Hiragana}]'),
}
const whitespacePattern: TokenPattern = { javascript: /[^\s]+/gu, re2: '[^\\s]+' }
const letterPattern: TokenPattern = { javascript: /\p{L}+/gu, re2: '\\p{L}+' }

const none: ReadonlySet<string> = new Set()
const englishStopwords: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then ' +
    'there these they this to was will with'
  ).split(' '),
)

export const tokenizers: Readonly<Record<string, TokenPattern | undefined>> = {
  standard: standardPattern,
  whitespace: whitespacePattern,
  letter: letterPattern,
  lowercase: letterPattern,
  keyword: undefined,
}

const builtIn: Readonly<Record<string, Analyzer>> = {
  standard: {
    name: 'standard',
    tokenPattern: standardPattern,
    lowercase: true,
    stopwords: none,
  },
  whitespace: {
    name: 'whitespace',
    tokenPattern: whitespacePattern,
    lowercase: false,
    stopwords: none,
  },
  simple: { name: 'simple', tokenPattern: letterPattern, lowercase: true, stopwords: none },
  stop: {
    name: 'stop',
    tokenPattern: letterPattern,
    lowercase: true,
    stopwords: englishStopwords,
  },
  keyword: { name: 'keyword', tokenPattern: undefined, lowercase: false, stopwords: none },
}

export const standardAnalyzer: Analyzer = builtIn['standard'] ?? {
  name: 'standard',
  tokenPattern: standardPattern,
  lowercase: true,
  stopwords: none,
}

/** A built-in analyzer, or undefined. */
export function findAnalyzer(name: string): Analyzer | undefined {
  return Object.hasOwn(builtIn, name) ? builtIn[name] : undefined
}

/** Longer tokens are cut into pieces of this many characters, as the original's tokenizer does. */
const tokenLengthMax = 255

export function analyze(analyzer: Analyzer, text: string): AnalyzedToken[] {
  const tokens: AnalyzedToken[] = []
  let position = -1
  const add = (raw: string, start: number): void => {
    const lowered = analyzer.lowercase ? raw.toLowerCase() : raw
    position++
    if (analyzer.stopwords.has(lowered)) return
    const type = tokenType(analyzer, raw)
    tokens.push({ text: lowered, start, end: start + raw.length, position, type })
  }
  const pattern = analyzer.tokenPattern
  if (pattern === undefined) {
    if (text !== '') add(text, 0)
    return tokens
  }
  for (const match of text.matchAll(pattern.javascript)) {
    for (let cut = 0; cut < match[0].length; cut += tokenLengthMax) {
      add(match[0].slice(cut, cut + tokenLengthMax), match.index + cut)
    }
  }
  return tokens
}

/** Only the token texts, in order. */
export function tokenTexts(analyzer: Analyzer, text: string): string[] {
  return analyze(analyzer, text).map((token) => token.text)
}

function tokenType(analyzer: Analyzer, raw: string): string {
  if (analyzer.tokenPattern !== standardPattern) return 'word'
  if (/^\p{Script=Han}$/u.test(raw)) return '<IDEOGRAPHIC>'
  if (/^\p{Script=Hiragana}$/u.test(raw)) return '<HIRAGANA>'
  if (/^\p{Script=Katakana}+$/u.test(raw)) return '<KATAKANA>'
  if (/^\p{Script=Hangul}+$/u.test(raw)) return '<HANGUL>'
  return /^[\p{Nd}.,;']+$/u.test(raw) ? '<NUM>' : '<ALPHANUM>'
}
