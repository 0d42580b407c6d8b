// Pure. Ruby's operations on texts and lists, for the filter mutate.

import { valueText } from '../../events/sprintf.ts'
import type { Value } from '../../events/values.ts'

export function capitalize(text: string): string {
  const [first = '', ...rest] = text
  return first.toUpperCase() + rest.join('').toLowerCase()
}

/** White space and null characters at both ends. */
export function stripText(text: string): string {
  return text.replace(/^[\s\0]+/, '').replace(/[\s\0]+$/, '')
}

/** Empty texts at the end are left out; a single space splits at any white space, as in Ruby. */
export function splitText(text: string, separator: string): string[] {
  const parts = separator === ' ' ? text.trim().split(/\s+/) : text.split(separator)
  while (parts.length > 0 && parts.at(-1) === '') parts.pop()
  return parts
}

export function joinList(list: readonly Value[], separator: string): string {
  return list
    .map((item) => (Array.isArray(item) ? joinList(item, separator) : valueText(item)))
    .join(separator)
}
