// Reads the golden vectors: gzip-compressed, one JSON object per line.
import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Json, JsonObject } from '../../../src/kafka/json/values.ts'

const folder = new URL('../../golden/', import.meta.url)

export function vectors<Vector = JsonObject>(path: string): Vector[] {
  const text = gunzipSync(readFileSync(new URL(path, folder))).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Vector)
}

export interface MessageVector {
  readonly api: string
  readonly key: number
  readonly version: number
  readonly kind: 'request' | 'response'
  readonly case: string
  readonly body: Json
  readonly hex: string
}

/** Files of message vectors, one for each API. */
export function messageFiles(): string[] {
  return readdirSync(new URL('wire/', folder))
    .filter((name) => /^\d.*\.ndjson\.gz$/.test(name))
    .map((name) => `wire/${name}`)
}

export function golden(path: string): Buffer {
  return readFileSync(new URL(path, folder))
}
