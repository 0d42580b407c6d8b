// Pure. A configuration file as a tree that knows where each value stands. Dotted keys and nested
// ones are the same: `a.b: 1` is `a: {b: 1}`.

import { LineCounter, type Node, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import { UserError } from '../../runtime/service.ts'

export interface Place {
  readonly file: string
  /** From 1; 0 where the value came from the command line. */
  readonly line: number
}

export type ConfigNode = ScalarNode | ListNode | MapNode

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As it is written, so that a version such as 1.10 stays one. */
  readonly source: string
  readonly at: Place
}

export interface ListNode {
  readonly kind: 'list'
  readonly items: readonly ConfigNode[]
  readonly at: Place
}

export interface MapNode {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, ConfigNode>
  readonly at: Place
}

/** A file that anchors make grow beyond this is a mistake, or meant to do harm. */
const NODES_MAX = 1_000_000

export function placeText({ file, line }: Place): string {
  return line === 0 ? file : `${file}:${line}`
}

/** @throws UserError naming file and line */
export function parseConfig(text: string, file: string): MapNode {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, merge: true, prettyErrors: false })
  const problem = document.errors[0]
  if (problem !== undefined) {
    const line = lineCounter.linePos(problem.pos[0]).line
    throw new UserError(`${file}:${line}: not valid YAML: ${problem.message.split('\n')[0]}`)
  }
  const converter = new Converter(document, lineCounter, file)
  const root = document.contents === null ? undefined : converter.convert(document.contents)
  if (root === undefined || (root.kind === 'scalar' && root.value === null)) {
    return { kind: 'map', entries: new Map(), at: { file, line: 1 } }
  }
  if (root.kind !== 'map') throw new UserError(`${placeText(root.at)}: settings are expected here`)
  return root
}

class Converter {
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #file: string
  #nodes = 0

  constructor(document: Document, lines: LineCounter, file: string) {
    this.#document = document
    this.#lines = lines
    this.#file = file
  }

  convert(node: Node | null): ConfigNode {
    const at = this.#place(node)
    this.#nodes += 1
    if (this.#nodes > NODES_MAX) throw new UserError(`${placeText(at)}: too many values`)
    if (isAlias(node)) return this.convert(node.resolve(this.#document) ?? null)
    if (isMap(node)) return this.#convertMap(node.items, at)
    if (isSeq(node)) {
      return { kind: 'list', items: node.items.map((item) => this.convert(item as Node)), at }
    }
    const value = isScalar(node) ? node.value : null
    const plain =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? value
        : null
    const written = isScalar(node) && typeof node.source === 'string' ? node.source : undefined
    const source = typeof plain === 'string' ? plain : (written ?? String(plain ?? ''))
    return { kind: 'scalar', value: plain, source, at }
  }

  #convertMap(
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    at: Place,
  ): MapNode {
    let map: MapNode = { kind: 'map', entries: new Map(), at }
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value) : String(key)
      const child = this.convert(value as Node | null)
      if (name === '<<' && child.kind === 'map') map = merge(child, map)
      else map = merge(map, nest(name, child))
    }
    return map
  }

  #place(node: Node | null): Place {
    const start = node?.range?.[0]
    return { file: this.#file, line: start === undefined ? 1 : this.#lines.linePos(start).line }
  }
}

/** `a.b` and a value as `{a: {b: value}}`. */
export function nest(dotted: string, node: ConfigNode): MapNode {
  const names = dotted.split('.')
  let result = node
  for (let at = names.length - 1; at >= 0; at -= 1) {
    result = { kind: 'map', entries: new Map([[names[at] ?? '', result]]), at: node.at }
  }
  return result.kind === 'map' ? result : nest('', node)
}

/** Maps are joined, anything else of the second replaces that of the first. */
export function merge(first: MapNode, second: MapNode): MapNode {
  const entries = new Map(first.entries)
  for (const [name, node] of second.entries) {
    const known = entries.get(name)
    const joined = known?.kind === 'map' && node.kind === 'map' ? merge(known, node) : node
    entries.set(name, joined)
  }
  return { kind: 'map', entries, at: first.at }
}

/** The node at a dotted path. */
export function findNode(root: ConfigNode | undefined, path: string): ConfigNode | undefined {
  let node = root
  for (const name of path.split('.')) {
    if (node?.kind !== 'map') return undefined
    node = node.entries.get(name)
  }
  return node
}
