/** Producers: bursts of numbered records to partitions of their choice, until all are sent. */
import { delay } from '../../runtime/clock.ts'
import type { ProducerPlan } from '../plan.ts'
import type { ClientMain } from './processes.ts'
import type { Scene } from './scene.ts'

const unsettledMax = 200

export function producerMain(scene: Scene, plan: ProducerPlan): ClientMain {
  // What one life has sent, the next one need not.
  let left = plan.recordCount
  return async (ports, life) => {
    const client = scene.client(ports, plan.name, plan.requestTimeoutMs)
    const producer = client.producer({
      acks: plan.acks,
      idempotence: plan.idempotent,
      lingerMs: plan.lingerMs,
      batchBytes: plan.batchBytes,
      compression: plan.compression,
      maxInFlight: plan.maxInFlight,
      deliveryTimeoutMs: plan.deliveryTimeoutMs,
      allowAutoTopicCreation: false,
    })
    const { random, clock } = ports
    const topics = scene.plan.topics.filter(({ name }) => plan.topics.includes(name))
    let unsettled = 0
    while (left > 0 && !scene.isEnding && topics.length > 0) {
      for (let count = 0; count < plan.burst && left > 0; count += 1) {
        left -= 1
        const topic = topics[random.below(topics.length)] ?? topics[0]
        if (topic === undefined) break
        unsettled += 1
        const record = {
          producer: `${plan.name}#${life.number}`,
          topic: topic.name,
          partition: random.below(topic.partitionCount),
          acks: plan.acks,
          idempotent: plan.idempotent,
          isPromised: scene.isPromised(plan.acks, topic.replicationFactor),
        }
        void scene
          .send(producer, record, { valueBytes: random.below(plan.valueBytesMax) })
          .then(() => {
            unsettled -= 1
          })
      }
      await delay(clock, plan.gapMs)
      if (unsettled > unsettledMax) await producer.flush()
    }
    await producer.flush()
    await client.close()
  }
}
