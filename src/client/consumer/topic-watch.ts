// The topics a consumer cares about: keeps their metadata fresh, looks for those that are missing,
// and tells a group's leader when their partition counts changed.
import type { Timer } from '../../runtime/clock.ts'
import type { Cluster, Interest } from '../cluster.ts'
import type { ClusterMetadata } from '../metadata.ts'
import type { TopicPattern } from './types.ts'

/** How often a subscribed topic that does not exist is looked for. */
export const missingTopicIntervalMs = 1000

export class TopicWatch {
  readonly #cluster: Cluster
  readonly #interest: Interest
  readonly #onChange: () => void
  /** Partition counts when we, the group's leader, assigned them. */
  #countsAtAssignment = ''
  /** Metadata the counts were compared with last, and how that came out. */
  #comparedWith: ClusterMetadata | undefined
  #changed = false
  #refreshing = false
  #pause: Timer | undefined
  #lastMissingMs = -Infinity
  #closed = false
  #pattern: TopicPattern | undefined
  /** Metadata the pattern was compared with last, and the topics it meant. */
  #matchedBy: ClusterMetadata | undefined
  #matched: readonly string[] | undefined

  constructor(cluster: Cluster, allowAutoTopicCreation: boolean, onChange: () => void) {
    this.#cluster = cluster
    this.#onChange = onChange
    this.#interest = {
      topics: new Set(),
      allowAutoTopicCreation,
      allTopics: () => this.#pattern !== undefined,
      onMetadata: onChange,
    }
    cluster.addInterest(this.#interest)
  }

  set(topics: Iterable<string>): void {
    this.#interest.topics = new Set(topics)
  }

  add(topics: Iterable<string>): void {
    this.#interest.topics = new Set([...this.#interest.topics, ...topics])
  }

  /** Follows the topics that a pattern means; undefined: those of set() and add() alone. */
  follow(pattern: TopicPattern | undefined): void {
    this.#pattern = pattern
    this.#matchedBy = undefined
    this.#matched = undefined
    if (pattern !== undefined) this.refreshSoon()
  }

  /**
   * The topics that the pattern means, sorted; the same list as long as it means the same.
   * undefined until all topics are known.
   */
  matched(excludeInternal: boolean): readonly string[] | undefined {
    const { metadata } = this.#cluster
    if (metadata === this.#matchedBy || this.#pattern === undefined) return this.#matched
    if (!metadata.isWhole) return this.#matched
    this.#matchedBy = metadata
    const names: string[] = []
    for (const { name, internal, errorCode } of metadata.topics.values()) {
      if (errorCode !== 0 || (internal && excludeInternal)) continue
      if (this.#pattern.test(name)) names.push(name)
    }
    names.sort()
    if (names.join('/') !== this.#matched?.join('/')) this.#matched = names
    return this.#matched
  }

  rememberCounts(): void {
    this.#countsAtAssignment = this.#counts()
    this.#comparedWith = undefined
  }

  countsChanged(): boolean {
    const { metadata } = this.#cluster
    if (metadata !== this.#comparedWith) {
      this.#comparedWith = metadata
      this.#changed = this.#countsAtAssignment !== this.#counts()
    }
    return this.#changed
  }

  /** Topics that were subscribed before they exist. */
  lookForMissing(): void {
    const nowMs = this.#cluster.ports.clock.monotonicMs()
    if (nowMs - this.#lastMissingMs < missingTopicIntervalMs) return
    const { topics } = this.#cluster.metadata
    const isMissing = (name: string): boolean => (topics.get(name)?.partitions.length ?? 0) === 0
    if (![...this.#interest.topics].some(isMissing)) return
    this.#lastMissingMs = nowMs
    this.refreshSoon()
  }

  /** At once, but with a pause between one refresh and the next. */
  refreshSoon(): void {
    if (this.#refreshing || this.#closed) return
    this.#refreshing = true
    const { clock, logger } = this.#cluster.ports
    this.#cluster
      .refresh()
      .catch((error: unknown) => {
        logger.debug(`metadata could not be refreshed: ${String(error)}`)
      })
      .finally(() => {
        if (this.#closed) return
        this.#pause = clock.schedule(this.#cluster.retryDelayMs(1), () => {
          this.#refreshing = false
          this.#onChange()
        })
      })
  }

  close(): void {
    this.#closed = true
    this.#pause?.cancel()
    this.#cluster.removeInterest(this.#interest)
  }

  #counts(): string {
    const { topics } = this.#cluster.metadata
    const known = [...this.#interest.topics].sort()
    return known.map((name) => `${name}:${topics.get(name)?.partitions.length ?? 0}`).join()
  }
}
