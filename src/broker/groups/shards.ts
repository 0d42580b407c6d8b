import { Errors } from '../../kafka/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Partition } from '../replication/partition.ts'
import { internalPartitionFor } from '../topic-names.ts'
import type { GroupLimits } from './member.ts'
import { Shard } from './shard.ts'

export interface ShardsParts {
  readonly clock: Clock
  readonly logger: Logger
}

export type Found = { readonly error: number } | { readonly shard: Shard }

/** The partitions of __consumer_offsets that this broker leads, and which of them a group lives in. */
export class Shards {
  readonly #parts: ShardsParts
  readonly #limits: GroupLimits
  readonly #shards = new Map<number, Shard>()
  /**
   * How many partitions the topic was made with, whether or not all of them have a leader yet: a group
   * must not live in another one later. Undefined until it is known.
   */
  partitionCount: number | undefined

  constructor(parts: ShardsParts, limits: GroupLimits) {
    this.#parts = parts
    this.#limits = limits
  }

  get isLoading(): boolean {
    return [...this.#shards.values()].some((shard) => shard.isLoading)
  }

  values(): Iterable<Shard> {
    return this.#shards.values()
  }

  /** Resolves to the shard when it is loaded; undefined where it was known, or cannot be read. */
  async load(partition: Partition): Promise<Shard | undefined> {
    const known = this.#shards.get(partition.index)
    if (known?.partition === partition) return undefined
    const { clock, logger } = this.#parts
    const shard = new Shard(partition, { clock, logger }, this.#limits)
    this.#shards.set(partition.index, shard)
    try {
      await shard.load()
    } catch (error) {
      logger.error(`Error loading offsets from ${shard.name}`, error)
      return undefined
    }
    // It may have been taken away again meanwhile.
    return this.#shards.get(partition.index) === shard ? shard : undefined
  }

  take(partitionIndex: number): Shard | undefined {
    const shard = this.#shards.get(partitionIndex)
    this.#shards.delete(partitionIndex)
    return shard
  }

  /** Undefined while nobody can tell. */
  indexOf(groupId: string): number | undefined {
    const { partitionCount } = this
    return partitionCount === undefined ? undefined : internalPartitionFor(groupId, partitionCount)
  }

  find(groupId: string): Found {
    const index = this.indexOf(groupId)
    const shard = index === undefined ? undefined : this.#shards.get(index)
    if (shard === undefined) return { error: Errors.NOT_COORDINATOR }
    return shard.isLoading ? { error: Errors.COORDINATOR_LOAD_IN_PROGRESS } : { shard }
  }
}
