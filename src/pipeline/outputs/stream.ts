// Writing to a stream that may be slow.

import type { Writable } from 'node:stream'

/** Resolves when the text has left, so that a slow reader holds the pipeline back. */
export function writeText(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}
