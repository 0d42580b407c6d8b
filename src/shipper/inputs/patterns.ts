// Pure. The regular expressions of a Filebeat configuration (Go's dialect) as native ones.

const posixClasses: Readonly<Record<string, string>> = {
  alnum: 'a-zA-Z0-9',
  alpha: 'a-zA-Z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9a-fA-F',
}

/** @throws SyntaxError with a text for the user */
export function compileGoPattern(source: string): RegExp {
  let rest = source
  let flags = ''
  const leading = /^\(\?([ims]+)\)/.exec(rest)
  if (leading !== null) {
    flags = [...new Set(leading[1])].join('')
    rest = rest.slice(leading[0].length)
  }
  const translated = translate(rest)
  // Only with the flag u are \p{…} classes; without it, more of Go's escapes are accepted.
  return new RegExp(translated, /\\[pP]\{/.test(translated) ? `${flags}u` : flags)
}

function translate(source: string): string {
  let result = ''
  let inClass = false
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at] ?? ''
    if (char === '\\') {
      const [text, length] = translateEscape(source, at)
      result += text
      at += length - 1
    } else if (inClass) {
      const posix = /^\[:(\^?)(\w+):\]/.exec(source.slice(at, at + 12))
      if (posix !== null) {
        result += posixClass(posix[2] ?? '', posix[1] === '^')
        at += posix[0].length - 1
      } else {
        if (char === ']') inClass = false
        result += char === '[' ? '\\[' : char
      }
    } else if (char === '[') {
      inClass = true
      const open = /^\[\^?\]?/.exec(source.slice(at, at + 3))?.[0] ?? '['
      result += open.replace(']', '\\]')
      at += open.length - 1
    } else if (source.startsWith('(?P<', at)) {
      result += '(?<'
      at += 3
    } else result += char
  }
  return result
}

function translateEscape(source: string, at: number): [text: string, length: number] {
  const next = source[at + 1] ?? ''
  if (next === 'A') return ['^', 2]
  if (next === 'z') return ['$', 2]
  if (next === 'a') return ['\\x07', 2]
  if (next === 'Q') {
    const end = source.indexOf('\\E', at + 2)
    const literal = source.slice(at + 2, end < 0 ? undefined : end)
    const length = (end < 0 ? source.length : end + 2) - at
    return [literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), length]
  }
  const wide = /^\\x\{([0-9a-fA-F]{1,4})\}/.exec(source.slice(at, at + 9))
  if (wide !== null) return [`\\u${(wide[1] ?? '').padStart(4, '0')}`, wide[0].length]
  const short = /^\\([pP])([A-Z])/.exec(source.slice(at, at + 3))
  if (short !== null) return [`\\${short[1]}{${short[2]}}`, 3]
  return [`\\${next}`, 2]
}

function posixClass(name: string, negated: boolean): string {
  const content = posixClasses[name]
  if (content === undefined || negated) {
    throw new SyntaxError(`invalid character class range: [:${negated ? '^' : ''}${name}:]`)
  }
  return content
}
