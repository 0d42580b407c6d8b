// A declaration as Markdown: a table of fields, with versions, defaults and what they mean.
import type { AnyApi, Field, Fields, Schema, VersionRange } from './schema.ts'

function rangeText({ min, max }: VersionRange): string {
  if (max < min) return 'none'
  if (max === min) return String(min)
  return Number.isFinite(max) ? `${min}-${max}` : `${min}+`
}

function typeText(field: Field): string {
  if (field.kind === 'array')
    return `[]${field.element === undefined ? '' : typeText(field.element)}`
  return field.kind === 'bigint64' ? 'int64' : field.kind
}

function defaultText(field: Field): string {
  if (field.default === null) return 'null'
  if (field.kind === 'array' || field.kind === 'struct' || field.kind === 'bytes') return ''
  if (typeof field.default === 'bigint') return field.default.toString()
  return JSON.stringify(field.default)
}

function rows(fields: Fields, depth: number): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const cells = [
      `${'&nbsp;&nbsp;'.repeat(depth)}\`${name}\``,
      typeText(field),
      rangeText(field.versions),
      field.tag === undefined ? '' : String(field.tag),
      field.nullable.max < field.nullable.min ? '' : rangeText(field.nullable),
      defaultText(field),
      field.about ?? '',
    ]
    const inner = field.fields ?? field.element?.fields ?? {}
    return [`| ${cells.join(' | ')} |`, ...rows(inner, depth + 1)]
  })
}

const HEAD = [
  '| field | type | versions | tag | null in | default | |',
  '|---|---|---|---|---|---|---|',
] as const

/** The fields of a message or record. */
export function describe(schema: Schema): string {
  const lines = [`### ${schema.name}`, '']
  if (Object.keys(schema.fields).length === 0) return [...lines, 'No fields.', ''].join('\n')
  return [...lines, ...HEAD, ...rows(schema.fields, 0), ''].join('\n')
}

/** Both messages of an API under one heading. */
export function describeApi(api: AnyApi): string {
  const title = `## ${api.name} (key ${api.key})`
  const versions = `Versions ${rangeText(api.versions)}, flexible ${rangeText(api.flexible)}.`
  return [title, '', versions, '', describe(api.request), describe(api.response)].join('\n')
}
