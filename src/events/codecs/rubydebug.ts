// Pure. The codec rubydebug: events as Ruby hashes over several lines, keys aligned to the right.

import { rubyNumberText } from '../numbers.ts'
import { ExactNumber, Timestamp, type Value, type ValueMap, isMap } from '../values.ts'
import type { Codec } from './codec.ts'

export function rubydebugCodec({ metadata }: { readonly metadata: boolean }): Codec {
  return {
    name: 'rubydebug',
    decoder: () => ({ decode() {}, flush() {} }),
    encode(event) {
      const shown = metadata ? { ...event.data, '@metadata': event.metadata } : event.data
      return `${mapText(shown, '')}\n`
    },
  }
}

function mapText(map: ValueMap, indent: string): string {
  const keys = Object.keys(map)
  if (keys.length === 0) return '{}'
  const names = keys.map((key) => rubyString(key))
  const width = Math.max(...names.map((name) => name.length))
  const inner = `${indent}    `
  const lines = keys.map((key, index) => {
    const name = (names[index] ?? '').padStart(width)
    return `${inner}${name} => ${valueText(map[key] ?? null, inner)}`
  })
  return `{\n${lines.join(',\n')}\n${indent}}`
}

function valueText(value: Value, indent: string): string {
  if (value === null) return 'nil'
  if (typeof value === 'string') return rubyString(value)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof Timestamp) return value.toString()
  if (typeof value === 'number' || value instanceof ExactNumber) return rubyNumberText(value)
  if (isMap(value)) return mapText(value, indent)
  return listText(value as Value[], indent)
}

function listText(list: readonly Value[], indent: string): string {
  if (list.length === 0) return '[]'
  const inner = `${indent}    `
  const width = String(list.length - 1).length
  const lines = list.map(
    (item, index) => `${inner}[${String(index).padStart(width)}] ${valueText(item, inner)}`,
  )
  return `[\n${lines.join(',\n')}\n${indent}]`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\v': '\\v',
  '\b': '\\b',
  '\u0007': '\\a',
  '\u001b': '\\e',
}

function rubyString(text: string): string {
  const escaped = text
    .replaceAll(/["\\\p{Cc}]/gu, (char) => ESCAPES[char] ?? hexEscape(char))
    .replaceAll(/#(?=[{$@])/g, '\\#')
  return `"${escaped}"`
}

function hexEscape(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}
