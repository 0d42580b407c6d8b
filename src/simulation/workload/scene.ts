/** What all clients of a run share: the cluster's addresses, and the numbers of what they send. */
import { KafkaClient } from '../../client/client.ts'
import type { ConsumedRecord } from '../../client/consumer/types.ts'
import type { Producer } from '../../client/producer/types.ts'
import type { Ports } from '../../runtime/service.ts'
import type { Cluster } from '../cluster.ts'
import type { Place, ReplicaLog, SentRecord } from '../observation.ts'
import { brokerHost, type Plan } from '../plan.ts'
import { storedBatches } from '../replica-logs.ts'
import type { World } from '../world.ts'
import { Ephemerals } from './ephemerals.ts'

export class Scene {
  readonly world: World
  readonly cluster: Cluster
  readonly plan: Plan
  readonly ephemerals: Ephemerals
  /** Act one is over: no new work, only what was begun. */
  isEnding = false
  /** Sent and neither acknowledged nor failed, of producers that are alive. */
  unsettled = 0
  readonly counter = { answered: 0, unanswered: 0 }
  /** The last signal that each coordination client heard of. */
  readonly signals = new Map<string, string>()
  /** Per group and partition, the largest record number delivered. */
  readonly delivered = new Map<string, number>()
  /** How many partitions topics have that were given more. */
  readonly grown = new Map<string, number>()
  #numbers = 0

  constructor(world: World, cluster: Cluster, plan: Plan) {
    this.world = world
    this.cluster = cluster
    this.plan = plan
    this.ephemerals = new Ephemerals(world)
  }

  client(ports: Ports, clientId: string, requestTimeoutMs = 5000): KafkaClient {
    return new KafkaClient(ports, {
      bootstrapServers: this.cluster.bootstrapServers,
      clientId,
      requestTimeoutMs,
      connectTimeoutMs: 2000,
      callTimeoutMs: 20_000,
      metadataMaxAgeMs: 60_000,
    })
  }

  /**
   * Sends one record and records what became of it. `on` is the topic's name where observers know it by
   * another than the brokers do. Resolves to its offset; undefined where it failed.
   */
  async send(
    producer: Producer,
    record: Omit<SentRecord, 'number'>,
    { valueBytes, on = record.topic }: { readonly valueBytes: number; readonly on?: string },
  ): Promise<{ readonly number: number; readonly offset: number | undefined }> {
    this.#numbers += 1
    const number = this.#numbers
    this.world.observe({ kind: 'sent', record: { ...record, number } })
    const value = Buffer.alloc(Math.max(valueBytes, 12), '.')
    value.write(`${number}:`)
    const { partition } = record
    try {
      const { offset } = await producer.send({ topic: on, partition, value })
      this.world.observe({ kind: 'acknowledged', number, offset })
      return { number, offset }
    } catch (error) {
      this.world.note(`record ${number} failed: ${String(error)}`)
      this.world.observe({ kind: 'failed', number })
      return { number, offset: undefined }
    }
  }

  /** Whether SPEC.md section 1 promises anything for these acks. */
  isPromised(acks: -1 | 0 | 1, replicationFactor: number): boolean {
    const isMoved = this.plan.admins.some(({ actions }) => actions.includes('reassign'))
    return acks === -1 || (acks === 1 && replicationFactor === 1 && !isMoved)
  }

  /** @param committed as in the observation. */
  observeReplicas(place: Place, committed: number): void {
    const { world, plan } = this
    const replicas: ReplicaLog[] = []
    const inSync = world.truth.state(place.topic, place.partition)?.isr ?? []
    for (let broker = 0; broker < plan.brokerCount; broker += 1) {
      if (committed >= 0 && !inSync.includes(broker)) continue
      const batches = storedBatches(world.host(brokerHost(broker)).disk, place)
      if (batches !== undefined) replicas.push({ broker, batches })
    }
    world.observe({ kind: 'replicaLogs', ...place, replicas, committed })
  }

  isFlushed(topic: string): boolean {
    if (this.plan.broker['log.flush.interval.messages'] === '1') return true
    return this.plan.topics.some(({ name, flushed }) => name === topic && flushed)
  }
}

/** The number that `send` gave the record; -1 for none of ours. */
export function numberOf(record: ConsumedRecord): number {
  const number = Number.parseInt(record.value?.toString('latin1', 0, 12) ?? '', 10)
  return Number.isNaN(number) ? -1 : number
}
