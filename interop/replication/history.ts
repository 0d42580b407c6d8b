/** What producers were told, compared with what a cluster's partitions hold. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { KafkaClient } from '../../src/client/client.ts'
import type { Journal } from '../endurance/journal.ts'
import { partitions } from '../endurance/streams.ts'
import { ports } from './cluster.ts'

type Taker = (partition: number, offset: number, number: number) => void

/** Reads partitions of a topic from where they begin, or from `from` on, to where they end now. */
async function readToEnd(
  bootstrap: string,
  topic: string,
  from: (partition: number) => number,
  take: Taker,
): Promise<void> {
  const client = new KafkaClient(ports, {
    bootstrapServers: bootstrap.split(','),
    clientId: 'history',
  })
  try {
    const consumer = client.consumer()
    const assigned = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    const ends = await consumer.endOffsets(assigned)
    consumer.assign(assigned)
    for (const { partition } of assigned) consumer.seek(topic, partition, from(partition))
    const next = assigned.map(({ partition }) => from(partition))
    const limit = performance.now() + 60_000
    while (ends.some(({ partition, offset }) => (next[partition] ?? 0) < offset)) {
      assert.ok(performance.now() < limit, `${topic} of ${bootstrap}: at ${next.join(', ')}`)
      for (const { partition, offset, value } of await consumer.poll(1000)) {
        take(partition, offset, Number(value?.toString()))
        next[partition] = offset + 1
      }
    }
  } finally {
    await client.close()
  }
}

/** Idempotent producers: each partition holds 0, 1, 2 … in order, each once, as acknowledged. */
export async function compareJournals(
  bootstrap: string,
  journals: readonly Journal[],
): Promise<void> {
  const before = journals.map((journal) => journal.outstanding())
  for (const topic of new Set(journals.map((journal) => journal.topic))) {
    const of = journals.filter((journal) => journal.topic === topic)
    const take: Taker = (partition, offset, number) => of[partition]?.check(offset, number)
    await readToEnd(bootstrap, topic, (partition) => of[partition]?.checked ?? 0, take)
  }
  for (const [n, journal] of journals.entries()) journal.endReached(before[n] ?? new Set())
}

/** A producer without numbers of its own, for brokers that know none: repeats are allowed, losses are not. */
export class PlainStream {
  readonly #topic: string
  readonly #client: KafkaClient
  /** For each partition by number: the offset that was told. */
  readonly #told = Array.from({ length: partitions }, () => new Map<number, number>())
  readonly #failures: unknown[] = []
  readonly #sending: Promise<void>
  #isStopped = false

  constructor(bootstrap: string, topic: string) {
    this.#topic = topic
    this.#client = new KafkaClient(ports, {
      bootstrapServers: bootstrap.split(','),
      clientId: 'plain',
    })
    this.#sending = this.#send()
    // Looked at when it is stopped.
    this.#sending.catch(() => {})
  }

  get acknowledged(): number {
    return this.#told.reduce((sum, { size }) => sum + size, 0)
  }

  async #send(): Promise<void> {
    const producer = this.#client.producer({ idempotence: false, deliveryTimeoutMs: Infinity })
    for (let number = 0; !this.#isStopped; number += 1) {
      await producer.ready()
      for (const [partition, told] of this.#told.entries())
        producer.sendWithCallback(
          { topic: this.#topic, partition, value: Buffer.from(String(number)) },
          (error, metadata) => {
            if (error !== undefined) this.#failures.push(error)
            else told.set(number, metadata?.offset ?? -1)
          },
        )
      await pause(3)
    }
    await producer.flush()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#sending
    await this.#client.close()
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'records failed')
  }

  /** Ends at once, whatever is under way. */
  async abandon(): Promise<void> {
    this.#isStopped = true
    await this.#client.close({ timeoutMs: 0 })
  }

  /** Everything acknowledged is where it was said to be. */
  async compare(bootstrap: string): Promise<void> {
    // What is acknowledged while this reads may lie behind the end that it reads to.
    const before = this.#told.map((told) => [...told])
    const held = this.#told.map(() => new Map<number, number>())
    const take: Taker = (partition, offset, number) => held[partition]?.set(offset, number)
    await readToEnd(bootstrap, this.#topic, () => 0, take)
    for (const [partition, told] of before.entries())
      for (const [number, offset] of told)
        assert.equal(
          held[partition]?.get(offset),
          number,
          `${this.#topic}-${partition} at ${offset}`,
        )
  }
}
