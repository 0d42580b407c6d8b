import type { Logger } from '../../runtime/logger.ts'

/** Takes note of a node, by its path, that does not say what it should. */
export type IgnoreNode = (path: string, why?: string) => void

/** Alien and half-written nodes are passed over; the log says so once for each. */
export function makeIgnoreNode(logger: Logger): IgnoreNode {
  const ignored = new Set<string>()
  return (path, why = 'what it holds is not to be read') => {
    if (ignored.has(path)) return
    ignored.add(path)
    logger.warn(`Ignoring ${path}: ${why}`)
  }
}
