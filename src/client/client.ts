// The Kafka client: owns the cluster's metadata and the connections; makes producers, consumers and
// an admin client. Brokers from 0.10.0 to 4.x.
import { KafkaAdmin } from './admin/admin.ts'
import type { Admin, ClusterAdmin } from './admin/types.ts'
import { Cluster } from './cluster.ts'
import { KafkaConsumer } from './consumer/consumer.ts'
import type { Consumer, ConsumerSettings } from './consumer/types.ts'
import { topicIdOf } from './metadata.ts'
import { KafkaProducer } from './producer/producer.ts'
import type { Producer, ProducerSettings } from './producer/types.ts'
import { type ClientPorts, type ClientSettings, completeSettings } from './settings.ts'

export class KafkaClient {
  readonly #cluster: Cluster
  readonly #open = new Set<KafkaProducer | KafkaConsumer>()
  #made = 0
  #closing: Promise<void> | undefined

  /** @throws UserError for bootstrap servers that cannot be read */
  constructor(ports: ClientPorts, settings: ClientSettings) {
    this.#cluster = new Cluster(ports, completeSettings(settings))
  }

  /**
   * Connects to the first broker that answers. Optional: the first request does it otherwise.
   * @throws KafkaError NO_BROKER_REACHABLE
   */
  connect(): Promise<void> {
    return this.#cluster.refresh()
  }

  /** undefined until a broker answered, or where brokers (0.10.0) have none. */
  get clusterId(): string | undefined {
    return this.#cluster.metadata.clusterId
  }

  /** Id of a topic in use here; undefined where it is unknown or the brokers have none. */
  topicId(topic: string): string | undefined {
    return topicIdOf(this.#cluster.metadata, topic)
  }

  /** @throws KafkaError INVALID_ARGUMENT for settings that contradict each other */
  producer(settings: ProducerSettings = {}): Producer {
    const purpose = `producer-${++this.#made}`
    const forget = (closed: KafkaProducer): void => void this.#open.delete(closed)
    const producer = new KafkaProducer(this.#cluster, settings, purpose, forget)
    this.#open.add(producer)
    return producer
  }

  consumer(settings: ConsumerSettings = {}): Consumer {
    const purpose = `consumer-${++this.#made}`
    const forget = (closed: KafkaConsumer): void => void this.#open.delete(closed)
    const consumer = new KafkaConsumer(this.#cluster, settings, purpose, forget)
    this.#open.add(consumer)
    return consumer
  }

  admin(): Admin {
    return new KafkaAdmin(this.#cluster)
  }

  /** All that can be asked of a cluster; admin() is the everyday part of it. */
  clusterAdmin(): ClusterAdmin {
    return new KafkaAdmin(this.#cluster)
  }

  /**
   * Closes its producers, which flush, and consumers, then the connections. With a limit, what
   * producers have not sent by then fails with CLIENT_CLOSED.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async #close(options: { readonly timeoutMs?: number }): Promise<void> {
    await Promise.all([...this.#open].map((one) => one.close(options)))
    this.#cluster.close()
  }
}
