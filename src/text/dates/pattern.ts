// Pure. Joda-Time's date patterns, cut into tokens. Letters and their meaning:
// https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html

/** A pattern that Joda refuses. */
export class DatePatternError extends Error {
  override readonly name = 'DatePatternError'
}

/** `letter` repeated `count` times, or literal text where `letter` is empty. */
export interface DateToken {
  readonly letter: string
  readonly count: number
  readonly text: string
}

const LETTERS = 'GCYxwyeEaKhHkmsSDdMZz'

/** @throws DatePatternError */
export function datePatternTokens(pattern: string): DateToken[] {
  if (pattern === '') throw new DatePatternError('Invalid pattern specification')
  const tokens: DateToken[] = []
  let literal = ''
  const endLiteral = (): void => {
    if (literal !== '') tokens.push({ letter: '', count: 0, text: literal })
    literal = ''
  }
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at] ?? ''
    if (/[A-Za-z]/.test(char)) {
      endLiteral()
      let end = at + 1
      while (pattern[end] === char) end += 1
      if (!LETTERS.includes(char)) {
        throw new DatePatternError(`Illegal pattern component: ${pattern.slice(at, end)}`)
      }
      tokens.push({ letter: char, count: end - at, text: '' })
      at = end
    } else if (char === "'") {
      const quoted = quotedText(pattern, at)
      literal += quoted.text
      at = quoted.end
    } else {
      literal += char
      at += 1
    }
  }
  endLiteral()
  return tokens
}

/** `''` is an apostrophe, inside of quotes too; an open quote reaches to the end, as in Joda. */
function quotedText(pattern: string, start: number): { text: string; end: number } {
  if (pattern[start + 1] === "'") return { text: "'", end: start + 2 }
  let text = ''
  let at = start + 1
  while (at < pattern.length) {
    if (pattern[at] !== "'") text += pattern[at]
    else if (pattern[at + 1] === "'") {
      text += "'"
      at += 1
    } else return { text, end: at + 1 }
    at += 1
  }
  return { text, end: at }
}

/** Does this token read and print digits? Decides how many digits its left neighbour may take. */
export function isNumericToken(token: DateToken | undefined): boolean {
  if (token === undefined) return false
  return 'CYxywehHkKmsSdD'.includes(token.letter) && token.letter !== ''
    ? true
    : token.letter === 'M' && token.count <= 2
}
