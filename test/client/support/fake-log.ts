// Logs and groups for fake brokers: appends with sequence check, fetches, offsets, one-member
// groups.
import * as batch from '../../../src/kafka/records/batch.ts'
import { readRecords } from '../../../src/kafka/records/record.ts'
import { Fetch } from '../../../src/kafka/messages/fetch.ts'
import { FindCoordinator } from '../../../src/kafka/messages/find-coordinator.ts'
import { Heartbeat } from '../../../src/kafka/messages/heartbeat.ts'
import { InitProducerId } from '../../../src/kafka/messages/init-producer-id.ts'
import { JoinGroup } from '../../../src/kafka/messages/join-group.ts'
import { LeaveGroup } from '../../../src/kafka/messages/leave-group.ts'
import { ListOffsets } from '../../../src/kafka/messages/list-offsets.ts'
import { Metadata } from '../../../src/kafka/messages/metadata.ts'
import { OffsetCommit } from '../../../src/kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../../../src/kafka/messages/offset-fetch.ts'
import { Produce } from '../../../src/kafka/messages/produce.ts'
import { SyncGroup } from '../../../src/kafka/messages/sync-group.ts'
import { VirtualClock } from '../../../src/memory/clock.ts'
import { MemoryNetwork } from '../../../src/memory/network.ts'
import { SeededRandom } from '../../../src/memory/random.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { delay } from '../../../src/runtime/clock.ts'
import { KafkaClient } from '../../../src/client/client.ts'
import type { ClientSettings } from '../../../src/client/settings.ts'
import { FakeBroker } from './fake-broker.ts'

/** One partition: batches in order, and what each producer may send next. */
export class FakeLog {
  readonly batches: Buffer[] = []
  readonly #next = new Map<string, number>()
  readonly #lastFirst = new Map<string, { sequence: number; offset: number }[]>()
  startOffset = 0
  endOffset = 0
  leader: number

  constructor(leader: number) {
    this.leader = leader
  }

  /** Appends one batch as a leader does. */
  append(records: Buffer): { errorCode: number; baseOffset: number } {
    const bytes = Buffer.from(records)
    const producerId = batch.producerId(bytes, 0)
    const count = batch.recordCount(bytes, 0)
    if (producerId >= 0) {
      const key = `${producerId}/${batch.producerEpoch(bytes, 0)}`
      const sequence = batch.baseSequence(bytes, 0)
      const known = this.#lastFirst.get(key) ?? []
      const repeated = known.find((one) => one.sequence === sequence)
      if (repeated !== undefined) return { errorCode: 0, baseOffset: repeated.offset }
      if (sequence !== (this.#next.get(key) ?? 0)) return { errorCode: 45, baseOffset: -1 }
      this.#next.set(key, sequence + count)
      this.#lastFirst.set(key, [...known.slice(-4), { sequence, offset: this.endOffset }])
    }
    const baseOffset = this.endOffset
    batch.setBaseOffset(bytes, 0, baseOffset)
    this.batches.push(bytes)
    this.endOffset += count
    return { errorCode: 0, baseOffset }
  }

  /** Whole batches from the one that holds `offset`. */
  from(offset: number): Buffer {
    return Buffer.concat(this.batches.filter((bytes) => batch.lastOffset(bytes, 0) >= offset))
  }

  values(): string[] {
    return this.batches
      .flatMap((bytes) => readRecords(bytes, 0))
      .map(({ value }) => value?.toString() ?? '')
  }
}

export interface World {
  readonly clock: VirtualClock
  readonly network: MemoryNetwork
  readonly brokers: readonly FakeBroker[]
  readonly logs: Map<string, FakeLog>
  readonly committed: Map<string, number>
  readonly client: KafkaClient
  log(topic: string, partition: number): FakeLog
}

export interface WorldSettings {
  readonly seed?: number
  readonly brokers?: number
  readonly topics: Readonly<Record<string, number>>
  readonly splitChunks?: boolean
  readonly client?: Partial<ClientSettings>
}

/** Brokers 1 to n on ports 9001 and up, partitions led in turn, and a client of theirs. */
export async function createWorld(settings: WorldSettings): Promise<World> {
  const clock = new VirtualClock()
  const random = new SeededRandom(settings.seed ?? 1)
  const network = new MemoryNetwork(
    { clock, random },
    { splitChunks: settings.splitChunks ?? false, latencyMs: 1 },
  )
  const count = settings.brokers ?? 1
  const brokers = Array.from({ length: count }, (_, index) => {
    return new FakeBroker(network, 'localhost', 9001 + index, index + 1)
  })
  const logs = new Map<string, FakeLog>()
  for (const [topic, partitions] of Object.entries(settings.topics)) {
    for (let partition = 0; partition < partitions; partition++) {
      logs.set(`${topic}-${partition}`, new FakeLog((partition % count) + 1))
    }
  }
  const committed = new Map<string, number>()
  for (const broker of brokers) {
    equip({ broker, brokers, logs, committed, topics: settings.topics, clock })
    await broker.start()
  }
  const client = new KafkaClient(
    { clock, network, random, logger: silentLogger },
    { bootstrapServers: ['localhost:9001'], ...settings.client },
  )
  const log = (topic: string, partition: number): FakeLog => {
    const found = logs.get(`${topic}-${partition}`)
    if (found === undefined) throw new Error(`no log ${topic}-${partition}`)
    return found
  }
  return { clock, network, brokers, logs, committed, client, log }
}

interface Equipment {
  readonly broker: FakeBroker
  readonly brokers: readonly FakeBroker[]
  readonly logs: Map<string, FakeLog>
  readonly committed: Map<string, number>
  readonly topics: Readonly<Record<string, number>>
  readonly clock: VirtualClock
}

let producerIds = 1000

function equip(equipment: Equipment): void {
  const { broker } = equipment
  equipMetadata(equipment)
  equipData(equipment)
  equipGroups(equipment)
  broker.on(InitProducerId, () => ({ producerId: ++producerIds, producerEpoch: 0 }))
}

function equipMetadata({ broker, brokers, logs, topics }: Equipment): void {
  const describe = (name: string): object => {
    const count = topics[name]
    if (count === undefined) return { name, errorCode: 3 }
    const partitions = Array.from({ length: count }, (_, partitionIndex) => {
      const leaderId = logs.get(`${name}-${partitionIndex}`)?.leader ?? -1
      return { partitionIndex, leaderId, replicaNodes: [leaderId], isrNodes: [leaderId] }
    })
    return { name, partitions }
  }
  broker.on(
    Metadata,
    (request) => ({
      clusterId: 'fake',
      controllerId: 1,
      brokers: brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      topics: (request.topics?.map(({ name }) => name ?? '') ?? Object.keys(topics)).map(describe),
    }),
    { max: 9 },
  )
}

function equipData({ broker, logs, clock }: Equipment): void {
  const find = (topic: string, partition: number): FakeLog | undefined => {
    const log = logs.get(`${topic}-${partition}`)
    return log?.leader === broker.nodeId ? log : undefined
  }
  broker.on(Produce, (request) => ({
    responses: request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const log = find(name, index)
        if (log === undefined || records === null) return { index, errorCode: 6, baseOffset: -1 }
        return { index, ...log.append(records) }
      }),
    })),
  }))
  broker.on(ListOffsets, (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => {
        const log = find(name, partitionIndex)
        if (log === undefined) return { partitionIndex, errorCode: 6 }
        const offset = timestamp === -2 ? log.startOffset : log.endOffset
        return { partitionIndex, offset, timestamp: -1 }
      }),
    })),
  }))
  broker.on(Fetch, async (request) => {
    let found = 0
    const responses = request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, fetchOffset }) => {
        const log = find(topic, partition)
        const offset = Number(fetchOffset)
        if (log === undefined) return { partitionIndex: partition, errorCode: 6 }
        if (offset < log.startOffset || offset > log.endOffset) {
          return { partitionIndex: partition, errorCode: 1 }
        }
        const records = log.from(offset)
        found += records.length
        return { partitionIndex: partition, highWatermark: log.endOffset, records }
      }),
    }))
    const failed = responses.some(({ partitions }) => partitions.some((one) => 'errorCode' in one))
    if (found === 0 && !failed) await delay(clock, request.maxWaitMs)
    return { responses }
  })
}

function equipGroups({ broker, brokers, committed }: Equipment): void {
  let generationId = 0
  broker.on(FindCoordinator, () => {
    const { nodeId, host, port } = brokers[0] ?? broker
    return { nodeId, host, port }
  })
  broker.on(JoinGroup, (request) => {
    generationId += 1
    const memberId = request.memberId === '' ? 'member-1' : request.memberId
    const { metadata } = request.protocols[0] ?? { metadata: Buffer.alloc(0) }
    const protocolName = request.protocols[0]?.name ?? ''
    return {
      generationId,
      protocolName,
      leader: memberId,
      memberId,
      members: [{ memberId, metadata }],
    }
  })
  broker.on(SyncGroup, (request) => ({
    assignment: request.assignments[0]?.assignment ?? Buffer.alloc(0),
  }))
  broker.on(Heartbeat, () => ({ errorCode: 0 }))
  broker.on(LeaveGroup, () => ({ errorCode: 0 }))
  broker.on(OffsetCommit, (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, committedOffset }) => {
        committed.set(`${name}-${partitionIndex}`, Number(committedOffset))
        return { partitionIndex, errorCode: 0 }
      }),
    })),
  }))
  broker.on(OffsetFetch, (request) => ({
    topics: (request.topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: committed.get(`${name}-${partitionIndex}`) ?? -1,
        metadata: '',
      })),
    })),
  }))
}
