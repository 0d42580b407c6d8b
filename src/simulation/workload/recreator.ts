/** Makes a topic, fills it, reads it, deletes it, and again: nothing of a former life may come back. */
import type { KafkaClient } from '../../client/client.ts'
import type { ConsumedRecord, Consumer } from '../../client/consumer/types.ts'
import { KafkaError } from '../../client/errors.ts'
import type { Producer } from '../../client/producer/types.ts'
import { Errors } from '../../kafka/errors.ts'
import { delay } from '../../runtime/clock.ts'
import type { Ports } from '../../runtime/service.ts'
import type { ClientMain } from './processes.ts'
import { numberOf, type Scene } from './scene.ts'

const pauseMs = 150
const recordsPerLife = 5
const readLimitMs = 60_000

export function recreatorMain(scene: Scene, topic: string): ClientMain {
  return async (ports, life) => {
    const client = scene.client(ports, topic)
    const producer = client.producer({
      acks: -1,
      idempotence: false,
      // Never sent twice: a copy that arrives late would be no fault of the broker's.
      retries: 0,
      allowAutoTopicCreation: false,
    })
    await new Recreator(scene, topic, { ports, client, producer }, life.number).run()
    await client.close()
  }
}

interface Tools {
  readonly ports: Ports
  readonly client: KafkaClient
  readonly producer: Producer
}

class Recreator {
  readonly #scene: Scene
  readonly #topic: string
  readonly #tools: Tools
  /** Acknowledged in former lives. */
  readonly #former: number[] = []
  /** Something may still arrive of which nobody knows: a late record, a late deletion. */
  #hasLooseEnds: boolean
  readonly #processLife: number

  constructor(scene: Scene, topic: string, tools: Tools, processLife: number) {
    this.#scene = scene
    this.#topic = topic
    this.#tools = tools
    this.#processLife = processLife
    this.#hasLooseEnds = processLife > 1
  }

  async run(): Promise<void> {
    for (let life = 1; !this.#scene.isEnding; life += 1) {
      if (await this.#create()) await this.#live(`${this.#topic}@${this.#processLife}.${life}`)
      await this.#delete()
      await delay(this.#tools.ports.clock, pauseMs)
    }
  }

  async #live(name: string): Promise<void> {
    const { world } = this.#scene
    const flushed = this.#scene.isFlushed(this.#topic)
    world.observe({ kind: 'topicCreated', topic: name, on: this.#topic, flushed, unclean: false })
    const acknowledged: number[] = []
    const order = {
      producer: name,
      topic: name,
      partition: 0,
      acks: -1,
      idempotent: false,
      isPromised: true,
    } as const
    for (let count = 0; count < recordsPerLife; count += 1) {
      const options = { valueBytes: 100, on: this.#topic }
      const { number, offset } = await this.#scene.send(this.#tools.producer, order, options)
      if (offset === undefined) this.#hasLooseEnds = true
      else acknowledged.push(number)
    }
    const found = await this.#read()
    if (found !== undefined && !this.#hasLooseEnds) {
      const records = found.map((record) => ({ offset: record.offset, number: numberOf(record) }))
      world.observe({ kind: 'wholeLog', topic: name, partition: 0, records })
    }
    if (found !== undefined) {
      const numbers = found.map(numberOf)
      world.observe({ kind: 'recreated', topic: name, former: [...this.#former], found: numbers })
    }
    this.#former.push(...acknowledged)
  }

  /** All there is; undefined where it cannot be told. */
  async #read(): Promise<ConsumedRecord[] | undefined> {
    const client = this.#reader()
    const consumer = client.consumer({
      autoOffsetReset: 'earliest',
      allowAutoTopicCreation: false,
    })
    try {
      return await readAll(consumer, [{ topic: this.#topic, partition: 0 }], this.#tools.ports)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#scene.world.note(`${this.#topic} cannot be read: ${error.message}`)
      return undefined
    } finally {
      await consumer.close()
      if (client !== this.#tools.client) await client.close()
    }
  }

  /**
   * Without topic ids nobody who knew the former life can tell that its epochs are over (KAFKA-12257):
   * then a client reads that never heard of it.
   */
  #reader(): KafkaClient {
    const { client, ports } = this.#tools
    const hasTopicIds = this.#scene.plan.broker['inter.broker.protocol.version'] === undefined
    return hasTopicIds ? client : this.#scene.client(ports, `${this.#topic}-reader`)
  }

  /** False where it is not sure that a fresh topic was made. */
  async #create(): Promise<boolean> {
    const replicationFactor = this.#scene.plan.recreatedFactor
    try {
      const [outcome] = await this.#tools.client
        .admin()
        .createTopics([{ name: this.#topic, partitions: 1, replicationFactor }])
      return outcome !== undefined && outcome.error === undefined
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#hasLooseEnds = true
      return false
    }
  }

  /** Until no broker knows it any more. */
  async #delete(): Promise<void> {
    const admin = this.#tools.client.admin()
    for (;;) {
      try {
        const [outcome] = await admin.deleteTopics([this.#topic])
        const code = outcome?.error?.code
        if (code !== undefined && code !== Errors.UNKNOWN_TOPIC_OR_PARTITION)
          this.#hasLooseEnds = true
        const [described] = await admin.describeTopics([this.#topic])
        if (described?.error?.code === Errors.UNKNOWN_TOPIC_OR_PARTITION) return
        this.#scene.world.note(
          `${this.#topic}: deletion ${code ?? 'done'}, still ${described?.error?.code ?? 'there'}`,
        )
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        this.#hasLooseEnds = true
      }
      await delay(this.#tools.ports.clock, pauseMs)
    }
  }
}

/** Everything from the beginning to what was the end at first. @throws KafkaError */
export async function readAll(
  consumer: Consumer,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  { clock }: Pick<Ports, 'clock'>,
): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = []
  const ends = await consumer.endOffsets(partitions)
  const open = ends.filter(({ offset }) => offset > 0)
  if (open.length === 0) return records
  consumer.assign(open)
  const limitMs = clock.monotonicMs() + readLimitMs
  const isBehind = () => open.some((end) => (consumer.position(end) ?? 0) < end.offset)
  while (isBehind() && clock.monotonicMs() < limitMs) records.push(...(await consumer.poll(500)))
  return records
}
