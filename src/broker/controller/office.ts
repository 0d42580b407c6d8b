import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import {
  isZooKeeperError,
  MultiError,
  type Operation,
  type Watcher,
  type ZooKeeperClient,
} from '../../zookeeper/client/client.ts'
import type { Coordination } from '../coordination.ts'
import { decodeController, encodeController, paths } from '../znodes.ts'
import { readIfThere } from './cluster-state.ts'

export interface OfficeParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly coordination: Coordination
}

interface StoredEpoch {
  readonly epoch: number
  readonly version: number
}

/** Of a claim: somebody else made, removed or raised what it stands on. */
const lost: ReadonlySet<string> = new Set(['NODEEXISTS', 'NONODE', 'BADVERSION'])

/** Far below the packet limit, whatever the names are. */
const operationsPerMultiMax = 400

/**
 * The office of controller (kafka.md C): an ephemeral znode, and an epoch that every write checks, so
 * that a controller that was away too long can write nothing.
 */
export class Office {
  readonly #parts: OfficeParts
  readonly #brokerId: number
  #isHeld = false
  #epoch = 0
  #epochVersion = 0

  constructor(parts: OfficeParts, brokerId: number) {
    this.#parts = parts
    this.#brokerId = brokerId
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  get epoch(): number {
    return this.#epoch
  }

  get #zookeeper(): ZooKeeperClient {
    return this.#parts.coordination.session
  }

  /**
   * Takes the office if it is free. True: it was taken just now, so that all that is known must be read
   * anew. `changed` is called once, when the holder changes. @throws ZooKeeperError
   */
  async take(changed: Watcher): Promise<boolean> {
    // Read first: whoever takes the office after this raises it, and then our claim fails.
    const epoch = await this.#readEpoch()
    const stat = await this.#zookeeper.exists(paths.controller, changed)
    if (stat !== null) {
      const isOwn = stat.ephemeralOwner === this.#zookeeper.sessionId
      if (isOwn && this.#isHeld) return false
      this.#isHeld = false
      const holder = await readIfThere(this.#zookeeper, paths.controller)
      if (holder !== undefined && decodeController(holder.data) !== this.#brokerId) return false
    }
    // One that is there is left over from an earlier life of this broker, whose registration was replaced
    // as well; or from an office laid down when the session seemed lost.
    this.#isHeld = false
    this.#isHeld = await this.#claim(epoch, stat !== null)
    return this.#isHeld
  }

  async #readEpoch(): Promise<StoredEpoch> {
    let stored = await readIfThere(this.#zookeeper, paths.controllerEpoch)
    if (stored === undefined) {
      await this.#zookeeper.makePath(paths.controllerEpoch, Buffer.from('0'))
      stored = await readIfThere(this.#zookeeper, paths.controllerEpoch)
    }
    return { epoch: Number(stored?.data.toString() ?? '0'), version: stored?.version ?? 0 }
  }

  /** Makes the ephemeral node and raises the epoch in one step. False: somebody else was faster. */
  async #claim({ epoch: last, version }: StoredEpoch, hasLeftover: boolean): Promise<boolean> {
    const epoch = last + 1
    const path = paths.controller
    const data = encodeController(this.#brokerId, this.#parts.clock.now())
    try {
      await this.#zookeeper.multi([
        ...(hasLeftover ? [{ type: 'delete', path } as const] : []),
        { type: 'create', path, data, ephemeral: true },
        { type: 'setData', path: paths.controllerEpoch, data: Buffer.from(String(epoch)), version },
      ])
    } catch (error) {
      // The watch on the node tells when there is something to be had again.
      if (error instanceof MultiError && lost.has(error.name)) return false
      throw error
    }
    this.#epoch = epoch
    this.#epochVersion = version + 1
    this.#parts.logger.info(
      `${this.#brokerId} successfully elected as the controller. Epoch incremented to ${epoch}`,
    )
    return true
  }

  /** Removes nodes, checked like every other write; those that are gone already are no matter. */
  async remove(nodes: readonly string[]): Promise<void> {
    if (nodes.length === 0) return
    try {
      await this.write(nodes.map((path) => ({ type: 'delete', path })))
    } catch (error) {
      if (!(error instanceof MultiError) || error.index === 0) throw error
      if (!isZooKeeperError(error, 'NONODE')) throw error
      const [only, ...others] = nodes
      if (only !== undefined && others.length > 0)
        for (const path of nodes) await this.remove([path])
    }
  }

  /** The session is, or may be, over: nothing is decided any more until the office is taken again. */
  layDown(): void {
    this.#isHeld = false
  }

  /** Makes room for another controller, unless there is one already. Never rejects. */
  async giveUp(): Promise<void> {
    if (!this.#isHeld) return
    this.#isHeld = false
    try {
      await this.write([{ type: 'delete', path: paths.controller }])
    } catch (error) {
      this.#parts.logger.warn('Could not remove the controller node', error)
    }
  }

  /**
   * Writes in multis that fail as a whole when this controller is no longer the one of its epoch; some of
   * several may be done when a later one fails. @throws MultiError, of index 0 where the office is lost
   */
  async write(operations: readonly Operation[]): Promise<void> {
    const check = {
      type: 'check',
      path: paths.controllerEpoch,
      version: this.#epochVersion,
    } as const
    for (let at = 0; at < operations.length; at += operationsPerMultiMax)
      await this.#zookeeper.multi([check, ...operations.slice(at, at + operationsPerMultiMax)])
  }
}
