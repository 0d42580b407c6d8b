/** KafkaJS with the codecs that its users add to it, driven by lines: kafkajs.ts BOOTSTRAP */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { cache } from '../support/kafka.ts'
import { type Asked, drive, recordsOf, Seen, seenOrOver } from './lines.ts'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs
const require = createRequire(join(cache, 'node', 'package.json'))

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

// Not lz4js: it writes dependent blocks, which Kafka refuses.
const lz4Codec: Codec = {
  compress: async ({ buffer }) => compressFrameSync(buffer),
  decompress: async (bytes) => decompressFrameSync(bytes),
}
const zstdCodec: Codec = {
  compress: async ({ buffer }) => zstdCompressSync(buffer),
  decompress: async (bytes) => zstdDecompressSync(bytes),
}
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy') as () => Codec
CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec
CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec

const types: Readonly<Record<string, number>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

const kafka = new Kafka({ brokers: [process.argv[2] ?? ''], logLevel: logLevel.NOTHING })

async function produce(asked: Asked): Promise<void> {
  const producer = kafka.producer({ idempotent: asked.idempotent })
  await producer.connect()
  const messages = recordsOf(asked).map(({ partition, timestampMs, key, value, headers }) => ({
    ...{ partition, key, value, headers: Object.fromEntries(headers) },
    timestamp: String(timestampMs),
  }))
  await producer.send({
    ...{ topic: asked.topic, messages, acks: -1 },
    compression: types[asked.codec] ?? 0,
  })
  await producer.disconnect()
}

async function member(asked: Asked, seen: Seen, commit: boolean): Promise<Seen> {
  const { topic, count } = asked
  const groupId = commit ? asked.group : `kafkajs-${process.pid}-${topic}-${seen.count}`
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const all = seenOrOver()
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      if (seen.count === count) return
      const headers = Object.entries(message.headers ?? {}).map(
        ([key, value]) => [key, String(value)] as const,
      )
      const key = message.key?.toString() ?? null
      const value = message.value?.toString() ?? null
      const timestampMs = Number(message.timestamp)
      seen.add(Number(message.offset), { partition, timestampMs, key, value, headers })
      if (seen.count === count) all.done()
    },
  })
  await all.promise
  const offsets = seen.next().map(({ partition, offset }) => ({ partition, offset: `${offset}` }))
  if (commit) await consumer.commitOffsets(offsets.map((each) => ({ topic, ...each })))
  await consumer.disconnect()
  return seen
}

await drive({
  produce,
  read: (asked) => member(asked, new Seen(asked.partitions), false),
  group: (asked) => member(asked, new Seen(), true),
})
