// How tools write: no more than the reader takes.
import type { Writable } from 'node:stream'

/** Resolves when more may be written, or nobody reads any more. */
export function write(stream: Writable, chunk: Uint8Array | string): Promise<void> {
  if (stream.write(chunk) || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
