/** The ephemeral nodes that clients have made, and what their owners know of their sessions. */
import type { Life } from '../../memory/life.ts'
import type { World } from '../world.ts'

export interface Ephemeral {
  readonly path: string
  readonly life: Life
  readonly sessionTimeoutMs: number
  /** The owner's session is connected and has not been in doubt since. */
  isSure: boolean
  /** The world's time at which the owner learned, or would have learned, of its session's end. */
  endedAtMs: number | undefined
}

export class Ephemerals {
  readonly #world: World
  readonly #nodes = new Set<Ephemeral>()

  constructor(world: World) {
    this.#world = world
  }

  get all(): Iterable<Ephemeral> {
    return this.#nodes
  }

  add(node: Ephemeral): void {
    this.#nodes.add(node)
  }

  /** What may be expected of a node now; `restoredAtMs` is when coordination last came back. */
  ownerOf(node: Ephemeral, graceMs: number, restoredAtMs: number): 'alive' | 'doubtful' | 'ended' {
    if (node.life.alive && node.isSure) return node.life.frozen ? 'doubtful' : 'alive'
    if (node.life.alive && node.endedAtMs === undefined) return 'doubtful'
    // Nobody saw the moment of a kill: it was this one at the latest.
    node.endedAtMs ??= this.#world.nowMs
    const endedAtMs = Math.max(node.endedAtMs, restoredAtMs)
    return this.#world.nowMs > endedAtMs + graceMs + node.sessionTimeoutMs ? 'ended' : 'doubtful'
  }
}
