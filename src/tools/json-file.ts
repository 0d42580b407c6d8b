// JSON files that tools are given.
import { DiskError, readFile } from '../runtime/disk.ts'
import { UserError } from '../runtime/service.ts'
import { type JsonObject, parseObject } from './json-shape.ts'
import type { Tool } from './tool.ts'

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
