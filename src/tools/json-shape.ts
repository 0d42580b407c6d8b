// Pure.
// Looks into JSON that a tool was given, with errors that name the place.
import { UserError } from '../runtime/service.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws UserError */
export function parseObject(text: string, place: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new UserError(`${place}: the input string is not a valid JSON`)
  }
  return objectAt(value, place)
}

/** @throws UserError */
export function objectAt(value: unknown, place: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value))
  }
  throw new UserError(`${place}: an object is expected`)
}

/** @throws UserError */
export function objectsAt(value: unknown, place: string): JsonObject[] {
  if (!Array.isArray(value)) throw new UserError(`${place}: an array is expected`)
  return value.map((one, index) => objectAt(one, `${place}[${index}]`))
}

/** A whole number that JavaScript holds exactly. @throws UserError */
export function integerAt(object: JsonObject, name: string, place: string): number {
  const value = object[name]
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new UserError(`${place}: ${name} must be a whole number`)
}

/** @throws UserError */
export function textAt(object: JsonObject, name: string, place: string): string {
  const value = object[name]
  if (typeof value === 'string') return value
  throw new UserError(`${place}: ${name} must be a string`)
}
