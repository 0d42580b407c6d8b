// Pure. Documents as lists of dotted fields, as Elasticsearch sees them.

export type FieldValue = string | number | bigint | boolean | null

export interface FlatField {
  readonly name: string
  readonly values: readonly FieldValue[]
}

/** Objects become dotted names; arrays, and objects in arrays, become several values of one name. */
export function flatten(source: unknown): FlatField[] {
  const fields = new Map<string, FieldValue[]>()
  visit(source, '', fields)
  return [...fields].map(([name, values]) => ({ name, values }))
}

function visit(value: unknown, name: string, fields: Map<string, FieldValue[]>): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, name, fields)
  } else if (typeof value === 'object' && value !== null) {
    const prefix = name === '' ? '' : `${name}.`
    for (const [key, inner] of Object.entries(value)) visit(inner, prefix + key, fields)
  } else if (isFieldValue(value)) {
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else values.push(value)
  }
}

function isFieldValue(value: unknown): value is FieldValue {
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
}

/** The first value of a field. */
export function fieldOf(source: unknown, name: string): FieldValue | undefined {
  return flatten(source).find((field) => field.name === name)?.values[0]
}

export function showValues(values: readonly FieldValue[]): string {
  return values.map((value) => (value === null ? 'null' : String(value))).join(', ')
}
