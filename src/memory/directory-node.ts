/** The name tree of the in-memory disk: visible names, and those a power loss would leave. */
import type { Random } from '../runtime/random.ts'
import { FileNode } from './file-node.ts'

export type DiskNode = FileNode | DirectoryNode

export class DirectoryNode {
  readonly kind = 'directory'
  readonly inode: number
  modifiedMs: number
  readonly size = 0
  names = new Map<string, DiskNode>()
  durableNames = new Map<string, DiskNode>()

  constructor(inode: number, modifiedMs: number) {
    this.inode = inode
    this.modifiedMs = modifiedMs
  }
}

/** What one call does to names, as a whole; undefined: the name goes. */
export type NameChange = readonly {
  readonly directory: DirectoryNode
  readonly name: string
  readonly node: DiskNode | undefined
}[]

/** A tree with the changes of names that no directory sync has covered yet. */
export class NameTree {
  root: DirectoryNode
  #pending: NameChange[] = []

  constructor(root: DirectoryNode) {
    this.root = root
  }

  change(change: NameChange): void {
    for (const { directory, name, node } of change) setName(directory.names, name, node)
    this.#pending.push(change)
  }

  /**
   * Makes the names of a directory durable, and with them those of directories that share a rename with
   * it: a rename is never half durable.
   */
  sync(directory: DirectoryNode): void {
    const covered = new Set([directory])
    let before = 0
    while (before !== covered.size) {
      before = covered.size
      for (const change of this.#pending) {
        if (!change.some((part) => covered.has(part.directory))) continue
        for (const part of change) covered.add(part.directory)
      }
    }
    const rest: NameChange[] = []
    for (const change of this.#pending) {
      if (change.some((part) => covered.has(part.directory))) makeDurable(change)
      else rest.push(change)
    }
    this.#pending = rest
  }

  syncAll(): void {
    for (const change of this.#pending) makeDurable(change)
    this.#pending = []
    for (const node of reachable(this.root)) {
      if (node.kind === 'file') node.synced(node.syncMark())
    }
  }

  /** Power loss. */
  crash(random: Random | undefined): void {
    for (const change of this.#pending) {
      if (random !== undefined && random.below(2) === 0) makeDurable(change)
    }
    this.#pending = []
    restoreNames(this.root)
    for (const node of reachable(this.root)) {
      if (node.kind === 'file') node.crash(random)
    }
  }

  clone(): NameTree {
    const copies = new Map<DiskNode, DiskNode>()
    const root = copyDirectory(this.root, copies)
    const copy = new NameTree(root)
    copy.#pending = this.#pending.map((change) =>
      change.map(({ directory, name, node }) => ({
        directory: copyDirectory(directory, copies),
        name,
        node: node && copyNode(node, copies),
      })),
    )
    return copy
  }
}

function setName(names: Map<string, DiskNode>, name: string, node: DiskNode | undefined): void {
  if (node === undefined) names.delete(name)
  else names.set(name, node)
}

function makeDurable(change: NameChange): void {
  for (const { directory, name, node } of change) setName(directory.durableNames, name, node)
}

function restoreNames(directory: DirectoryNode): void {
  directory.names = new Map(directory.durableNames)
  for (const node of directory.names.values()) {
    if (node.kind === 'directory') restoreNames(node)
  }
}

/** All nodes with a visible name, each once. */
export function reachable(root: DirectoryNode): Set<DiskNode> {
  const found = new Set<DiskNode>()
  const visit = (directory: DirectoryNode): void => {
    for (const node of directory.names.values()) {
      if (found.has(node)) continue
      found.add(node)
      if (node.kind === 'directory') visit(node)
    }
  }
  visit(root)
  return found
}

function copyDirectory(source: DirectoryNode, copies: Map<DiskNode, DiskNode>): DirectoryNode {
  const known = copies.get(source)
  if (known?.kind === 'directory') return known
  const copy = new DirectoryNode(source.inode, source.modifiedMs)
  copies.set(source, copy)
  for (const [name, node] of source.names) copy.names.set(name, copyNode(node, copies))
  for (const [name, node] of source.durableNames)
    copy.durableNames.set(name, copyNode(node, copies))
  return copy
}

function copyNode(source: DiskNode, copies: Map<DiskNode, DiskNode>): DiskNode {
  const known = copies.get(source)
  if (known !== undefined) return known
  if (source.kind === 'directory') return copyDirectory(source, copies)
  const copy = source.clone()
  copies.set(source, copy)
  return copy
}
