// Pure. Says what is wrong with a JSON text in the words of Go's decoder, which dashboards look
// for.

interface Scan {
  readonly text: string
  at: number
}

/**
 * What is wrong with a text that JSON.parse refused; or where its first value ends: like the
 * original's, a reader of lines does not look at what follows that.
 */
export function scanJson(text: string): { readonly problem: string } | { readonly end: number } {
  const scan: Scan = { text, at: 0 }
  const problem = value(scan, 0)
  return problem === undefined ? { end: scan.at } : { problem }
}

const nestedMax = 1000

function blank(scan: Scan): string {
  while (' \t\r\n'.includes(scan.text[scan.at] ?? '!')) scan.at += 1
  return scan.text[scan.at] ?? ''
}

function invalid(char: string, where: string): string {
  if (char === '') return 'unexpected EOF'
  const shown = char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${visible(char)}'`
  return `invalid character ${shown} ${where}`
}

function visible(char: string): string {
  const quoted = JSON.stringify(char).slice(1, -1)
  return quoted.startsWith('\\u00') ? `\\x${quoted.slice(4)}` : quoted
}

/** undefined where the value is well formed; the scan stands behind it then. */
function value(scan: Scan, depth: number): string | undefined {
  const char = blank(scan)
  if (depth > nestedMax) return 'exceeded max depth'
  if (char === '{') return members(scan, depth)
  if (char === '[') return elements(scan, depth)
  if (char === '"') return string(scan)
  if (char === 't') return literal(scan, 'true')
  if (char === 'f') return literal(scan, 'false')
  if (char === 'n') return literal(scan, 'null')
  if (char === '-' || /\d/.test(char)) return number(scan)
  if (char === '' && depth === 0) return 'EOF'
  return invalid(char, 'looking for beginning of value')
}

function literal(scan: Scan, word: string): string | undefined {
  for (let at = 0; at < word.length; at += 1) {
    const char = scan.text[scan.at] ?? ''
    if (char !== word[at]) return invalid(char, `in literal ${word} (expecting '${word[at]}')`)
    scan.at += 1
  }
  return undefined
}

function number(scan: Scan): string | undefined {
  const rest = scan.text.slice(scan.at, scan.at + 400)
  const found = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(rest)
  if (found === null) return invalid(scan.text[scan.at + 1] ?? '', 'in numeric literal')
  scan.at += found[0].length
  const next = scan.text[scan.at] ?? ''
  if (next === '.') {
    return invalid(scan.text[scan.at + 1] ?? '', 'after decimal point in numeric literal')
  }
  if (next === 'e' || next === 'E') {
    return invalid(scan.text[scan.at + 1] ?? '', 'in exponent of numeric literal')
  }
  return undefined
}

function string(scan: Scan): string | undefined {
  for (scan.at += 1; ; scan.at += 1) {
    const char = scan.text[scan.at] ?? ''
    if (char === '"') break
    if (char === '' || char < ' ') return invalid(char, 'in string literal')
    if (char !== '\\') continue
    scan.at += 1
    const escape = scan.text[scan.at] ?? ''
    if (escape === 'u') {
      for (let digit = 0; digit < 4; digit += 1) {
        scan.at += 1
        const hex = scan.text[scan.at] ?? ''
        if (!/^[0-9a-fA-F]$/.test(hex)) return invalid(hex, 'in \\u hexadecimal character escape')
      }
    } else if (escape === '' || !'"\\/bfnrt'.includes(escape)) {
      return invalid(escape, 'in string escape code')
    }
  }
  scan.at += 1
  return undefined
}

function members(scan: Scan, depth: number): string | undefined {
  scan.at += 1
  if (blank(scan) === '}') {
    scan.at += 1
    return undefined
  }
  for (;;) {
    const start = blank(scan)
    if (start !== '"') return invalid(start, 'looking for beginning of object key string')
    const problem = string(scan)
    if (problem !== undefined) return problem
    const colon = blank(scan)
    if (colon !== ':') return invalid(colon, 'after object key')
    scan.at += 1
    const inner = value(scan, depth + 1)
    if (inner !== undefined) return inner
    const next = blank(scan)
    scan.at += 1
    if (next === '}') return undefined
    if (next !== ',') return invalid(next, 'after object key:value pair')
  }
}

function elements(scan: Scan, depth: number): string | undefined {
  scan.at += 1
  if (blank(scan) === ']') {
    scan.at += 1
    return undefined
  }
  for (;;) {
    const inner = value(scan, depth + 1)
    if (inner !== undefined) return inner
    const next = blank(scan)
    scan.at += 1
    if (next === ']') return undefined
    if (next !== ',') return invalid(next, 'after array element')
  }
}
