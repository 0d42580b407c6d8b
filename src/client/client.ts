// The Kafka client: owns the cluster's metadata and the connections; makes producers, consumers and
// an admin client. Brokers from 0.10.0 to 4.x.
import type { Ports } from '../runtime/service.ts'
import type { Admin } from './admin/types.ts'
import type { Consumer, ConsumerSettings } from './consumer/types.ts'
import type { Producer, ProducerSettings } from './producer/types.ts'

export type ClientPorts = Pick<Ports, 'clock' | 'network' | 'random' | 'logger'>

export interface ClientSettings {
  /** host:port, IPv6 in brackets. One that answers is enough. */
  readonly bootstrapServers: readonly string[]
  /** Default millrace. */
  readonly clientId?: string
  /** Default 30000. */
  readonly requestTimeoutMs?: number
  /** Default 10000. */
  readonly connectTimeoutMs?: number
  /** First wait before a broker is tried again; doubles up to reconnectBackoffMsMax. Default 50. */
  readonly reconnectBackoffMs?: number
  /** Default 1000. */
  readonly reconnectBackoffMsMax?: number
  /** First wait before a failed request is tried again; doubles up to retryBackoffMsMax. Default 100. */
  readonly retryBackoffMs?: number
  /** Default 1000. */
  readonly retryBackoffMsMax?: number
  /** Metadata is asked for again after this, errors or not. Default 300000. */
  readonly metadataMaxAgeMs?: number
  /** A call of the admin client, retries included. Default 60000. */
  readonly callTimeoutMs?: number
}

export class KafkaClient {
  constructor(ports: ClientPorts, settings: ClientSettings) {
    throw new Error(`not yet: ${settings.clientId} ${ports.clock.now()}`)
  }
  /** Connects to the first broker that answers. Optional: the first request does it otherwise. */
  connect(): Promise<void> {
    return Promise.resolve()
  }
  producer(settings: ProducerSettings = {}): Producer {
    throw new Error(`not yet: ${settings.acks}`)
  }
  consumer(settings: ConsumerSettings = {}): Consumer {
    throw new Error(`not yet: ${settings.groupId}`)
  }
  admin(): Admin {
    throw new Error('not yet')
  }
  /** Closes its producers and consumers, then the connections. */
  close(): Promise<void> {
    return Promise.resolve()
  }
}
