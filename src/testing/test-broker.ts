/** One broker of a cluster, as a test handles it. */
import { UserError } from '../runtime/service.ts'
import type { BrokerNode } from './broker-node.ts'
import type { Fleet } from './fleet.ts'

export interface TestBrokerParts {
  readonly fleet: Fleet
  /** Changes of the cluster happen one after another. */
  readonly change: <T>(action: () => Promise<T>) => Promise<T>
}

export class TestBroker {
  readonly id: number
  readonly #parts: TestBrokerParts

  /** Made by the cluster. */
  constructor(id: number, parts: TestBrokerParts) {
    this.id = id
    this.#parts = parts
  }

  /** host:port of its first listener; the same in all its lives. */
  get address(): string {
    return this.#node.addresses[0] ?? ''
  }

  get state(): 'running' | 'paused' | 'down' {
    return this.#node.state
  }

  /** Starts it again, with the files it had. Harmless when it runs. @throws UserError */
  start(): Promise<void> {
    return this.#parts.change(async () => {
      if (this.#node.state !== 'down') return
      await this.#node.start()
      await this.#parts.fleet.introduced(this.#node)
    })
  }

  /** A clean end: its leaders move to other brokers first. Who connects then is turned away. */
  stop(): Promise<void> {
    return this.#parts.change(() => this.#node.stop())
  }

  /**
   * Its process dies: connections end, and what it has written is there, as the page cache of its machine
   * has it. For the others it lives until its session ends: see `advance`.
   */
  kill(): Promise<void> {
    return this.#parts.change(() => this.#node.kill())
  }

  /** Stops it cleanly, and starts it again. @throws UserError */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** It does nothing at all, as after SIGSTOP: its connections stay open, and nobody answers. */
  pause(): Promise<void> {
    return this.#parts.change(() => {
      if (this.#node.state === 'down') throw new UserError(`pause: broker ${this.id} is down`)
      return this.#node.pause()
    })
  }

  /** It goes on, and does what fell due meanwhile. */
  resume(): Promise<void> {
    return this.#parts.change(async () => this.#node.resume())
  }

  get #node(): BrokerNode {
    const node = this.#parts.fleet.nodes[this.id]
    if (node === undefined) throw new UserError('the cluster has not been started')
    return node
  }
}
