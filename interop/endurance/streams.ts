/** Producers that go on through everything: numbered records, round robin, until they are stopped. */
import { setTimeout as pause } from 'node:timers/promises'
import { KafkaClient } from '../../src/client/client.ts'
import { realPorts } from '../../src/node/ports.ts'
import { Driver, javaClient } from '../matrix/clients.ts'
import { Journal } from './journal.ts'

export interface Stream {
  readonly name: string
  readonly journals: readonly Journal[]
  /** Stops sending; resolves when all that was sent is acknowledged. Rejects if anything failed. */
  stop(): Promise<void>
  /** Ends at once, whatever is under way: for a test that has failed. */
  abandon(): Promise<void>
}

export const partitions = 3

function journalsOf(topic: string): Journal[] {
  return Array.from({ length: partitions }, (_, partition) => new Journal(topic, partition))
}

export function startOurs(bootstrap: string, topic: string): Stream {
  const ports = realPorts({ logLevel: 'ERROR', logStream: process.stderr })
  const client = new KafkaClient(ports, {
    bootstrapServers: bootstrap.split(','),
    clientId: 'endurance',
  })
  const producer = client.producer({ idempotence: true, deliveryTimeoutMs: Infinity })
  const journals = journalsOf(topic)
  const failures: unknown[] = []
  let isStopped = false
  const send = async (): Promise<void> => {
    for (let number = 0; !isStopped; number += 1) {
      await producer.ready()
      for (const [partition, journal] of journals.entries())
        producer.sendWithCallback(
          { topic, partition, value: Buffer.from(String(number)) },
          (error, metadata) => {
            if (error !== undefined) failures.push(error)
            else journal.acknowledge(number, metadata?.offset ?? -1)
          },
        )
      await pause(3)
    }
  }
  const sending = send()
  return {
    ...{ name: 'ours', journals },
    stop: async () => {
      isStopped = true
      await sending
      await producer.flush()
      await client.close()
      if (failures.length > 0) throw new AggregateError(failures, 'records failed')
    },
    abandon: async () => {
      isStopped = true
      await client.close({ timeoutMs: 0 })
    },
  }
}

export function startJava(bootstrap: string, topic: string, version: string): Stream {
  const driver = new Driver(javaClient(version), bootstrap)
  const journals = journalsOf(topic)
  const failures: string[] = []
  driver.onLine = (line) => {
    const [word, partition, number, offset] = line.split(' ')
    if (word === 'ack') journals[Number(partition)]?.acknowledge(Number(number), Number(offset))
    else failures.push(line)
  }
  const options = { topic, partitions, codec: 'none', idempotent: 1 }
  const ended = driver.ask('stream', options, Infinity)
  // Looked at when it is stopped; until then nobody waits for it.
  ended.catch(() => {})
  return {
    ...{ name: `java-${version}`, journals },
    stop: async () => {
      driver.tell('stop')
      const answer = await ended
      await driver.stop()
      if (answer.error !== undefined) throw new Error(answer.error)
      if (failures.length > 0) throw new Error(`records failed: ${failures[0]}`)
    },
    abandon: () => driver.kill(),
  }
}
