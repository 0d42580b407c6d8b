// Pure.
// Which nodes the server itself removes: containers that have lost their last child, and nodes whose
// time to live is over.
import { ttlOf } from './transactions.ts'
import type { DataTree } from './tree.ts'

export interface ContainerSettings {
  /** A container that never had a child goes after this long; 0: never. */
  readonly neverUsedMs: number
}

/** The nodes to remove now. `now` is wall-clock time, as that of the last change is. */
export function* expiredNodes(
  tree: DataTree,
  now: number,
  { neverUsedMs }: ContainerSettings,
): Generator<string> {
  for (const path of tree.containers) {
    const node = tree.get(path)
    if (node === undefined || node.childCount > 0) continue
    const isUnused = neverUsedMs !== 0 && now - Number(node.mtime) > neverUsedMs
    if (node.cversion > 0 || isUnused) yield path
  }
  for (const path of tree.ttls) {
    const node = tree.get(path)
    if (node === undefined || node.childCount > 0) continue
    const ttl = Number(ttlOf(node.owner))
    if (ttl !== 0 && now - Number(node.mtime) > ttl) yield path
  }
}
