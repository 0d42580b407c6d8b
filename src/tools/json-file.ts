// JSON files that tools are given: read, and looked into with errors that name the place.
import { DiskError, readFile } from '../runtime/disk.ts'
import { UserError } from '../runtime/service.ts'
import type { Tool } from './tool.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws UserError for files that cannot be read or hold no JSON object */
export function jsonObjectOf(tool: Pick<Tool, 'ports'>, path: string): JsonObject {
  let text: string
  try {
    text = readFile(tool.ports.disk, path).toString('utf8')
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(`Unable to read file ${path}`)
  }
  return parseObject(text, path)
}

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
