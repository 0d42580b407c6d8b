// Pure.
// Finds the error codes of an answer by its declaration, so that no handler has to count its own.
import type { AnyApi, Field, Fields } from '../../wire/schema.ts'

/** Calls `note` for every error code in a response's body; one that is left out is NONE. */
export type CountErrors = (body: object, note: (code: number) => void) => void

export function errorCodesOf(api: AnyApi): CountErrors {
  return visitorOf(api.response.fields) ?? (() => {})
}

/** Undefined where no error code is below. */
function visitorOf(fields: Fields): CountErrors | undefined {
  const hasOwn = fields['errorCode']?.kind === 'int16'
  const below: [name: string, isArray: boolean, visit: CountErrors][] = []
  for (const [name, field] of Object.entries(fields)) {
    const inner = fieldsBelow(field)
    const visit = inner === undefined ? undefined : visitorOf(inner)
    if (visit !== undefined) below.push([name, field.kind === 'array', visit])
  }
  if (!hasOwn && below.length === 0) return undefined
  return (body, note) => {
    const values = body as Readonly<Record<string, unknown>>
    if (hasOwn) {
      const code = values['errorCode']
      note(typeof code === 'number' ? code : 0)
    }
    for (const [name, isArray, visit] of below) {
      const value = values[name]
      if (isArray)
        for (const one of (value as readonly object[] | null | undefined) ?? []) visit(one, note)
      else if (typeof value === 'object' && value !== null) visit(value, note)
    }
  }
}

function fieldsBelow({ kind, element, fields }: Field): Fields | undefined {
  if (kind === 'struct') return fields
  return kind === 'array' && element?.kind === 'struct' ? element.fields : undefined
}
