// The producer's identity for sequence numbers: asked of a broker when first needed, given up where
// the brokers have none to give, taken to its next epoch when sequence numbers broke.
import { Errors } from '../../kafka/errors.ts'
import { InitProducerId } from '../../kafka/messages/init-producer-id.ts'
import { delay } from '../../runtime/clock.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerConnection } from '../connection.ts'
import { brokerError, isRetriable, KafkaError } from '../errors.ts'
import { exact } from '../versions.ts'
import type { ProducerIdentity } from './batch.ts'
import type { CompleteProducerSettings } from './settings.ts'

/** off: batches go without. pending: wait, `onChange` follows. refused: nothing can be sent. */
export type IdentityState =
  | { readonly kind: 'off' | 'pending' }
  | { readonly kind: 'known'; readonly identity: ProducerIdentity }
  | { readonly kind: 'refused'; readonly error: KafkaError }

/** Without a transactional id the time-out means nothing; Java sends this. */
const noTimeoutMs = 0x7fffffff
const producerEpochMax = 0x7fff

export class IdentitySource {
  readonly #cluster: Cluster
  readonly #required: boolean
  readonly #onChange: () => void
  #state: IdentityState | 'unknown'

  constructor(cluster: Cluster, settings: CompleteProducerSettings, onChange: () => void) {
    this.#cluster = cluster
    this.#required = settings.idempotence === 'required'
    this.#onChange = onChange
    this.#state = settings.idempotence === 'off' ? { kind: 'off' } : 'unknown'
  }

  get mayGoWithout(): boolean {
    return !this.#required
  }

  /** What holds now; asks the broker of `connection` if nobody was asked. */
  state(connection: BrokerConnection): IdentityState {
    if (this.#state === 'unknown') {
      this.#state = { kind: 'pending' }
      void this.#ask(connection)
    }
    return this.#state
  }

  /**
   * Numbers of this identity broke somewhere: from now on there is another. The next epoch needs no
   * broker's leave (KIP-360), and a partition that has seen it takes nothing late of the old one.
   */
  renew(broken: ProducerIdentity | undefined): void {
    const state = this.#state
    if (state === 'unknown' || state.kind !== 'known' || state.identity !== broken) return
    const { producerId, producerEpoch } = state.identity
    this.#state =
      producerEpoch < producerEpochMax
        ? { kind: 'known', identity: { producerId, producerEpoch: producerEpoch + 1 } }
        : 'unknown'
  }

  /** A topic cannot keep numbers: go on without. */
  giveUp(reason: string): void {
    if (this.#state !== 'unknown' && this.#state.kind === 'off') return
    this.#cluster.ports.logger.info(`the producer goes on without idempotence: ${reason}`)
    this.#state = { kind: 'off' }
  }

  async #ask(connection: BrokerConnection): Promise<void> {
    for (let failures = 1; this.#state !== 'unknown' && !this.#cluster.isClosed; failures++) {
      try {
        const through = connection.isOpen
          ? connection
          : await this.#cluster.anyConnection('metadata')
        this.#state = { kind: 'known', identity: await request(through) }
        break
      } catch (error) {
        if (!isRetriable(error)) {
          this.#refuse(error)
          break
        }
        await delay(this.#cluster.ports.clock, this.#cluster.retryDelayMs(failures))
      }
    }
    this.#onChange()
  }

  #refuse(cause: unknown): void {
    const error =
      cause instanceof KafkaError
        ? cause
        : brokerError(Errors.UNKNOWN_SERVER_ERROR, 'InitProducerId', String(cause))
    if (this.#required) this.#state = { kind: 'refused', error }
    else this.giveUp(error.message)
  }
}

async function request(connection: BrokerConnection): Promise<ProducerIdentity> {
  const version = connection.version(InitProducerId, { max: 4 })
  const answer = await connection.request(InitProducerId, version, {
    transactionalId: null,
    transactionTimeoutMs: noTimeoutMs,
  })
  if (answer.errorCode !== Errors.NONE) throw brokerError(answer.errorCode, 'InitProducerId')
  return { producerId: exact(answer.producerId), producerEpoch: answer.producerEpoch }
}
