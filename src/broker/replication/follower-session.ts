// Pure.
/**
 * The follower's side of a fetch session (KIP-227): what the next request to a leader has to name, so that
 * a round in which nothing happened costs nothing, however many partitions are followed.
 */

/** What a request says of one partition. */
export interface FollowedPosition {
  readonly topic: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  /** Of the follower's last record; told from version 12 on. */
  readonly lastFetchedEpoch: number
  readonly logStartOffset: number
  readonly partitionMaxBytes: number
}

interface TopicPositions {
  readonly topic: string
  readonly partitions: FollowedPosition[]
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly TopicPositions[]
  readonly forgottenTopicsData: readonly { topic: string; partitions: number[] }[]
}

const epochMax = 2147483647

export class FollowerSession {
  /** The version that is spoken has no sessions: every request names all. */
  readonly #isSessionless: boolean
  /** By `topic-partition`. */
  readonly #positions = new Map<string, FollowedPosition>()
  /** What the leader has not been told yet. */
  readonly #changed = new Set<string>()
  readonly #forgotten = new Map<string, { readonly topic: string; readonly partition: number }>()
  #id = 0
  /** Of the next request. */
  #epoch = 0

  constructor(options: { readonly isSessionless: boolean }) {
    this.#isSessionless = options.isSessionless
  }

  get size(): number {
    return this.#positions.size
  }

  set(key: string, position: FollowedPosition): void {
    this.#positions.set(key, position)
    this.#changed.add(key)
    this.#forgotten.delete(key)
  }

  remove(key: string): void {
    const position = this.#positions.get(key)
    if (position === undefined) return
    this.#positions.delete(key)
    this.#changed.delete(key)
    // Perhaps it is in a request that is on its way.
    this.#forgotten.set(key, { topic: position.topic, partition: position.partition })
  }

  /** What the next request names. It must be answered, or else `restart` be called. */
  next(): SessionRequest {
    const isFull = this.#isSessionless || this.#epoch === 0
    const keys = isFull ? this.#positions.keys() : this.#changed
    const topics = new Map<string, TopicPositions>()
    for (const key of keys) {
      const position = this.#positions.get(key)
      if (position === undefined) continue
      const { topic } = position
      let rows = topics.get(topic)
      if (rows === undefined) topics.set(topic, (rows = { topic, partitions: [] }))
      rows.partitions.push(position)
    }
    const forgottenTopicsData = isFull ? [] : this.#forgottenTopics()
    this.#changed.clear()
    this.#forgotten.clear()
    return {
      sessionId: this.#id,
      sessionEpoch: this.#isSessionless ? -1 : this.#epoch,
      topics: [...topics.values()],
      forgottenTopicsData,
    }
  }

  #forgottenTopics(): SessionRequest['forgottenTopicsData'] {
    const topics = new Map<string, { topic: string; partitions: number[] }>()
    for (const { topic, partition } of this.#forgotten.values()) {
      const row = topics.get(topic)
      if (row === undefined) topics.set(topic, { topic, partitions: [partition] })
      else row.partitions.push(partition)
    }
    return [...topics.values()]
  }

  /** The request was served; the answer gave this session, 0 where the leader keeps none. */
  answered(sessionId: number): void {
    if (this.#isSessionless) return
    if (sessionId === 0) {
      this.restart()
      this.#id = 0
      return
    }
    this.#epoch = this.#id === sessionId ? nextEpoch(this.#epoch) : 1
    this.#id = sessionId
  }

  /** The leader may not have, or know, what was sent: the next request begins anew, with everything. */
  restart(): void {
    this.#epoch = 0
    this.#changed.clear()
    this.#forgotten.clear()
  }
}

function nextEpoch(epoch: number): number {
  return epoch === epochMax ? 1 : epoch + 1
}
