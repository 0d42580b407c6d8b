/** @platformatic/kafka, driven by lines: platformatic.ts BOOTSTRAP */
import {
  type CompressionAlgorithmValue,
  Consumer,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  Producer,
} from '@platformatic/kafka'
import { type Asked, drive, limitMs, recordsOf, Seen } from './lines.ts'

const base = { clientId: 'interop', bootstrapBrokers: [process.argv[2] ?? ''] }

async function produce(asked: Asked): Promise<void> {
  const producer = new Producer({ ...base, autocreateTopics: false })
  const messages = recordsOf(asked).map(({ partition, timestampMs, key, value, headers }) => ({
    ...{ topic: asked.topic, partition, timestamp: BigInt(timestampMs) },
    // Its types have no null, its bytes have one for what is left out.
    ...(key === null ? {} : { key: Buffer.from(key) }),
    ...(value === null ? {} : { value: Buffer.from(value) }),
    headers: new Map(headers.map((header) => [Buffer.from(header[0]), Buffer.from(header[1])])),
  }))
  await producer.send({
    ...{ messages, acks: -1, idempotent: asked.idempotent },
    compression: asked.codec as CompressionAlgorithmValue,
  })
  await producer.close()
}

async function member(asked: Asked, seen: Seen, commit: boolean): Promise<Seen> {
  const { topic, count } = asked
  const groupId = commit ? asked.group : `platformatic-${process.pid}-${topic}`
  const consumer = new Consumer({ ...base, groupId })
  const mode = commit ? MessagesStreamModes.COMMITTED : MessagesStreamModes.EARLIEST
  const from = { mode, fallbackMode: MessagesStreamFallbackModes.EARLIEST }
  const stream = await consumer.consume({ ...from, autocommit: false, topics: [topic] })
  const timer = setTimeout(() => stream.destroy(new Error('the time is over')), limitMs)
  for await (const message of stream) {
    const headers = [...message.headers].map(
      (each) => [each[0].toString(), each[1].toString()] as const,
    )
    seen.add(Number(message.offset), {
      ...{ partition: message.partition, timestampMs: Number(message.timestamp), headers },
      key: (message.key as Buffer | null)?.toString() ?? null,
      value: (message.value as Buffer | null)?.toString() ?? null,
    })
    if (seen.count === count) break
  }
  clearTimeout(timer)
  const offsets = seen.next().map(({ partition, offset }) => {
    return { topic, partition, offset: BigInt(offset), leaderEpoch: -1 }
  })
  if (commit) await consumer.commit({ offsets })
  await consumer.close(true)
  return seen
}

await drive({
  produce,
  read: (asked) => member(asked, new Seen(asked.partitions), false),
  group: (asked) => member(asked, new Seen(), true),
})
