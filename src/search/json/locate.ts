// Pure. Finds where in a JSON text a path's last key, its value, or that value's end stands.
export interface Place {
  readonly line: number
  readonly col: number
}

/** Line and column, both from 1. Where the path leads nowhere, the place of what was found last. */
export function locate(
  text: string,
  path: readonly (string | number)[],
  place: 'name' | 'value' | 'end',
): Place {
  let at = skipBlank(text, 0)
  let name = at
  for (const step of path) {
    const found = typeof step === 'string' ? member(text, at, step) : element(text, at, step)
    if (found === undefined) break
    name = found.name
    at = found.value
  }
  if (place === 'name') return placeOf(text, name)
  if (place === 'value') return placeOf(text, at)
  return placeOf(text, Math.max(skipValue(text, at) - 1, 0))
}

function placeOf(text: string, position: number): Place {
  let line = 1
  let lineStart = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) {
    line++
    lineStart = at + 1
  }
  return { line, col: position - lineStart + 1 }
}

interface Found {
  readonly name: number
  readonly value: number
}

function member(text: string, object: number, wanted: string): Found | undefined {
  if (text.charAt(object) !== '{') return undefined
  let at = skipBlank(text, object + 1)
  while (text.charAt(at) === '"') {
    const end = skipString(text, at)
    const value = skipBlank(text, skipBlank(text, end) + 1)
    if (nameIs(text.slice(at, end), wanted)) return { name: at, value }
    at = skipBlank(text, skipValue(text, value))
    if (text.charAt(at) !== ',') return undefined
    at = skipBlank(text, at + 1)
  }
  return undefined
}

function nameIs(quoted: string, wanted: string): boolean {
  try {
    return JSON.parse(quoted) === wanted
  } catch {
    return false // A broken name equals nothing; the parser has complained about it already.
  }
}

function element(text: string, array: number, index: number): Found | undefined {
  if (text.charAt(array) !== '[') return undefined
  let at = skipBlank(text, array + 1)
  for (let passed = 0; passed < index; passed++) {
    at = skipBlank(text, skipValue(text, at))
    if (text.charAt(at) !== ',') return undefined
    at = skipBlank(text, at + 1)
  }
  return { name: at, value: at }
}

function skipBlank(text: string, start: number): number {
  let at = start
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  return at
}

function skipString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1
  return at + 1
}

/** The position behind a value. Nesting is counted, not recursed into. */
function skipValue(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const character = text.charAt(at)
    if (character === '"') at = skipString(text, at)
    else if (character === '{' || character === '[') {
      depth++
      at++
    } else if (character === '}' || character === ']') {
      if (depth === 0) return at
      depth--
      at++
    } else if (depth === 0 && (character === ',' || ' \t\r\n'.includes(character))) return at
    else {
      at++
      continue
    }
    if (depth === 0) return at
  }
  return at
}
