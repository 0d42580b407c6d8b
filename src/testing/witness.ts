/**
 * The cluster's own view of itself: a session with the coordination server that reads what brokers have
 * written there, waits for it to change, and keeps the controller's office free of a controller while
 * all brokers start or stop, so that leaders stay where they are.
 */
import { Coordination } from '../broker/coordination.ts'
import { deleteIfThere, readIfThere } from '../broker/controller/cluster-state.ts'
import {
  brokerIdOf,
  decodeController,
  decodePartitionState,
  encodeController,
  paths,
  type PartitionState,
} from '../broker/znodes.ts'
import { UserError } from '../runtime/service.ts'
import { ZooKeeperSession } from '../zookeeper/client/session.ts'
import {
  connectionLoss,
  isZooKeeperError,
  type ZooKeeperClient,
} from '../zookeeper/client/client.ts'
import type { NodeParts } from './node-parts.ts'

/** Says of the office that it is taken, by nobody. */
const nobody = -1
const sessionTimeoutMs = 18_000
const connectTimeoutMs = 10_000

export class Witness {
  readonly #parts: NodeParts
  #coordination: Coordination | undefined
  #isOver = false
  /** Called once each, at the next change of anything. */
  #waiting: { readonly changed: () => void; readonly end: (error: Error) => void }[] = []

  constructor(parts: NodeParts) {
    this.#parts = parts
  }

  /** @throws UserError when the coordination server does not answer. */
  async start(connect: string): Promise<void> {
    const { ports, steadyClock } = this.#parts
    const sessionPorts = { ...ports, clock: steadyClock }
    const settings = { connect, sessionTimeoutMs, connectTimeoutMs }
    const coordination = new Coordination(
      sessionPorts,
      () => new ZooKeeperSession(sessionPorts, settings),
    )
    await coordination.start()
    this.#coordination = coordination
    coordination.onRenewed(async () => this.changed())
    this.changed()
  }

  async stop(): Promise<void> {
    const coordination = this.#coordination
    this.#coordination = undefined
    await coordination?.stop()
  }

  /** Something that somebody may wait for has changed. */
  readonly changed = (): void => {
    for (const { changed } of this.#waiting.splice(0)) changed()
  }

  /** Whoever waits, waits in vain. */
  end(): void {
    this.#isOver = true
    for (const { end } of this.#waiting.splice(0))
      end(new UserError('the cluster has been stopped'))
  }

  /** Reads, and reads again at every change, until there is something. @throws UserError */
  async until<T>(read: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      if (this.#isOver) throw new UserError('the cluster has been stopped')
      const change = new Promise<void>((changed, end) => {
        this.#waiting.push({ changed, end })
      })
      // It may never be waited for.
      change.catch(() => undefined)
      const found = await this.#attempt(read)
      if (found !== undefined) return found
      await change
    }
  }

  /** Between two sessions there is nothing to be read; the next one is a change. */
  async #attempt<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      if (isZooKeeperError(error)) return undefined
      throw error
    }
  }

  /** Takes the office from whoever has it. Then nobody elects leaders. */
  async holdOffice(): Promise<void> {
    await this.#insist(async (zookeeper) => {
      await deleteIfThere(zookeeper, paths.controller)
      const data = encodeController(nobody, this.#parts.clock.now())
      try {
        await zookeeper.create(paths.controller, data, { ephemeral: true, stat: false })
      } catch (error) {
        if (!isZooKeeperError(error, 'NODEEXISTS')) throw error
      }
    })
  }

  async releaseOffice(): Promise<void> {
    await this.#insist(async (zookeeper) => {
      const node = await readIfThere(zookeeper, paths.controller)
      if (node !== undefined && decodeController(node.data) === nobody)
        await deleteIfThere(zookeeper, paths.controller)
    })
  }

  /** What brokers that are down left behind is gone. */
  async forgetBrokers(ids: readonly number[]): Promise<void> {
    await this.#insist((zookeeper) =>
      Promise.all(ids.map((id) => deleteIfThere(zookeeper, paths.brokerId(id)))),
    )
  }

  /** In ascending order. */
  async brokers(): Promise<readonly number[]> {
    const names = await this.#children(paths.brokerIds)
    return names
      .map((name) => brokerIdOf(name))
      .filter((id) => id !== undefined)
      .sort((one, other) => one - other)
  }

  /** -1: there is none. */
  async controller(): Promise<number> {
    const node = await this.#read(paths.controller)
    return (node && decodeController(node.data)) ?? nobody
  }

  /** Undefined: there is no such partition. */
  async partition(topic: string, partition: number): Promise<PartitionState | undefined> {
    const node = await this.#read(paths.partitionState(topic, partition))
    return node && decodePartitionState(node.data)
  }

  topics(): Promise<readonly string[]> {
    return this.#children(paths.topics)
  }

  /** What is not there yet is watched as well. */
  #read(path: string): ReturnType<typeof readIfThere> {
    return this.#insist(async (zookeeper) => {
      const stat = await zookeeper.exists(path, this.changed)
      return stat === null ? undefined : readIfThere(zookeeper, path)
    })
  }

  #children(path: string): Promise<readonly string[]> {
    return this.#insist(async (zookeeper) => {
      const { children } = await zookeeper.getChildren(path, this.changed)
      return children
    })
  }

  #insist<T>(action: (zookeeper: ZooKeeperClient) => Promise<T>): Promise<T> {
    const coordination = this.#coordination
    // Between two lives of the cluster.
    if (coordination === undefined) return Promise.reject(connectionLoss(null, 'not started'))
    return coordination.insist(action)
  }
}
