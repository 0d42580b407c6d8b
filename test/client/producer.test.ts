// The producer against fake brokers: what is acknowledged is in the log once, whatever goes wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Producer, RecordMetadata } from '../../src/client/producer/types.ts'
import { ListOffsets } from '../../src/kafka/messages/list-offsets.ts'
import { DescribeProducers } from '../../src/kafka/messages/describe-producers.ts'
import { InitProducerId } from '../../src/kafka/messages/init-producer-id.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import * as batch from '../../src/kafka/records/batch.ts'
import { readAllRecords } from '../../src/kafka/records/read.ts'
import type { FakeBroker } from './support/fake-broker.ts'
import { createWorld, type FakeLog, type World } from './support/fake-log.ts'

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}`)

function sendAll(
  producer: Producer,
  values: readonly string[],
  partition = 0,
): Promise<RecordMetadata>[] {
  return values.map((value) => producer.send({ topic: 't', partition, value: Buffer.from(value) }))
}

/** Producer epoch and sequence number of each batch. */
function identities({ batches }: FakeLog): number[][] {
  return batches.map((bytes) => [batch.producerEpoch(bytes, 0), batch.baseSequence(bytes, 0)])
}

function only(world: World): FakeBroker {
  const [broker] = world.brokers
  assert.ok(broker !== undefined)
  return broker
}

test('records of one turn leave in one batch, and their offsets follow each other', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const sent = sendAll(world.client.producer(), numbers(5))
  const placed = await world.clock.until(Promise.all(sent))
  assert.deepEqual(
    placed.map(({ offset }) => offset),
    [0, 1, 2, 3, 4],
  )
  assert.equal(world.log('t', 0).batches.length, 1)
  assert.equal(placed[0]?.timestamp, world.clock.now() - world.clock.monotonicMs())
})

test('a leader that moved is found, and the record arrives once', async () => {
  const world = await createWorld({ topics: { t: 1 }, brokers: 2 })
  const producer = world.client.producer()
  await world.clock.until(Promise.all(sendAll(producer, ['before'])))
  world.log('t', 0).leader = 2
  await world.clock.until(Promise.all(sendAll(producer, ['after'])))
  assert.deepEqual(world.log('t', 0).values(), ['before', 'after'])
})

test('an answer that gets lost is no duplicate: the retry carries the same sequence', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  broker.once(Produce, (request) => {
    world.log('t', 0).append(request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0))
    return 'reset'
  })
  const placed = await world.clock.until(Promise.all(sendAll(world.client.producer(), ['once'])))
  assert.deepEqual(world.log('t', 0).values(), ['once'])
  assert.equal(placed[0]?.offset, 0)
  const sequences = broker.requests(Produce).map((request) => {
    return batch.baseSequence(
      request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(99),
      0,
    )
  })
  assert.deepEqual(sequences, [0, 0])
})

test('a broker that forgot our sequence numbers is given new ones', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const producer = world.client.producer()
  await world.clock.until(Promise.all(sendAll(producer, ['a'])))
  broker.once(Produce, () => ({
    responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 59, baseOffset: -1 }] }],
  }))
  await world.clock.until(Promise.all(sendAll(producer, ['b'])))
  await world.clock.until(Promise.all(sendAll(producer, ['c'])))
  assert.deepEqual(world.log('t', 0).values(), ['a', 'b', 'c'])
  assert.equal(broker.count(InitProducerId), 1)
  assert.deepEqual(identities(world.log('t', 0)), [
    [0, 0],
    [1, 0],
    [1, 1],
  ])
})

test('a leader that forgot a batch of unknown fate is asked for it, and has it once', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const log = world.log('t', 0)
  const producer = world.client.producer({ batchBytes: 70, deliveryTimeoutMs: Infinity })
  await world.clock.until(Promise.all(sendAll(producer, ['a'])))
  // Two batches on their way are written; then their answers are lost with the leader's memory.
  for (const reaction of ['silence', 'reset'] as const) {
    broker.once(Produce, (request) => {
      log.append(request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0))
      log.restart()
      return reaction
    })
  }
  const sent = sendAll(producer, ['b', 'c', 'd'])
  const placed = await world.clock.until(Promise.all(sent))
  assert.deepEqual(log.values(), ['a', 'b', 'c', 'd'])
  assert.equal(placed[2]?.offset, 3)
  assert.equal(identities(log).at(-1)?.[0], 0)
})

test('what only the leader has is not taken for acknowledged: lost with it, it is sent again', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const log = world.log('t', 0)
  const producer = world.client.producer({ batchBytes: 70, deliveryTimeoutMs: Infinity })
  await world.clock.until(Promise.all(sendAll(producer, ['a'])))
  for (const reaction of ['silence', 'reset'] as const) {
    broker.once(Produce, (request) => {
      log.append(request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0))
      log.restart()
      return reaction
    })
  }
  // The in-sync set has the first record only, and what it does not have goes with the leader.
  broker.once(ListOffsets, () => {
    log.lose(1)
    const partitions = [{ partitionIndex: 0, offset: 1, timestamp: -1 }]
    return { topics: [{ name: 't', partitions }] }
  })
  await world.clock.until(Promise.all(sendAll(producer, ['b', 'c', 'd'])))
  assert.deepEqual(log.values(), ['a', 'b', 'c', 'd'])
})

test('what a leader lost is sent again, and an older broker that cannot be asked fails it', async () => {
  for (const isOld of [false, true]) {
    const world = await createWorld({ topics: { t: 1 } })
    const broker = only(world)
    if (isOld) broker.on(DescribeProducers, () => 'reset', { min: 9, max: 9 })
    const log = world.log('t', 0)
    const producer = world.client.producer({ batchBytes: 70, deliveryTimeoutMs: Infinity })
    await world.clock.until(Promise.all(sendAll(producer, ['a', 'b'])))
    for (let copies = 0; copies < 3; copies++) broker.once(Produce, () => 'reset')
    const sent = sendAll(producer, ['c', 'd', 'e'])
    log.lose(1)
    const outcomes = await world.clock.until(Promise.allSettled(sent))
    const expected = isOld ? 'rejected' : 'fulfilled'
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [expected, expected, expected],
    )
    await world.clock.until(Promise.all(sendAll(producer, ['f'])))
    assert.deepEqual(log.values(), isOld ? ['a', 'f'] : ['a', 'c', 'd', 'e', 'f'])
  }
})

test('an older broker cannot be asked: what it may have written fails rather than be there twice', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  broker.on(DescribeProducers, () => 'reset', { min: 9, max: 9 })
  const producer = world.client.producer()
  await world.clock.until(Promise.all(sendAll(producer, ['a'])))
  broker.once(Produce, () => 'reset')
  broker.once(Produce, () => ({
    responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 45, baseOffset: -1 }] }],
  }))
  const [doubtful] = sendAll(producer, ['b'])
  assert.ok(doubtful !== undefined)
  await world.clock.until(
    assert.rejects(doubtful, { code: 45, errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
  )
  await world.clock.until(Promise.all(sendAll(producer, ['c'])))
  assert.deepEqual(world.log('t', 0).values(), ['a', 'c'])
})

test('a refused record fails alone, and what follows goes on with another identity', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const producer = world.client.producer()
  broker.once(Produce, () => ({
    responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 87, baseOffset: -1 }] }],
  }))
  const [refused] = sendAll(producer, ['bad'])
  assert.ok(refused !== undefined)
  await world.clock.until(assert.rejects(refused, { code: 87, errorName: 'INVALID_RECORD' }))
  await world.clock.until(Promise.all(sendAll(producer, ['good'])))
  assert.deepEqual(world.log('t', 0).values(), ['good'])
})

test('a batch that is too large as a whole is split until it fits', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const tooLarge = {
    responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 10, baseOffset: -1 }] }],
  }
  broker.on(Produce, (request) => {
    const records = request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0)
    if (batch.recordCount(records, 0) > 2) return tooLarge
    const appended = world.log('t', 0).append(records)
    return { responses: [{ name: 't', partitionResponses: [{ index: 0, ...appended }] }] }
  })
  await world.clock.until(Promise.all(sendAll(world.client.producer(), numbers(7))))
  assert.deepEqual(world.log('t', 0).values(), numbers(7))
})

test('brokers before 0.11 get message sets of format v1, without numbers', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const received: Buffer[] = []
  broker.on(
    Produce,
    (request) => {
      received.push(request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0))
      return { responses: [{ name: 't', partitionResponses: [{ index: 0, baseOffset: 0 }] }] }
    },
    { max: 2 },
  )
  broker.on(InitProducerId, () => 'reset', { min: 9, max: 9 })
  const producer = world.client.producer()
  await world.clock.until(Promise.all(sendAll(producer, ['a', 'b'])))
  assert.deepEqual(
    received.map((bytes) => batch.magic(bytes, 0)),
    [1],
  )
  assert.deepEqual(
    readAllRecords(received[0] ?? Buffer.alloc(0)).map(({ value }) => String(value)),
    ['a', 'b'],
  )
  const record = { topic: 't', value: null, headers: [{ key: 'h', value: null }] }
  await world.clock.until(assert.rejects(producer.send(record), /cannot keep record headers/))
})

test('without numbers order is kept all the same: one batch of a partition at a time', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const producer = world.client.producer({ idempotence: false, batchBytes: 1 })
  broker.once(Produce, () => 'reset')
  await world.clock.until(Promise.all(sendAll(producer, numbers(6))))
  assert.deepEqual(world.log('t', 0).values(), numbers(6))
})

test('what is not acknowledged in time fails, and names why', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  broker.on(Produce, () => ({
    responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 19, baseOffset: -1 }] }],
  }))
  const producer = world.client.producer({ deliveryTimeoutMs: 3000 })
  const [late] = sendAll(producer, ['a'])
  assert.ok(late !== undefined)
  await world.clock.until(
    assert.rejects(late, (error: Error & { errorName: string }) => {
      assert.equal(error.errorName, 'DELIVERY_TIMEOUT')
      assert.match(String(error.cause), /NOT_ENOUGH_REPLICAS/)
      return true
    }),
  )
  assert.equal(producer.bufferedBytes, 0)
})

test('with an infinite delivery time a broker may be away for hours', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const producer = world.client.producer({ deliveryTimeoutMs: Infinity })
  await world.clock.until(Promise.all(sendAll(producer, ['a'])))
  await broker.stop()
  const sent = Promise.all(sendAll(producer, ['b', 'c']))
  await world.clock.advance(3 * 3_600_000)
  await broker.start()
  await world.clock.until(sent)
  assert.deepEqual(world.log('t', 0).values(), ['a', 'b', 'c'])
})

test('a topic that is missing is waited for, one that may not be used is refused', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  broker.once(Metadata, () => ({
    brokers: [{ nodeId: 1, host: 'localhost', port: 9001 }],
    topics: [{ name: 't', errorCode: 5 }],
  }))
  const producer = world.client.producer()
  await world.clock.until(Promise.all(sendAll(producer, ['a', 'b'])))
  assert.deepEqual(world.log('t', 0).values(), ['a', 'b'])
  broker.once(Metadata, () => ({
    brokers: [{ nodeId: 1, host: 'localhost', port: 9001 }],
    topics: [{ name: 'secret', errorCode: 29 }],
  }))
  const secret = producer.send({ topic: 'secret', value: null })
  await world.clock.until(assert.rejects(secret, { errorName: 'TOPIC_AUTHORIZATION_FAILED' }))
  const missing = producer.send({ topic: 'missing', value: null })
  await world.clock.until(assert.rejects(missing, { errorName: 'DELIVERY_TIMEOUT' }))
  const nowhere = producer.send({ topic: 't', partition: 9, value: null })
  await world.clock.until(assert.rejects(nowhere, { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' }))
})

test('ready waits while the buffer is full, until records are acknowledged', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const producer = world.client.producer({ bufferMemoryBytes: 1000, lingerMs: 60_000 })
  const sent = sendAll(producer, ['x'.repeat(2000)])
  let isReady = false
  void producer.ready().then(() => {
    isReady = true
  })
  await world.clock.advance(0)
  assert.equal(isReady, false)
  // A full buffer does not linger.
  await world.clock.until(Promise.all(sent), 1000)
  await world.clock.until(producer.ready())
  assert.equal(isReady, true)
})

test('flush sends what lingers; close flushes, then refuses more', async () => {
  const world = await createWorld({ topics: { t: 2 } })
  const producer = world.client.producer({ lingerMs: 60_000 })
  const sent = [...sendAll(producer, ['a']), ...sendAll(producer, ['b'], 1)]
  await world.clock.until(producer.flush(), 1000)
  await world.clock.until(Promise.all(sent), 0)
  const last = sendAll(producer, ['c'])
  await world.clock.until(producer.close(), 1000)
  await world.clock.until(Promise.all(last), 0)
  await world.clock.until(
    assert.rejects(producer.send({ topic: 't', value: null }), /CLIENT_CLOSED/),
  )
  assert.deepEqual(world.log('t', 0).values(), ['a', 'c'])
})

test('close with a limit fails what could not be sent', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  await only(world).stop()
  const producer = world.client.producer()
  const [stuck] = sendAll(producer, ['a'])
  assert.ok(stuck !== undefined)
  const refused = assert.rejects(stuck, { errorName: 'CLIENT_CLOSED' })
  await world.clock.until(producer.close({ timeoutMs: 2000 }))
  await world.clock.until(refused)
  assert.equal(producer.bufferedBytes, 0)
})

test('acks 0 sends and does not wait', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const placed = await world.clock.until(
    Promise.all(sendAll(world.client.producer({ acks: 0 }), ['a', 'b'])),
  )
  assert.deepEqual(
    placed.map(({ offset }) => offset),
    [-1, -1],
  )
  await world.clock.advance(100)
  assert.deepEqual(world.log('t', 0).values(), ['a', 'b'])
})

test('idempotence that is required and impossible fails every record', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  only(world).on(InitProducerId, () => ({ errorCode: 31, producerId: -1 }))
  const producer = world.client.producer({ idempotence: true })
  const [refused] = sendAll(producer, ['a'])
  assert.ok(refused !== undefined)
  await world.clock.until(assert.rejects(refused, { code: 31 }))
  const relaxed = world.client.producer()
  await world.clock.until(Promise.all(sendAll(relaxed, ['b'])))
  assert.deepEqual(world.log('t', 0).values(), ['b'])
})

test('whatever requests and answers get lost, all arrives once and in order', async () => {
  const fault = fc.constantFrom('none', 'request lost', 'answer lost', 'refused', 'moved')
  const property = fc.asyncProperty(
    fc.array(fault, { maxLength: 12 }),
    fc.integer({ min: 1, max: 40 }),
    fc.nat(1000),
    async (faults, count, seed) => {
      const world = await createWorld({ topics: { t: 2 }, brokers: 2, seed, splitChunks: true })
      for (const broker of world.brokers) {
        for (const what of faults) {
          if (what === 'none') continue
          broker.once(Produce, (request) => {
            const parts = request.topicData.flatMap(({ partitionData }) => partitionData)
            if (what === 'answer lost') {
              for (const { index, records } of parts) {
                const log = world.log('t', index)
                if (records !== null && log.leader === broker.nodeId) log.append(records)
              }
            }
            if (what === 'moved') for (const { index } of parts) world.log('t', index).leader ^= 3
            if (what === 'request lost' || what === 'answer lost') return 'reset'
            const errorCode = what === 'moved' ? 6 : 7
            const partitionResponses = parts.map(({ index }) => ({
              index,
              errorCode,
              baseOffset: -1,
            }))
            return { responses: [{ name: 't', partitionResponses }] }
          })
        }
      }
      const producer = world.client.producer({ batchBytes: 120, deliveryTimeoutMs: Infinity })
      const sent = [
        ...sendAll(producer, numbers(count), 0),
        ...sendAll(producer, numbers(count), 1),
      ]
      await world.clock.until(Promise.all(sent))
      assert.deepEqual(world.log('t', 0).values(), numbers(count))
      assert.deepEqual(world.log('t', 1).values(), numbers(count))
    },
  )
  await fc.assert(property, { numRuns: 40 })
})

test('a callback is told what a promise would be, and one that throws harms nobody', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const producer = world.client.producer()
  const told: (string | number | undefined)[] = []
  const send = (value: string, fails = false): void => {
    producer.sendWithCallback({ topic: 't', value: Buffer.from(value) }, (error, metadata) => {
      told.push(error?.errorName ?? metadata?.offset)
      if (fails) throw new Error('the application is broken')
    })
  }
  send('a', true)
  send('b')
  assert.equal(told.length, 0)
  await world.clock.until(producer.flush())
  assert.equal(told.join(), '0,1')
  broker.once(Produce, () => ({
    responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 87, baseOffset: -1 }] }],
  }))
  send('c', true)
  send('d')
  await world.clock.until(producer.flush())
  send('x'.repeat(2_000_000))
  producer.sendWithCallback({ topic: 't', partition: 5, value: null }, (error) => {
    told.push(error?.errorName)
  })
  assert.equal(told.length, 4)
  await world.clock.until(producer.close())
  send('e')
  await world.clock.advance(1)
  const invalid = ['INVALID_RECORD', 'INVALID_RECORD']
  const refused = ['MESSAGE_TOO_LARGE', 'UNKNOWN_TOPIC_OR_PARTITION', 'CLIENT_CLOSED']
  assert.deepEqual(told, [0, 1, ...invalid, ...refused])
  assert.equal(producer.bufferedBytes, 0)
})

test('buffers may be used again once a record was taken', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const producer = world.client.producer()
  await world.clock.until(Promise.all(sendAll(producer, ['first'])))
  const value = Buffer.from('a')
  const sent = ['a', 'b', 'c'].map((text) => {
    value.write(text)
    return producer.send({ topic: 't', value })
  })
  value.write('z')
  await world.clock.until(Promise.all(sent))
  assert.deepEqual(world.log('t', 0).values(), ['first', 'a', 'b', 'c'])
})

test('a record whose answer is outstanding fails when its time is up, not a request later', async () => {
  const world = await createWorld({ topics: { t: 1 } })
  const broker = only(world)
  const producer = world.client.producer({ deliveryTimeoutMs: 3000 })
  await world.clock.until(Promise.all(sendAll(producer, ['a'])))
  broker.once(Produce, (request) => {
    const appended = world
      .log('t', 0)
      .append(request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0))
    assert.equal(appended.errorCode, 0)
    return 'silence'
  })
  const startMs = world.clock.monotonicMs()
  const [late] = sendAll(producer, ['b'])
  assert.ok(late !== undefined)
  await world.clock.until(assert.rejects(late, { errorName: 'DELIVERY_TIMEOUT' }))
  assert.ok(world.clock.monotonicMs() - startMs < 3100)
  assert.equal(producer.bufferedBytes, 0)
  // The connection's own time-out ends the silence; then numbering begins anew.
  await world.clock.advance(40_000)
  await world.clock.until(Promise.all(sendAll(producer, ['c'])))
  assert.deepEqual(world.log('t', 0).values(), ['a', 'b', 'c'])
})

test('a topic nothing was sent to for long is forgotten, and its numbers are not used again', async () => {
  const world = await createWorld({
    topics: { t: 1, u: 1 },
    client: { metadataMaxAgeMs: 1000 },
  })
  const broker = only(world)
  const producer = world.client.producer({ topicIdleMs: 10_000 })
  const send = (topic: string): Promise<unknown> =>
    world.clock.until(producer.send({ topic, value: Buffer.from(topic) }))
  await send('t')
  for (let round = 0; round < 25; round++) {
    await world.clock.advance(1000)
    await send('u')
  }
  const asked = broker
    .requests(Metadata)
    .at(-1)
    ?.topics?.map(({ name }) => name)
  assert.deepEqual(asked, ['u'])
  await send('t')
  await send('t')
  assert.deepEqual(world.log('t', 0).values(), ['t', 't', 't'])
  assert.deepEqual(identities(world.log('t', 0)), [
    [0, 0],
    [1, 0],
    [1, 1],
  ])
  assert.equal(world.log('u', 0).values().length, 25)
})

test('an application may end the retries of a batch', async () => {
  const tried: string[] = []
  const world = await createWorld({
    topics: { t: 1 },
    client: {
      onRetry: ({ what, error, failures }) => {
        if (what !== 'produce') return undefined
        tried.push(error.errorName)
        return failures === 3 ? 'giveUp' : undefined
      },
    },
  })
  only(world).on(Produce, () => ({
    responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 19, baseOffset: -1 }] }],
  }))
  const [refused] = sendAll(world.client.producer(), ['a'])
  assert.ok(refused !== undefined)
  await world.clock.until(assert.rejects(refused, { errorName: 'NOT_ENOUGH_REPLICAS' }))
  assert.deepEqual(tried, Array<string>(3).fill('NOT_ENOUGH_REPLICAS'))
})
