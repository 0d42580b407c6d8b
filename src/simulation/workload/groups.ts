/** Members of consumer groups: poll, process, commit what was processed. */
import { KafkaError } from '../../client/errors.ts'
import type { Consumer } from '../../client/consumer/types.ts'
import { delay } from '../../runtime/clock.ts'
import type { Ports } from '../../runtime/service.ts'
import { placeKey, type Place } from '../observation.ts'
import type { GroupPlan } from '../plan.ts'
import type { ClientMain } from './processes.ts'
import { numberOf, type Scene } from './scene.ts'

const pollMs = 500
const maxPollIntervalMs = 10_000
const errorPauseMs = 100

export function memberMain(scene: Scene, plan: GroupPlan, host: string): ClientMain {
  return async (ports, life) => {
    const client = scene.client(ports, host)
    const consumer = client.consumer({
      groupId: plan.name,
      autoOffsetReset: 'earliest',
      maxPollRecords: plan.maxPollRecords,
      maxPollIntervalMs,
      fetchMaxWaitMs: plan.fetchMaxWaitMs,
      sessionTimeoutMs: plan.sessionTimeoutMs,
      heartbeatIntervalMs: Math.floor(plan.sessionTimeoutMs / 3),
      assignors: [plan.assignor],
      allowAutoTopicCreation: false,
    })
    await new Member(scene, plan, ports, consumer, `${host}#${life.number}`).run()
    await client.close()
  }
}

class Member {
  readonly #scene: Scene
  readonly #plan: GroupPlan
  readonly #ports: Ports
  readonly #consumer: Consumer
  readonly #name: string
  #assignments = 0
  /** What comes next in each partition, of what is assigned now and processed. */
  readonly #processed = new Map<string, Place & { offset: number }>()

  constructor(scene: Scene, plan: GroupPlan, ports: Ports, consumer: Consumer, name: string) {
    this.#scene = scene
    this.#plan = plan
    this.#ports = ports
    this.#consumer = consumer
    this.#name = name
  }

  async run(): Promise<void> {
    this.#consumer.onAssigned(() => {
      this.#assignments += 1
      this.#processed.clear()
    })
    this.#consumer.onRevoked(async () => {
      await this.#commit()
      this.#processed.clear()
    })
    this.#consumer.subscribe(this.#plan.topics)
    let polls = 0
    for (;;) {
      try {
        const got = await this.#poll()
        if (!got) continue
        polls += 1
        if (polls % this.#plan.pollsPerCommit === 0) await this.#commit()
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        this.#scene.world.note(`${this.#name} poll failed: ${error.message}`)
        await delay(this.#ports.clock, errorPauseMs)
      }
    }
  }

  async #poll(): Promise<boolean> {
    const { world, delivered } = this.#scene
    const group = this.#plan.name
    const records = await this.#consumer.poll(pollMs)
    for (const record of records) {
      const { topic, partition, offset } = record
      const number = numberOf(record)
      // The assignment may have changed within this poll, before the records were taken.
      const reader = `${this.#name}.${this.#assignments}`
      world.observe({ kind: 'delivered', group, reader, topic, partition, offset, number })
      const key = `${group} ${placeKey(record)}`
      delivered.set(key, Math.max(number, delivered.get(key) ?? -1))
      this.#processed.set(placeKey(record), { topic, partition, offset: offset + 1 })
    }
    if (records.length === 0) return false
    if (this.#plan.processingMs > 0) await delay(this.#ports.clock, this.#plan.processingMs)
    return true
  }

  async #commit(): Promise<void> {
    const offsets = [...this.#processed.values()]
    if (offsets.length === 0) return
    try {
      await this.#consumer.commit(offsets)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#scene.world.note(`${this.#name} commit failed: ${error.message}`)
      return
    }
    const group = this.#plan.name
    for (const offset of offsets) this.#scene.world.observe({ kind: 'committed', group, ...offset })
  }
}
