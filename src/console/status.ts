// What the status call tells: whether search and Kafka can be asked, and if not, what to do.
import { type Clock, delay } from '../runtime/clock.ts'
import type { SearchGateway, SearchState } from './elasticsearch.ts'
import type { ClusterSummary, TopicReader } from './kafka.ts'

export interface Status {
  readonly nowMs: number
  readonly search: SearchState
  readonly kafka: KafkaState
}

export type KafkaState = { readonly bootstrapServers: readonly string[] } & (
  | ({ readonly state: 'up' } & ClusterSummary)
  | { readonly state: 'down' | 'off'; readonly problem: string }
)

export const noKafka =
  'No Kafka is configured. Start the console with --bootstrap-server HOST:PORT.'

/** A server that is silent for this long counts as down: pages wait for the status. */
const patienceMs = 1_500

export class StatusReporter {
  readonly #clock: Clock
  readonly #gateway: SearchGateway
  readonly #reader: TopicReader | undefined
  readonly #bootstrapServers: readonly string[]
  /** One question at a time, however many pages want to know. */
  #asking: Promise<KafkaState> | undefined

  constructor(
    ports: {
      readonly clock: Clock
      readonly gateway: SearchGateway
      readonly reader: TopicReader | undefined
    },
    bootstrapServers: readonly string[],
  ) {
    this.#clock = ports.clock
    this.#gateway = ports.gateway
    this.#reader = ports.reader
    this.#bootstrapServers = bootstrapServers
  }

  /** Never rejects: being down is an answer here. */
  async status(): Promise<Status> {
    const [search, kafka] = await Promise.all([this.#gateway.state(), this.#kafkaSoon()])
    return { nowMs: this.#clock.now(), search, kafka }
  }

  async #kafkaSoon(): Promise<KafkaState> {
    const bootstrapServers = this.#bootstrapServers
    if (this.#reader === undefined) return { state: 'off', bootstrapServers, problem: noKafka }
    this.#asking ??= this.#ask(this.#reader).finally(() => {
      this.#asking = undefined
    })
    const late = delay(this.#clock, patienceMs).then((): KafkaState => {
      const problem = `Kafka has not answered yet at ${bootstrapServers.join(', ')}. Is it running?`
      return { state: 'down', bootstrapServers, problem }
    })
    return Promise.race([this.#asking, late])
  }

  async #ask(reader: TopicReader): Promise<KafkaState> {
    const bootstrapServers = this.#bootstrapServers
    try {
      return { state: 'up', bootstrapServers, ...(await reader.cluster()) }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      return { state: 'down', bootstrapServers, problem }
    }
  }
}
