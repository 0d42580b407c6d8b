// Logs and groups for fake brokers: appends with sequence check, fetches, offsets, one-member
// groups.
import * as batch from '../../../src/kafka/records/batch.ts'
import { readRecords } from '../../../src/kafka/records/record.ts'
import { DescribeProducers } from '../../../src/kafka/messages/describe-producers.ts'
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
import { OffsetForLeaderEpoch } from '../../../src/kafka/messages/offset-for-leader-epoch.ts'
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

/** What a leader knows of a producer; the last five batches at most. */
interface KnownProducer {
  readonly epoch: number
  readonly next: number
  readonly recent: { readonly first: number; readonly end: number; readonly offset: number }[]
}

/** One partition: batches in order, and what each producer may send next. */
export class FakeLog {
  readonly batches: Buffer[] = []
  readonly #producers = new Map<number, KnownProducer>()
  startOffset = 0
  endOffset = 0
  leader: number
  leaderEpoch = 0

  constructor(leader: number) {
    this.leader = leader
  }

  /** Appends one batch as a leader does. */
  append(records: Buffer): { errorCode: number; baseOffset: number } {
    const bytes = Buffer.from(records)
    const producerId = batch.producerId(bytes, 0)
    const count = batch.recordCount(bytes, 0)
    if (producerId >= 0) {
      const epoch = batch.producerEpoch(bytes, 0)
      const first = batch.baseSequence(bytes, 0)
      const known = this.#producers.get(producerId) ?? { epoch, next: 0, recent: [] }
      if (epoch < known.epoch) return { errorCode: 47, baseOffset: -1 }
      const state = epoch > known.epoch ? { epoch, next: 0, recent: [] } : known
      const end = first + count
      const repeated = state.recent.find((one) => one.first === first && one.end === end)
      if (repeated !== undefined) return { errorCode: 0, baseOffset: repeated.offset }
      if (first !== state.next) return { errorCode: 45, baseOffset: -1 }
      const recent = [...state.recent.slice(-4), { first, end, offset: this.endOffset }]
      this.#producers.set(producerId, { epoch, next: end, recent })
    }
    const baseOffset = this.endOffset
    batch.setBaseOffset(bytes, 0, baseOffset)
    batch.setPartitionLeaderEpoch(bytes, 0, this.leaderEpoch)
    this.batches.push(bytes)
    this.endOffset += count
    return { errorCode: 0, baseOffset }
  }

  /** A leader that was stopped and started again has only each producer's last batch in mind. */
  restart(): void {
    for (const state of this.#producers.values()) state.recent.splice(0, state.recent.length - 1)
  }

  /** So many batches, the latest, are gone, and so is what producers had in them. */
  lose(count: number): void {
    for (const bytes of this.batches.splice(-count)) {
      const producerId = batch.producerId(bytes, 0)
      const epoch = batch.producerEpoch(bytes, 0)
      this.endOffset -= batch.recordCount(bytes, 0)
      const next = batch.baseSequence(bytes, 0)
      if (producerId >= 0) this.#producers.set(producerId, { epoch, next, recent: [] })
    }
  }

  /** As DescribeProducers shows them. */
  producers(): { producerId: number; producerEpoch: number; lastSequence: number }[] {
    return [...this.#producers].map(([producerId, { epoch, next }]) => {
      return { producerId, producerEpoch: epoch, lastSequence: next - 1 }
    })
  }

  /** Another leader, which has only what lies below `endOffset` of the old one's records. */
  elect(leader: number, endOffset = this.endOffset): void {
    this.leader = leader
    this.leaderEpoch += 1
    this.endOffset = endOffset
    while (batch.lastOffset(this.batches.at(-1) ?? Buffer.alloc(61), 0) >= endOffset) {
      if (this.batches.pop() === undefined) break
    }
  }

  /** Where the records of an epoch, or the newest one before it, end. */
  epochEnd(epoch: number): { leaderEpoch: number; endOffset: number } {
    if (epoch >= this.leaderEpoch) return { leaderEpoch: epoch, endOffset: this.endOffset }
    const later = this.batches.find((bytes) => batch.partitionLeaderEpoch(bytes, 0) > epoch)
    const endOffset = later === undefined ? this.endOffset : batch.baseOffset(later, 0)
    return { leaderEpoch: epoch, endOffset }
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
  /** Partition counts; tests may add topics later. */
  readonly topics: Record<string, number>
  readonly splitChunks?: boolean
  /** Brokers have topic ids and fetch by them. */
  readonly topicIds?: boolean
  readonly racks?: readonly string[]
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
    equip({ broker, brokers, logs, committed, settings, clock })
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
  readonly settings: WorldSettings
  readonly clock: VirtualClock
}

/** The id of a fake topic: its name, padded. */
export function topicIdOf(name: string): string {
  return Buffer.from(name.padEnd(16, '.')).toString('base64url')
}

const nameOfId = (id: string): string => Buffer.from(id, 'base64url').toString().replace(/\.+$/, '')

let producerIds = 1000

function equip(equipment: Equipment): void {
  const { broker } = equipment
  equipMetadata(equipment)
  equipData(equipment)
  equipGroups(equipment)
  broker.on(InitProducerId, () => ({ producerId: ++producerIds, producerEpoch: 0 }))
}

function equipMetadata({ broker, brokers, logs, settings }: Equipment): void {
  const { topics, topicIds = false, racks } = settings
  const describe = (name: string): object => {
    const count = topics[name]
    if (count === undefined) return { name, errorCode: 3 }
    const partitions = Array.from({ length: count }, (_, partitionIndex) => {
      const key = `${name}-${partitionIndex}`
      const log = logs.get(key) ?? new FakeLog((partitionIndex % brokers.length) + 1)
      logs.set(key, log)
      const { leader: leaderId, leaderEpoch } = log
      const replicaNodes = racks === undefined ? [leaderId] : brokers.map(({ nodeId }) => nodeId)
      return { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes: replicaNodes }
    })
    const isInternal = name.startsWith('__')
    return { name, isInternal, partitions, ...(topicIds ? { topicId: topicIdOf(name) } : {}) }
  }
  broker.on(
    Metadata,
    (request) => ({
      clusterId: 'fake',
      controllerId: 1,
      brokers: brokers.map(({ nodeId, host, port }, index) => {
        return { nodeId, host, port, rack: racks?.[index] ?? null }
      }),
      topics: (request.topics?.map(({ name }) => name ?? '') ?? Object.keys(topics)).map(describe),
    }),
    { max: topicIds ? 12 : 9 },
  )
}

function equipData({ broker, logs, clock, settings }: Equipment): void {
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
  broker.on(DescribeProducers, (request) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const log = find(name, partitionIndex)
        if (log === undefined) return { partitionIndex, errorCode: 6 }
        return { partitionIndex, activeProducers: log.producers() }
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
  broker.on(OffsetForLeaderEpoch, (request) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, leaderEpoch }) => {
        const log = find(topic, partition)
        if (log === undefined) return { partition, errorCode: 6 }
        return { partition, ...log.epochEnd(leaderEpoch) }
      }),
    })),
  }))
  equipFetch({ broker, logs, clock, settings })
}

interface FetchedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: number
}

interface FakeSession {
  readonly partitions: Map<string, FetchedPartition>
  epoch: number
}

/** Fetches as brokers from 1.1 on do: with sessions, in which only what changed is said. */
function equipFetch({
  broker,
  logs,
  clock,
  settings,
}: Omit<Equipment, 'brokers' | 'committed'>): void {
  const sessions = new Map<number, FakeSession>()
  let sessionIds = 100
  const { racks, topicIds = false } = settings
  const answer = ({ topic, partition, offset }: FetchedPartition): object | undefined => {
    const log = logs.get(`${topic}-${partition}`)
    const isReplica = log !== undefined && (log.leader === broker.nodeId || racks !== undefined)
    if (!isReplica) return { partitionIndex: partition, errorCode: 6, records: null }
    if (offset < log.startOffset || offset > log.endOffset) {
      return { partitionIndex: partition, errorCode: 1, records: null }
    }
    const records = log.from(offset)
    const empty = records.length === 0
    return empty ? undefined : { partitionIndex: partition, highWatermark: log.endOffset, records }
  }
  const gather = ({
    partitions,
  }: FakeSession): { topic: string; topicId: string; partitions: object[] }[] => {
    const found: { topic: string; topicId: string; partitions: object[] }[] = []
    for (const one of partitions.values()) {
      const data = answer(one)
      const { topic, topicId } = one
      if (data !== undefined) found.push({ topic, topicId, partitions: [data] })
    }
    return found
  }
  broker.on(
    Fetch,
    async (request, version) => {
      const known = sessions.get(request.sessionId)
      const begins = version < 7 || request.sessionEpoch <= 0
      if (!begins && known === undefined) return { errorCode: 70 }
      if (!begins && known?.epoch !== request.sessionEpoch) return { errorCode: 71 }
      const session = begins || known === undefined ? { partitions: new Map(), epoch: 0 } : known
      if (begins) sessions.delete(request.sessionId)
      for (const { topic, topicId, partitions } of request.topics) {
        const name = version >= 13 ? nameOfId(topicId) : topic
        for (const { partition, fetchOffset } of partitions) {
          const one = { topic: name, topicId, partition, offset: Number(fetchOffset) }
          session.partitions.set(`${name}-${partition}`, one)
        }
      }
      for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
        const name = version >= 13 ? nameOfId(topicId) : topic
        for (const partition of partitions) session.partitions.delete(`${name}-${partition}`)
      }
      const sessionId = begins && version >= 7 ? ++sessionIds : request.sessionId
      session.epoch += 1
      if (version >= 7) sessions.set(sessionId, session)
      let responses = gather(session)
      if (responses.length === 0) {
        await delay(clock, request.maxWaitMs)
        responses = gather(session)
      }
      return { sessionId, responses: responses as [] }
    },
    { max: topicIds ? 17 : 12 },
  )
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
