// Commits by itself what polls returned, where the application wants that.
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { ConsumedPartition, PartitionTable } from './partitions.ts'
import type { OffsetToCommit } from './types.ts'

export interface AutoCommitSettings {
  readonly autoCommit: boolean
  readonly autoCommitIntervalMs: number
}

export interface AutoCommitContext {
  readonly clock: Clock
  readonly logger: Logger
  readonly table: PartitionTable
  readonly commit: (offsets: readonly OffsetToCommit[]) => Promise<void>
}

/**
 * Brokers before 2.1 forget an offset some time after it was written, read or not: those that do
 * not move are written again this often.
 */
const rewriteIntervalMs = 3_600_000

export class AutoCommit {
  readonly #settings: AutoCommitSettings
  readonly #context: AutoCommitContext
  #lastMs: number
  #lastWholeMs: number

  constructor(settings: AutoCommitSettings, context: AutoCommitContext) {
    this.#settings = settings
    this.#context = context
    this.#lastMs = context.clock.monotonicMs()
    this.#lastWholeMs = this.#lastMs
  }

  /** In the background, when it is time. */
  whenDue(): void {
    if (!this.#settings.autoCommit) return
    const nowMs = this.#context.clock.monotonicMs()
    if (nowMs - this.#lastMs < this.#settings.autoCommitIntervalMs) return
    this.#lastMs = nowMs
    void this.now()
  }

  /** Never rejects: what could not be committed is read again by whoever comes after us. */
  async now(): Promise<void> {
    if (!this.#settings.autoCommit) return
    try {
      const offsets = this.#offsets()
      if (offsets.length > 0) await this.#context.commit(offsets)
    } catch (error) {
      this.#context.logger.warn(`offsets were not committed: ${String(error)}`)
    }
  }

  #offsets(): OffsetToCommit[] {
    const { table, clock } = this.#context
    const nowMs = clock.monotonicMs()
    const whole = nowMs - this.#lastWholeMs >= rewriteIntervalMs
    if (whole) this.#lastWholeMs = nowMs
    const offsets: OffsetToCommit[] = []
    for (const state of [...(whole ? table.values() : table.uncommitted())]) {
      const offset = offsetOf(state, state.confirmed)
      if (offset === undefined) continue
      if (whole || state.committed !== offset.offset) offsets.push(offset)
      else table.noteCommitted(state, offset.offset)
    }
    return offsets
  }
}

export function offsetOf(
  state: ConsumedPartition,
  offset: number | undefined,
): OffsetToCommit | undefined {
  if (offset === undefined) return undefined
  const { topic, partition, positionEpoch } = state
  return { topic, partition, offset, leaderEpoch: positionEpoch }
}
