// Pure.
// A fetch session with one broker (KIP-227): the broker remembers which partitions we read and
// where, so a request names only what changed since the last one. Brokers before 1.1 have none, and
// one that is short of memory grants none: then every request names all.

/** One partition as a fetch request asks for it. */
export interface FetchTarget {
  readonly topic: string
  /** Undefined where brokers have no topic ids. */
  readonly topicId: string | undefined
  readonly partition: number
  readonly fetchOffset: number
  /** -1: unknown. */
  readonly leaderEpoch: number
  readonly bytesMax: number
}

export interface SessionRequest<P> {
  readonly sessionId: number
  readonly sessionEpoch: number
  /** Topics go by id, in requests of version 13 and newer. */
  readonly byId: boolean
  readonly wanted: readonly FetchTarget[]
  readonly forgotten: readonly FetchTarget[]
  readonly asked: AskedPartitions<P>
}

/** Finds a partition of the request by what the answer calls it. */
export interface AskedPartitions<P> {
  get(topic: string, partition: number): P | undefined
}

interface Sent<P> {
  readonly target: FetchTarget
  readonly owner: P
}

const firstEpoch = 1
const lastEpoch = 0x7fffffff
/** Asks for a session. */
const noEpoch = 0

export class FetchSession<P> {
  #id = 0
  #epoch = noEpoch
  #byId = false
  /** What the broker remembers, or will once it has the next request. */
  #sent = new Map<P, Sent<P>>()
  #byName = new Map<string, Sent<P>>()

  /** How many partitions it has. */
  get size(): number {
    return this.#sent.size
  }

  /** The next request must name all partitions. */
  get isFull(): boolean {
    return this.#epoch === noEpoch
  }

  /** Whether requests go by topic id; a change begins a new session. */
  useIds(byId: boolean): void {
    if (byId === this.#byId) return
    this.#byId = byId
    this.#epoch = noEpoch
  }

  /**
   * The next request. `changed`: partitions whose target may differ from what was sent, `all` those
   * that are to be read, in order; a full request names these.
   */
  next(
    changed: Iterable<P>,
    all: Iterable<P>,
    targetOf: (partition: P) => FetchTarget | undefined,
  ): SessionRequest<P> {
    const wanted: FetchTarget[] = []
    const forgotten = new Map<string, FetchTarget>()
    const targets = new Map<P, FetchTarget>()
    if (this.isFull) {
      this.#sent = new Map()
      this.#byName = new Map()
    }
    for (const owner of this.isFull ? all : changed) {
      const target = targetOf(owner)
      if (target === undefined) this.#forget(owner, forgotten)
      else targets.set(owner, target)
    }
    // Brokers forget after they have remembered: what comes back under the same name must not go.
    for (const [owner, target] of targets) {
      if (this.#want(owner, target, forgotten)) wanted.push(target)
      forgotten.delete(this.#nameOf(target))
    }
    const asked = {
      get: (topic: string, partition: number) => this.#byName.get(`${partition} ${topic}`)?.owner,
    }
    const [sessionId, sessionEpoch] = [this.#id, this.#epoch]
    return {
      sessionId,
      sessionEpoch,
      byId: this.#byId,
      wanted,
      forgotten: [...forgotten.values()],
      asked,
    }
  }

  /** The answer to the last request came, without an error of its own. */
  onAnswer(sessionId: number): void {
    this.#id = sessionId
    if (sessionId === 0) this.#epoch = noEpoch
    else this.#epoch = this.#epoch === lastEpoch ? firstEpoch : this.#epoch + 1
  }

  /** No answer, or an error: what the broker remembers is unknown. */
  onFailure(options: { readonly unknownId?: boolean } = {}): void {
    if (options.unknownId === true) this.#id = 0
    this.#epoch = noEpoch
  }

  /** False where the broker knows as much already. */
  #want(owner: P, target: FetchTarget, forgotten: Map<string, FetchTarget>): boolean {
    const before = this.#sent.get(owner)
    if (before !== undefined) {
      if (isSame(before.target, target)) return false
      // A topic that was created anew is another one.
      if (this.#nameOf(before.target) !== this.#nameOf(target)) this.#forget(owner, forgotten)
    }
    const sent: Sent<P> = { target, owner }
    this.#sent.set(owner, sent)
    this.#byName.set(this.#nameOf(target), sent)
    return true
  }

  #forget(owner: P, forgotten: Map<string, FetchTarget>): void {
    const before = this.#sent.get(owner)
    if (before === undefined) return
    const name = this.#nameOf(before.target)
    this.#sent.delete(owner)
    if (this.#byName.get(name) === before) this.#byName.delete(name)
    forgotten.set(name, before.target)
  }

  #nameOf({ topic, topicId, partition }: FetchTarget): string {
    return `${partition} ${this.#byId ? (topicId ?? '') : topic}`
  }
}

function isSame(one: FetchTarget, other: FetchTarget): boolean {
  return (
    one.fetchOffset === other.fetchOffset &&
    one.leaderEpoch === other.leaderEpoch &&
    one.bytesMax === other.bytesMax &&
    one.topicId === other.topicId
  )
}
