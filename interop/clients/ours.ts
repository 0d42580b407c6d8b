/** Our own client, driven by lines: ours.ts BOOTSTRAP */
import { KafkaClient } from '../../src/client/client.ts'
import type { Consumer } from '../../src/client/consumer/types.ts'
import type { CompressionName } from '../../src/client/types.ts'
import { realPorts } from '../../src/node/ports.ts'
import { type Asked, drive, limitMs, recordsOf, Seen } from './lines.ts'

const ports = realPorts({ logLevel: 'WARN', logStream: process.stderr })
const bootstrap = process.argv[2] ?? ''
const client = new KafkaClient(ports, { bootstrapServers: [bootstrap], clientId: 'interop' })

async function produce(asked: Asked): Promise<void> {
  const producer = client.producer({
    compression: asked.codec as CompressionName,
    idempotence: asked.idempotent,
    lingerMs: 5,
  })
  const sent = recordsOf(asked).map(({ partition, timestampMs, key, value, headers }) =>
    producer.send({
      ...{ topic: asked.topic, partition, timestamp: timestampMs },
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers: headers.map((header) => ({ key: header[0], value: Buffer.from(header[1]) })),
    }),
  )
  await Promise.all(sent)
  await producer.close()
}

async function collect(consumer: Consumer, seen: Seen, wanted: number): Promise<void> {
  const limit = Date.now() + limitMs
  while (seen.count < wanted && Date.now() < limit)
    for (const record of await consumer.poll(200)) {
      if (seen.count === wanted) return
      const { partition, timestamp: timestampMs } = record
      const headers = record.headers.map(
        ({ key, value }) => [key, value?.toString() ?? ''] as const,
      )
      const key = record.key?.toString() ?? null
      const value = record.value?.toString() ?? null
      seen.add(record.offset, { partition, timestampMs, key, value, headers })
    }
}

async function read({ topic, partitions, count }: Asked): Promise<Seen> {
  const consumer = client.consumer()
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  consumer.assign(all)
  for (const { partition } of all) consumer.seek(topic, partition, 0)
  const seen = new Seen(partitions)
  await collect(consumer, seen, count)
  await consumer.close()
  return seen
}

async function group({ topic, group: groupId, count }: Asked): Promise<Seen> {
  const consumer = client.consumer({ groupId, autoOffsetReset: 'earliest' })
  consumer.subscribe([topic])
  const seen = new Seen()
  await collect(consumer, seen, count)
  await consumer.commit(seen.next().map((each) => ({ topic, ...each })))
  await consumer.close()
  return seen
}

// Timers of the clock keep no process alive; standard input does.
await drive({ produce, read, group, close: () => client.close() })
