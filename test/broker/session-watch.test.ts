/** Sessions of more partitions than are looked at every time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import type { ResponseOf } from '../../src/wire/schema.ts'
import { batchOf, valuesIn, World, type TestClient } from './world.ts'

const count = 40

/** A consumer with a session of all partitions of t, which names only what has changed for it. */
class SessionConsumer {
  readonly received = Array.from({ length: count }, (): string[] => [])
  readonly #client: TestClient
  #id = 0
  #epoch = 0
  #changed = new Set(Array.from({ length: count }, (_, index) => index))
  readonly #forgotten = new Set<number>()

  constructor(client: TestClient) {
    this.#client = client
  }

  forget(partition: number): void {
    this.#forgotten.add(partition)
    this.#changed.delete(partition)
  }

  takeUp(partition: number): void {
    this.#forgotten.delete(partition)
    this.#changed.add(partition)
  }

  begin(maxWaitMs = 0, maxBytes = 1_000_000) {
    const partitions = [...this.#changed].map((partition) => ({
      partition,
      fetchOffset: this.received[partition]?.length ?? 0,
      partitionMaxBytes: 1_000_000,
    }))
    const forgotten = [...this.#forgotten]
    this.#forgotten.clear()
    this.#changed.clear()
    return this.#client.begin(Fetch, 11, {
      ...{ maxWaitMs, minBytes: 1, maxBytes, sessionId: this.#id, sessionEpoch: this.#epoch },
      topics: partitions.length === 0 ? [] : [{ topic: 't', partitions }],
      forgottenTopicsData: forgotten.length === 0 ? [] : [{ topic: 't', partitions: forgotten }],
    })
  }

  /** The partitions that the answer names. */
  take(answer: ResponseOf<typeof Fetch>): number[] {
    assert.equal(answer.errorCode, 0)
    this.#id = answer.sessionId
    this.#epoch += 1
    const named = answer.responses.flatMap(({ partitions }) => partitions)
    for (const { partitionIndex, records } of named) {
      const values = valuesIn(records)
      this.received[partitionIndex]?.push(...values)
      if (values.length > 0) this.#changed.add(partitionIndex)
    }
    return named.map(({ partitionIndex }) => partitionIndex)
  }

  async fetch(maxBytes?: number): Promise<number[]> {
    return this.take(await this.#client.clock.until(this.begin(0, maxBytes)))
  }
}

async function open() {
  const world = await new World().start()
  const client = await world.connect()
  await client.createTopic('t', count)
  const consumer = new SessionConsumer(await world.connect())
  await consumer.fetch()
  await consumer.fetch()
  return { world, client, consumer }
}

test('a request that waits is woken by any of many partitions, and answered with that one alone', async () => {
  const { world, client, consumer } = await open()
  const answer = consumer.begin(60_000)
  await world.clock.settle()
  await client.produce('t', ['elsewhere'], 1)
  assert.deepEqual(consumer.take(await world.clock.until(answer)), [0])
  assert.deepEqual(consumer.received[0], ['elsewhere'])
  assert.deepEqual(await consumer.fetch(), [])
})

test('what an answer had no room for is in the next ones, each partition in its turn', async () => {
  const { client, consumer } = await open()
  for (let round = 0; round < 2; round += 1)
    for (let partition = 0; partition < 20; partition += 1)
      await produce(client, partition, 'x'.repeat(100))
  const served: number[] = []
  for (let round = 0; round < 40; round += 1) served.push(...(await consumer.fetch(1)))
  const firsts = served.slice(0, 20).toSorted((one, other) => one - other)
  assert.deepEqual(
    firsts,
    Array.from({ length: 20 }, (_, index) => index),
  )
  assert.equal(consumer.received.flat().length, 40)
})

test('a partition that is forgotten is not told of; taken up again, it goes on where it was', async () => {
  const { client, consumer } = await open()
  consumer.forget(3)
  await consumer.fetch()
  await produce(client, 3, 'a')
  assert.deepEqual(await consumer.fetch(), [])
  consumer.takeUp(3)
  assert.deepEqual(await consumer.fetch(), [3])
})

test('nothing is missed, whatever is produced, forgotten or cut short', async () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('produce' as const), partition: fc.nat(count - 1) }),
    fc.record({ type: fc.constant('fetch' as const), maxBytes: fc.constantFrom(1, 200, 100_000) }),
    fc.record({ type: fc.constant('forget' as const), partition: fc.nat(3) }),
    fc.record({ type: fc.constant('take up' as const), partition: fc.nat(3) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { client, consumer } = await open()
      const produced = Array.from({ length: count }, (): string[] => [])
      for (const [number, one] of steps.entries()) {
        if (one.type === 'fetch') await consumer.fetch(one.maxBytes)
        else if (one.type === 'forget') consumer.forget(one.partition)
        else if (one.type === 'take up') consumer.takeUp(one.partition)
        else {
          await produce(client, one.partition, `${number}`)
          produced[one.partition]?.push(`${number}`)
        }
      }
      for (let partition = 0; partition <= 3; partition += 1) consumer.takeUp(partition)
      for (let round = 0; round < 3; round += 1) await consumer.fetch()
      assert.deepEqual(consumer.received, produced)
    }),
    { numRuns: 25 },
  )
})

async function produce(client: TestClient, partition: number, value: string): Promise<void> {
  const answer = await client.produceBytes('t', batchOf([value]), { partition, acks: 1 })
  assert.equal(answer.errorCode, 0)
}
