/** Every client writes with every codec it has; every client reads what every client wrote. */
import assert from 'node:assert/strict'
import { recordOf, Seen, type SeenPartition } from '../clients/lines.ts'
import { type Answer, Driver, type MatrixClient } from './clients.ts'

export const partitions = 3
/** Of each codec; a multiple of the partitions, so that each gets as many. */
const recordsPerCodec = 150
const recordsPerMember = 60

export const topicOf = (client: MatrixClient): string => `from-${client.name}`
/** zstd is for itself, since clients before 2.1 are told that they cannot read it. */
export const zstdTopicOf = (client: MatrixClient): string => `from-${client.name}-zstd`
export const chainTopic = 'chain'

export function topicsOf(clients: readonly MatrixClient[]): string[] {
  const withZstd = clients.filter(({ codecs }) => codecs.includes('zstd'))
  return [...clients.map(topicOf), ...withZstd.map(zstdTopicOf), chainTopic]
}

interface Segment {
  readonly topic: string
  readonly codec: string
  readonly label: string
  readonly idempotent: number
  readonly first: number
  readonly count: number
}

function segmentsOf(client: MatrixClient): Segment[] {
  const common = { topic: topicOf(client), idempotent: 0, count: recordsPerCodec }
  const plain = client.codecs
    .filter((codec) => codec !== 'zstd')
    .map((codec, n) => ({ ...common, codec, label: codec, first: n * recordsPerCodec }))
  const first = plain.length * recordsPerCodec
  const idempotent = { ...common, codec: 'lz4', label: 'idempotent', idempotent: 1, first }
  const zstd = { ...common, topic: zstdTopicOf(client), codec: 'zstd', label: 'zstd', first: 0 }
  return [
    ...plain,
    ...(client.hasIdempotence ? [idempotent] : []),
    ...(client.codecs.includes('zstd') ? [zstd] : []),
  ]
}

/** What a reader sees of a topic when all is as it should be. */
function expectedOf(client: MatrixClient, topic: string): Seen {
  const seen = new Seen(partitions)
  for (const { label, first, count } of segmentsOf(client).filter((one) => one.topic === topic))
    for (let index = first; index < first + count; index += 1) {
      const record = recordOf({ name: client.name, label, partitions }, index)
      seen.add(Math.floor(index / partitions), record)
    }
  return seen
}

async function withDriver<T>(
  client: MatrixClient,
  bootstrap: string,
  work: (driver: Driver) => Promise<T>,
): Promise<T> {
  const driver = new Driver(client, bootstrap)
  try {
    return await work(driver)
  } finally {
    await driver.stop()
  }
}

export async function produceAll(client: MatrixClient, bootstrap: string): Promise<void> {
  await withDriver(client, bootstrap, async (driver) => {
    for (const segment of segmentsOf(client)) {
      const answer = await driver.ask('produce', { ...segment, partitions, name: client.name })
      assert.equal(answer.error, undefined, `${client.name} ${segment.label}`)
    }
  })
}

/** What is compared of a partition; times and headers only where the writer sets them per record. */
function compared(one: SeenPartition, writer: MatrixClient, reader: MatrixClient): SeenPartition {
  const { headers, times, ...body } = one
  const hasHeaders = writer.headers === 'own' && reader.headers !== 'none'
  return {
    ...{ ...body, times: writer.setsTimestamps ? times : '' },
    ...(hasHeaders && headers !== undefined ? { headers } : {}),
  }
}

/** Reads what all have written. Returns how many records were read and compared, by writer. */
export async function readAll(
  reader: MatrixClient,
  writers: readonly MatrixClient[],
  bootstrap: string,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  await withDriver(reader, bootstrap, async (driver) => {
    for (const writer of writers) {
      const topics = [topicOf(writer), zstdTopicOf(writer)]
      for (const topic of topics.slice(0, writer.codecs.includes('zstd') ? 2 : 1)) {
        const expected = expectedOf(writer, topic)
        const asked = { topic, partitions, count: expected.count }
        if (topic === zstdTopicOf(writer) && !reader.codecs.includes('zstd')) {
          // One writer's is enough, since some wait in vain.
          if (writer === writers[0])
            assertRefused(await driver.ask('read', { ...asked, seconds: 3 }), reader.name)
          continue
        }
        const answer = await driver.ask('read', asked)
        assert.equal(answer.error, undefined, `${reader.name} reads ${topic}`)
        assert.deepEqual(
          answer.partitions?.map((one) => compared(one, writer, reader)),
          expected.answer().partitions.map((one) => compared(one, writer, reader)),
          `${reader.name} reads ${topic}`,
        )
        counts.set(writer.name, (counts.get(writer.name) ?? 0) + expected.count)
      }
    }
  })
  return counts
}

/**
 * Clients before 2.1 get no zstd: 0.10.1 an error (the original answers it with bytes that fail it), since
 * the records would have to be converted; 1.1 and 2.0 the bytes as they are, which they then refuse, since
 * the original looks only at a topic's own compression.type.
 */
function assertRefused(answer: Answer, reader: string): void {
  const records = (answer.partitions ?? []).reduce((sum, { count }) => sum + count, 0)
  assert.equal(records, 0, `${reader} gets no zstd`)
}

const chainName = 'chain'

export async function fillChain(client: MatrixClient, members: number, bootstrap: string) {
  await withDriver(client, bootstrap, async (driver) => {
    const count = members * recordsPerMember
    const what = { topic: chainTopic, name: chainName, label: 'chain', codec: 'gzip' }
    const answer = await driver.ask('produce', { ...what, partitions, first: 0, count })
    assert.equal(answer.error, undefined)
  })
}

/**
 * One client after the other takes its share as the only member of one group, commits and leaves; the
 * next one begins exactly there. Returns the positions after this one.
 */
export async function takeShare(
  client: MatrixClient,
  positions: ReadonlyMap<number, number>,
  bootstrap: string,
): Promise<Map<number, number>> {
  return await withDriver(client, bootstrap, async (driver) => {
    const asked = { topic: chainTopic, group: 'one-after-the-other', count: recordsPerMember }
    const answer = await driver.ask('group', { ...asked, partitions })
    assert.equal(answer.error, undefined, client.name)
    const next = new Map(positions)
    const expected = new Seen()
    for (const { partition, first, count } of answer.partitions ?? []) {
      assert.equal(first, positions.get(partition) ?? 0, `${client.name} resumes ${partition}`)
      next.set(partition, first + count)
      for (let offset = first; offset < first + count; offset += 1) {
        const index = offset * partitions + partition
        expected.add(offset, recordOf({ name: chainName, label: 'chain', partitions }, index))
      }
    }
    assert.equal(expected.count, recordsPerMember, `${client.name} takes its share`)
    const bodies = (seen: readonly SeenPartition[] = []) => seen.map(({ body }) => body)
    const { partitions: expectedPartitions } = expected.answer()
    assert.deepEqual(bodies(answer.partitions), bodies(expectedPartitions), client.name)
    return next
  })
}

/** Where the group stands when all have taken their share. */
export function chainEnd(members: number): number {
  return (members * recordsPerMember) / partitions
}
