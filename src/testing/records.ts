/** Writing and reading whole topics in a line: the test's own view, by a client that meets no faults. */
import type { KafkaClient } from '../client/client.ts'
import type { ConsumedRecord } from '../client/consumer/types.ts'
import type { ProducerRecord, RecordMetadata } from '../client/producer/types.ts'

/** A value, or a record. Text is written as UTF-8. */
export type TestRecordInput =
  | string
  | Uint8Array
  | {
      readonly key?: string | Uint8Array | null
      readonly value: string | Uint8Array | null
      readonly headers?: Readonly<Record<string, string | Uint8Array>>
      readonly partition?: number
      /** Milliseconds since 1970. Default: the cluster's time. */
      readonly timestamp?: number
    }

/** A record as text; `raw` has the bytes. */
export interface TestRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  /** Of headers with the same key, the last. */
  readonly headers: Readonly<Record<string, string | null>>
  readonly raw: ConsumedRecord
}

const pollMs = 1000

/** Resolves when the records are acknowledged, to where each went. @throws KafkaError */
export async function writeRecords(
  client: KafkaClient,
  topic: string,
  inputs: readonly TestRecordInput[],
): Promise<RecordMetadata[]> {
  const producer = client.producer()
  try {
    return await Promise.all(inputs.map((input) => producer.send(recordOf(topic, input))))
  } finally {
    await producer.close()
  }
}

function recordOf(topic: string, input: TestRecordInput): ProducerRecord {
  if (typeof input === 'string' || input instanceof Uint8Array)
    return { topic, value: bytesOf(input) }
  const { key, value, headers, partition, timestamp } = input
  return {
    topic,
    value: bytesOf(value),
    ...(key === undefined ? {} : { key: bytesOf(key) }),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp }),
    headers: Object.entries(headers ?? {}).map(([name, content]) => {
      return { key: name, value: bytesOf(content) }
    }),
  }
}

function bytesOf(content: string | Uint8Array | null): Buffer | null {
  return content === null ? null : Buffer.from(content)
}

/** All that the topic holds now, partition by partition in the order of the offsets. @throws KafkaError */
export async function readRecords(client: KafkaClient, topic: string): Promise<TestRecord[]> {
  const [description] = await client.admin().describeTopics([topic])
  if (description?.error !== undefined) throw description.error
  const partitions = (description?.partitions ?? []).map(({ partition }) => ({ topic, partition }))
  const consumer = client.consumer({ autoOffsetReset: 'earliest', allowAutoTopicCreation: false })
  try {
    const ends = await consumer.endOffsets(partitions)
    const starts = await consumer.beginningOffsets(partitions)
    const open = new Map<number, number>()
    for (const [index, { partition, offset }] of ends.entries())
      if (offset > (starts[index]?.offset ?? 0)) open.set(partition, offset)
    const records: TestRecord[] = []
    if (open.size === 0) return records
    consumer.assign([...open.keys()].map((partition) => ({ topic, partition })))
    while (open.size > 0) {
      for (const record of await consumer.poll(pollMs)) {
        const end = open.get(record.partition)
        if (end !== undefined && record.offset < end) records.push(textOf(record))
      }
      for (const [partition, end] of open)
        if ((consumer.position({ topic, partition }) ?? 0) >= end) open.delete(partition)
    }
    return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
  } finally {
    await consumer.close()
  }
}

function textOf(record: ConsumedRecord): TestRecord {
  const { partition, offset, timestamp, key, value, headers } = record
  return {
    partition,
    offset,
    timestamp,
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    headers: Object.fromEntries(
      headers.map(({ key: name, value: content }) => [name, content?.toString() ?? null]),
    ),
    raw: record,
  }
}
