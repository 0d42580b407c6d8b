/** The controller's link to each live broker: orders go out in order, answers come back as events. */
import type { Logger } from '../../runtime/logger.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { LeaderAndIsr } from '../../kafka/messages/leader-and-isr.ts'
import type { StopReplica } from '../../kafka/messages/stop-replica.ts'
import type { BrokerLink } from './broker-link.ts'
import type { LiveBroker } from './cluster.ts'
import type { BrokerOrders, LeaderAndIsrRequest, StopReplicaRequest } from './order-batch.ts'

/** A link that ends with its broker's registration. What waits in it then rejects with LinkClosed. */
export interface ClosableLink extends BrokerLink {
  close(): void
}

/** The broker has gone, or this controller has: the order does not matter any more. */
export class LinkClosed extends Error {
  override readonly name = 'LinkClosed'
}

export interface LinkEvents {
  onLeaderAndIsr(
    broker: number,
    request: LeaderAndIsrRequest,
    response: ResponseOf<typeof LeaderAndIsr>,
  ): void
  /** The order was not carried out, and will not be. */
  onFailure(broker: number, error: unknown): void
  onStopReplica(
    broker: number,
    request: StopReplicaRequest,
    response: ResponseOf<typeof StopReplica>,
  ): void
}

export interface LinksParts {
  readonly logger: Logger
  /** The link to a broker, this one's own among them. */
  readonly open: (broker: LiveBroker) => ClosableLink
  readonly events: LinkEvents
}

export class Links {
  readonly #parts: LinksParts
  readonly #links = new Map<number, ClosableLink>()
  /** By broker: when all that it was told so far has been obeyed. */
  readonly #obeyed = new Map<number, Promise<unknown>>()

  constructor(parts: LinksParts) {
    this.#parts = parts
  }

  open(broker: LiveBroker): void {
    this.close(broker.id)
    this.#links.set(broker.id, this.#parts.open(broker))
  }

  close(broker: number): void {
    this.#links.get(broker)?.close()
    this.#links.delete(broker)
    this.#obeyed.delete(broker)
  }

  closeAll(): void {
    for (const broker of [...this.#links.keys()]) this.close(broker)
  }

  /** Resolves when the broker has obeyed all that it was told so far. Never rejects. */
  async obeyed(broker: number): Promise<void> {
    await this.#obeyed.get(broker)
  }

  send(orders: readonly BrokerOrders[]): void {
    for (const { broker, leaderAndIsr, updateMetadata, stopReplica } of orders) {
      const link = this.#links.get(broker)
      if (link === undefined) continue
      const { events } = this.#parts
      if (leaderAndIsr !== undefined)
        this.#follow(broker, link.leaderAndIsr(leaderAndIsr), (response) =>
          events.onLeaderAndIsr(broker, leaderAndIsr, response),
        )
      if (updateMetadata !== undefined)
        this.#follow(broker, link.updateMetadata(updateMetadata), () => {})
      if (stopReplica !== undefined)
        this.#follow(broker, link.stopReplica(stopReplica), (response) =>
          events.onStopReplica(broker, stopReplica, response),
        )
    }
  }

  #follow<R extends { readonly errorCode: number }>(
    broker: number,
    answer: Promise<R>,
    onAnswer: (response: R) => void,
  ): void {
    const { logger } = this.#parts
    const link = this.#links.get(broker)
    const obeyed = answer.then(
      (response) => {
        if (this.#links.get(broker) !== link) return
        if (response.errorCode !== 0)
          logger.warn(`Broker ${broker} refuses an order with error ${response.errorCode}`)
        onAnswer(response)
      },
      (error: unknown) => {
        if (error instanceof LinkClosed) return
        logger.error(`An order to broker ${broker} failed`, error)
        if (this.#links.get(broker) === link) this.#parts.events.onFailure(broker, error)
      },
    )
    this.#obeyed.set(broker, obeyed)
  }
}
