// Pure. Marks in a hit's texts what the query looked for.
import { analyze } from '../analysis/analyzer.ts'
import type { Index } from '../indices/index.ts'
import { globMatches } from '../json/paths.ts'
import { asArray, isObject, type Json, type JsonObject, parseJson, textOf } from '../json/value.ts'
import type { Field } from '../mapping/field.ts'
import type { Condition, TextPattern } from '../storage/plan.ts'

type Test = (token: string) => boolean

/** Field name to the texts with marks. Whole values; fragments are not cut. */
export function highlightHit(
  index: Index,
  highlight: JsonObject,
  condition: Condition | undefined,
  source: string,
): JsonObject {
  const tests = new Map<Field, Test[]>()
  if (condition !== undefined) collect(condition, tests)
  const asked = isObject(highlight['fields']) ? Object.keys(highlight['fields']) : []
  const before = textOf(asArray(highlight['pre_tags'])[0] ?? '<em>')
  const after = textOf(asArray(highlight['post_tags'])[0] ?? '</em>')
  const parsed = parseJson(source)
  const result: JsonObject = {}
  for (const field of index.mapping.fields.values()) {
    const own = tests.get(field)
    if (own === undefined || !asked.some((glob) => globMatches(glob, field.name))) continue
    const marked = valuesAt(parsed, (field.parent ?? field.name).split('.')).flatMap((value) => {
      const text = mark(field, textOf(value), own, { before, after })
      return text === undefined ? [] : [text]
    })
    if (marked.length > 0) result[field.name] = marked
  }
  return result
}

function mark(
  field: Field,
  text: string,
  tests: readonly Test[],
  tags: { readonly before: string; readonly after: string },
): string | undefined {
  const fits = (token: string): boolean => tests.some((test) => test(token))
  if (field.type !== 'text') return fits(text) ? tags.before + text + tags.after : undefined
  let result = ''
  let at = 0
  for (const token of analyze(field.analyzer, text)) {
    if (!fits(token.text)) continue
    result += text.slice(at, token.start) + tags.before
    result += text.slice(token.start, token.end) + tags.after
    at = token.end
  }
  return at === 0 ? undefined : result + text.slice(at)
}

function collect(condition: Condition, tests: Map<Field, Test[]>): void {
  const add = (field: Field, test: Test): void => {
    const list = tests.get(field)
    if (list === undefined) tests.set(field, [test])
    else list.push(test)
  }
  switch (condition.kind) {
    case 'token':
    case 'phrase': {
      const tokens = new Set(condition.tokens)
      add(condition.field, (token) => tokens.has(token))
      return
    }
    case 'equals': {
      if (condition.field.type !== 'keyword') return
      const values = new Set(condition.values.map(String))
      add(condition.field, (token) => values.has(token))
      return
    }
    case 'pattern': {
      const { pattern, field } = condition
      if (pattern.kind === 'prefix') add(field, (token) => token.startsWith(pattern.text))
      if (pattern.kind === 'regex') add(field, regexTest(pattern))
      return
    }
    case 'bool':
      for (const one of [...condition.must, ...condition.filter, ...condition.should]) {
        collect(one, tests)
      }
      return
    case 'constant':
      collect(condition.inner, tests)
      return
    case 'dismax':
      for (const one of condition.inner) collect(one, tests)
      return
    case 'all':
    case 'ids':
    case 'none':
    case 'present':
    case 'range':
    default:
  }
}

/**
 * Patterns from wildcards are matched piece by piece; a user's own regular expression is not run in
 * this process, where it could take for ever, so its hits carry no marks.
 */
function regexTest(pattern: Extract<TextPattern, { kind: 'regex' }>): Test {
  const { re2 } = pattern
  if (/[|()[\]{}+]/.test(re2.replace(/\\./g, ''))) return () => false
  const glob = re2.replace(/\\(.)/g, '$1').replaceAll('.*', '*')
  return (token) => globMatches(glob, token)
}

function valuesAt(value: Json, path: readonly string[]): Json[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, path))
  if (path.length === 0) return value === null || isObject(value) ? [] : [value]
  if (!isObject(value)) return []
  return path.flatMap((_, length) => {
    const own = value[path.slice(0, length + 1).join('.')]
    return own === undefined ? [] : valuesAt(own, path.slice(length + 1))
  })
}
