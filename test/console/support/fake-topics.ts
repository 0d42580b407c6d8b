// Topics in memory behind the console's interface to Kafka. Polls give at most a few records, of one
// partition at a time, so that what reads them has to go on asking.
import {
  type PartitionOffsets,
  type RawMessage,
  type TopicCursor,
  type TopicDetail,
  type TopicReader,
  type TopicSummary,
  UnknownTopicError,
} from '../../../src/console/kafka.ts'

export interface FakeTopic {
  readonly name: string
  readonly partitions: FakePartition[]
  readonly internal?: boolean
}

export interface FakePartition {
  begin: number
  /** Beyond the last record where transaction markers follow it. */
  end: number
  readonly records: RawMessage[]
}

export class FakeTopics implements TopicReader {
  readonly #topics = new Map<string, FakeTopic>()
  readonly #pollRecordsMax: number
  /** Called before each poll: to let time pass. */
  onPoll: () => void = () => {}
  openCursors = 0
  polledRecords = 0

  constructor(topics: readonly FakeTopic[], pollRecordsMax = 40) {
    for (const topic of topics) this.#topics.set(topic.name, topic)
    this.#pollRecordsMax = pollRecordsMax
  }

  cluster() {
    const brokers = [{ id: 0, host: 'broker-0', port: 9092 }]
    return Promise.resolve({ clusterId: 'fakeClusterId', controllerId: 0, brokers })
  }

  topics(): Promise<TopicSummary[]> {
    const summaries = [...this.#topics.values()].map((topic) => ({
      name: topic.name,
      internal: topic.internal ?? false,
      partitions: topic.partitions.length,
      replicas: 1,
      underReplicated: 0,
      offline: 0,
      messageCount: topic.partitions.reduce((sum, { begin, end }) => sum + end - begin, 0),
      sizeBytes: undefined,
    }))
    return Promise.resolve(summaries)
  }

  async topic(name: string): Promise<TopicDetail> {
    const topic = this.#topic(name)
    const partitions = topic.partitions.map(({ begin, end }, partition) => {
      return { partition, leader: 0, replicas: [0], inSync: [0], begin, end }
    })
    const configs = [
      { name: 'retention.ms', value: '86400000', isDefault: false },
      { name: 'cleanup.policy', value: 'delete', isDefault: true },
    ]
    return { name, internal: topic.internal ?? false, partitions, configs }
  }

  async offsets(name: string): Promise<PartitionOffsets[]> {
    return this.#topic(name).partitions.map(({ begin, end }, partition) => {
      return { partition, begin, end }
    })
  }

  async offsetsForTime(name: string, timestampMs: number): Promise<Map<number, number>> {
    const offsets = new Map<number, number>()
    for (const [partition, { records }] of this.#topic(name).partitions.entries()) {
      const found = records.find((record) => record.timestampMs >= timestampMs)
      if (found !== undefined) offsets.set(partition, found.offset)
    }
    return offsets
  }

  async open(name: string, starts: ReadonlyMap<number, number>): Promise<TopicCursor> {
    const { partitions } = this.#topic(name)
    const positions = new Map(starts)
    this.openCursors++
    return {
      poll: async () => {
        this.onPoll()
        for (const [number, position] of positions) {
          const partition = partitions[number]
          if (partition === undefined || position >= partition.end) continue
          const records = partition.records
            .filter(({ offset }) => offset >= position)
            .slice(0, this.#pollRecordsMax)
          const last = records.at(-1)
          const isLast = last === undefined || last === partition.records.at(-1)
          positions.set(number, isLast ? partition.end : last.offset + 1)
          this.polledRecords += records.length
          if (records.length > 0) return records
        }
        return []
      },
      position: (partition) => positions.get(partition) ?? 0,
      finish: (partition) => {
        positions.delete(partition)
      },
      close: async () => {
        this.openCursors--
      },
    }
  }

  async close(): Promise<void> {}

  #topic(name: string): FakeTopic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new UnknownTopicError(name)
    return topic
  }
}

/** A record whose value is the text. */
export function record(
  partition: number,
  offset: number,
  value: string | Buffer | null,
  more: Partial<RawMessage> = {},
): RawMessage {
  return {
    partition,
    offset,
    timestampMs: 1_000_000 + offset * 10 + partition,
    key: null,
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers: [],
    ...more,
  }
}
