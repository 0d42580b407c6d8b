/** The controller's connection to one other broker: a queue of orders, one in flight at a time. */
import { backoffMs } from '../../client/backoff.ts'
import { BrokerConnection } from '../../client/connection.ts'
import { brokerError, KafkaError } from '../../client/errors.ts'
import { Errors } from '../../kafka/errors.ts'
import { LeaderAndIsr } from '../../kafka/messages/leader-and-isr.ts'
import { StopReplica } from '../../kafka/messages/stop-replica.ts'
import { UpdateMetadata } from '../../kafka/messages/update-metadata.ts'
import type { Timer } from '../../runtime/clock.ts'
import type { Ports } from '../../runtime/service.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { Endpoint } from '../znodes.ts'
import type { InterBrokerLevel } from './level.ts'
import { LinkClosed, type ClosableLink } from './links.ts'
import type {
  LeaderAndIsrRequest,
  StopReplicaRequest,
  UpdateMetadataRequest,
} from './order-batch.ts'
import { leaderAndIsrIn, stopReplicaIn, updateMetadataIn } from './remote-forms.ts'

type RemoteLinkPorts = Pick<Ports, 'clock' | 'network' | 'random' | 'logger'>

export interface RemoteLinkSettings {
  readonly endpoint: Endpoint
  /** Said to the other broker, for its logs. */
  readonly clientId: string
  /** controller.socket.timeout.ms */
  readonly requestTimeoutMs: number
  readonly level: InterBrokerLevel
}

interface Order {
  readonly carryOut: (connection: BrokerConnection) => Promise<void>
  readonly reject: (error: Error) => void
}

const complainAfter = 4
const backoff = { firstMs: 100, mostMs: 1000 }

/**
 * Tries for ever: a broker that is registered is to be told, and what it is told twice does no harm.
 * Whoever takes its registration for gone closes the link.
 */
export class RemoteLink implements ClosableLink {
  readonly #ports: RemoteLinkPorts
  readonly #settings: RemoteLinkSettings
  readonly #queue: Order[] = []
  #connection: BrokerConnection | undefined
  #failures = 0
  #timer: Timer | undefined
  #isBusy = false
  #isClosed = false

  constructor(ports: RemoteLinkPorts, settings: RemoteLinkSettings) {
    this.#ports = ports
    this.#settings = settings
  }

  leaderAndIsr(request: LeaderAndIsrRequest): Promise<ResponseOf<typeof LeaderAndIsr>> {
    return this.#order((connection) => {
      const version = connection.version(LeaderAndIsr, { max: this.#settings.level.leaderAndIsr })
      return connection.request(LeaderAndIsr, version, leaderAndIsrIn(version, request))
    })
  }

  updateMetadata(request: UpdateMetadataRequest): Promise<ResponseOf<typeof UpdateMetadata>> {
    return this.#order((connection) => {
      const version = connection.version(UpdateMetadata, {
        max: this.#settings.level.updateMetadata,
      })
      return connection.request(UpdateMetadata, version, updateMetadataIn(version, request))
    })
  }

  stopReplica(request: StopReplicaRequest): Promise<ResponseOf<typeof StopReplica>> {
    return this.#order(async (connection) => {
      const version = connection.version(StopReplica, { max: this.#settings.level.stopReplica })
      const partitionErrors: ResponseOf<typeof StopReplica>['partitionErrors'] = []
      let errorCode = 0
      for (const body of stopReplicaIn(version, request)) {
        const answer = await connection.request(StopReplica, version, body)
        errorCode = errorCode === 0 ? answer.errorCode : errorCode
        partitionErrors.push(...answer.partitionErrors)
      }
      return { errorCode, partitionErrors }
    })
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#connection?.close()
    for (const { reject } of this.#queue.splice(0)) reject(new LinkClosed())
  }

  #order<R extends { readonly errorCode: number }>(
    ask: (connection: BrokerConnection) => Promise<R>,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new LinkClosed())
        return
      }
      const carryOut = async (connection: BrokerConnection): Promise<void> => {
        const answer = await ask(connection)
        // Something went wrong over there that has nothing to do with the order: once more.
        if (answer.errorCode === Errors.UNKNOWN_SERVER_ERROR)
          throw brokerError(answer.errorCode, `an order to ${connection.address}`)
        resolve(answer)
      }
      this.#queue.push({ carryOut, reject })
      if (!this.#isBusy) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    for (;;) {
      const order = this.#queue[0]
      if (order === undefined || this.#isClosed) break
      try {
        await order.carryOut(await this.#connected())
        this.#queue.shift()
        this.#failures = 0
      } catch (error) {
        if (this.#isClosed) break
        if (error instanceof KafkaError && error.errorName === 'INVALID_ARGUMENT') {
          // It cannot be put in words: to try again would hold up all the others.
          this.#queue.shift()
          order.reject(error)
          continue
        }
        this.#connection?.close()
        this.#connection = undefined
        this.#failures += 1
        this.#complain(error)
        await this.#pause()
      }
    }
    this.#isBusy = false
  }

  async #connected(): Promise<BrokerConnection> {
    if (this.#connection?.isOpen === true) return this.#connection
    const { endpoint, clientId, requestTimeoutMs } = this.#settings
    const connection = new BrokerConnection(this.#ports, {
      ...{ host: endpoint.host, port: endpoint.port, clientId, requestTimeoutMs },
    })
    this.#connection = connection
    await connection.connect()
    return connection
  }

  /** Once per trouble, and not of a broker that is just about to listen. */
  #complain(error: unknown): void {
    if (this.#failures !== complainAfter) return
    const { host, port } = this.#settings.endpoint
    const text = error instanceof Error ? error.message : String(error)
    this.#ports.logger.warn(
      `Cannot give orders to the broker at ${host}:${port}, trying on: ${text}`,
    )
  }

  #pause(): Promise<void> {
    const { clock, random } = this.#ports
    const chance = random.below(1000) / 1000
    return new Promise((resolve) => {
      this.#timer = clock.schedule(backoffMs(backoff, this.#failures, chance), resolve)
    })
  }
}
