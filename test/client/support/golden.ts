// Recorded data of the original.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** The JSON objects of a golden file, one for each line. */
export function golden<T>(name: string): T[] {
  const path = new URL(`../../golden/client/${name}.ndjson.gz`, import.meta.url)
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as T)
}
