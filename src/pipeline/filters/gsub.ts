// Replacement by regular expressions, for the filter mutate: guarded, with Ruby's back-references.

import { type PipelineEvent, setNamedField } from '../../events/event.ts'
import { getField, reference } from '../../events/references.ts'
import type { Template } from '../../events/sprintf.ts'
import type { Value } from '../../events/values.ts'
import { mapGuarded } from '../../text/guard.ts'
import { type RubyPattern, compileRubyPattern } from '../../text/regexp.ts'
import type { Operation } from './operation.ts'

export interface Substitution {
  readonly field: string
  readonly needle: Template
  readonly replacement: Template
}

const LIMIT_MS = 1000

type Result = { readonly value: Value } | { readonly error: unknown } | undefined

/** A needle with `%{…}` becomes a new expression for each event. @throws PatternError */
export function gsubOperation({ field, needle, replacement }: Substitution): Operation {
  const fixed = needle.dynamic ? undefined : compileRubyPattern(needle.text, { global: true })
  const compute = (event: PipelineEvent): Result => {
    const value = getField(event, reference(field))
    if (typeof value !== 'string' && !Array.isArray(value)) return undefined
    try {
      const pattern = fixed ?? compileRubyPattern(needle.render(event), { global: true })
      const text = replacement.render(event)
      const change = (item: Value): Value =>
        typeof item === 'string' ? replaceAll(item, pattern, text) : item
      return { value: Array.isArray(value) ? value.map(change) : change(value) }
    } catch (error) {
      return { error }
    }
  }
  return {
    all(events, fail) {
      const results = mapGuarded<PipelineEvent, Result>(events, LIMIT_MS, {
        run: compute,
        late: () => ({ error: new Error(`gsub took longer than ${LIMIT_MS} ms`) }),
      })
      for (const [at, result] of results.entries()) {
        const event = events[at]
        if (result === undefined || event === undefined) continue
        if ('error' in result) fail(event, result.error)
        else setNamedField(event, field, result.value)
      }
    },
  }
}

function replaceAll(text: string, { regexp, groups }: RubyPattern, replacement: string): string {
  if (!replacement.includes('\\')) return text.replaceAll(regexp, () => replacement)
  return text.replaceAll(regexp, (...match: (string | undefined)[]) =>
    replacement.replaceAll(
      /\\(?:(\d)|k<([^>]+)>|(\\))/g,
      (_whole, ...parts: (string | undefined)[]) => {
        const [digit, name, backslash] = parts
        if (backslash !== undefined) return '\\'
        if (digit === '0') return match[0] ?? ''
        const group =
          digit === undefined ? groups.find((g) => g.name === name) : groups[Number(digit) - 1]
        return group === undefined ? '' : (match[group.index] ?? '')
      },
    ),
  )
}
