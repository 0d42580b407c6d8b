// Finds where reading begins: the group's committed offset, else what the reset policy says; and,
// after a change of leader, whether the log still has what was read. One try each; what fails for a
// while is tried again after a pause, so that one partition's trouble does not hold up the others.
import { Errors } from '../../kafka/errors.ts'
import type { Cluster } from '../cluster.ts'
import { type EpochEnd, firstVersionForConsumers, lookUpEpochEnds } from '../epochs.ts'
import { clientError, isRetriable, KafkaError } from '../errors.ts'
import { earliestTime, latestTime, lookUpOffsets } from '../offsets.ts'
import type { TopicPartition } from '../types.ts'
import type { ConsumedPartition, PartitionTable } from './partitions.ts'
import type { CompleteConsumerSettings } from './settings.ts'
import type { CommittedOffset } from './types.ts'

export interface PositionContext {
  readonly cluster: Cluster
  readonly settings: CompleteConsumerSettings
  readonly purpose: string
  readonly table: PartitionTable
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<CommittedOffset[]>
  /** Something was found, or may be asked again. */
  readonly onChange: () => void
  readonly onStale: () => void
}

interface Asked {
  readonly state: ConsumedPartition
  readonly jumps: number
}

export class PositionFinder {
  readonly #context: PositionContext
  #error: unknown
  #failures = 0

  constructor(context: PositionContext) {
    this.#context = context
  }

  /** What retrying does not mend, once. */
  takeError(): unknown {
    const error = this.#error
    this.#error = undefined
    return error
  }

  /** Begins to find out what is needed; poll() goes on with the other partitions meanwhile. */
  start(): void {
    const { cluster, table } = this.#context
    if (table.needy().size === 0 || cluster.isClosed) return
    const nowMs = cluster.ports.clock.monotonicMs()
    const open = [...table.needy()].filter((state) => !state.finding && state.notBeforeMs <= nowMs)
    const committed = open.filter(({ need }) => need === 'committed')
    const validate = open.filter(({ need }) => need === 'validate')
    const offsets = open.filter(({ need }) => need !== 'committed' && need !== 'validate')
    if (committed.length > 0) void this.#run(committed, (asked) => this.#useCommitted(asked))
    if (validate.length > 0) void this.#run(validate, (asked) => this.#validate(asked))
    if (offsets.length > 0) void this.#run(offsets, (asked) => this.#lookUp(asked))
  }

  async #run(
    states: readonly ConsumedPartition[],
    action: (asked: readonly Asked[]) => Promise<void>,
  ): Promise<void> {
    for (const state of states) state.finding = true
    try {
      await action(states.map((state) => ({ state, jumps: state.jumps })))
      this.#failures = 0
    } catch (error) {
      this.#onFailure(states, error)
    } finally {
      for (const state of states) state.finding = false
      this.#context.onChange()
    }
  }

  #onFailure(states: readonly ConsumedPartition[], error: unknown): void {
    const { cluster, onChange, onStale } = this.#context
    this.#failures += 1
    const { clock, logger } = cluster.ports
    const waitMs = cluster.retryDelayMs(this.#failures)
    const retry = { what: 'position', error, failures: this.#failures, waitMs }
    if (!isRetriable(error) || !cluster.mayRetry(retry)) this.#error = error
    else {
      logger.debug(`positions are not known yet: ${String(error)}`)
      onStale()
    }
    const untilMs = clock.monotonicMs() + waitMs
    for (const state of states) if (state.need !== 'nothing') state.notBeforeMs = untilMs
    clock.schedule(waitMs, () => {
      for (const state of states) if (state.notBeforeMs === untilMs) state.notBeforeMs = 0
      onChange()
    })
  }

  async #useCommitted(asked: readonly Asked[]): Promise<void> {
    const { table } = this.#context
    const partitions = asked.map(({ state: { topic, partition } }) => ({ topic, partition }))
    const found = await this.#context.committed(partitions)
    const byKey = new Map(found.map((offset) => [`${offset.partition} ${offset.topic}`, offset]))
    for (const { state } of asked.filter((one) => this.#isCurrent(one))) {
      const offset = byKey.get(`${state.partition} ${state.topic}`)
      if (offset === undefined || offset.offset < 0) table.needInstead(state, 'policy')
      else {
        table.jumpToUnchecked(state, offset.offset, offset.leaderEpoch)
        state.committed = offset.offset
      }
    }
  }

  async #lookUp(asked: readonly Asked[]): Promise<void> {
    const { cluster, purpose, table, settings } = this.#context
    const queries = asked.map(({ state }) => {
      const { topic, partition } = state
      return { topic, partition, timestamp: timeOf(state, settings) }
    })
    const { isolationLevel } = settings
    const options = { purpose, isolationLevel, timeoutMs: 0 }
    const answers = await lookUpOffsets(cluster, queries, options)
    let failure: KafkaError | undefined
    for (const [index, one] of asked.entries()) {
      const answer = answers[index]
      if (answer === undefined || !this.#isCurrent(one)) continue
      if (answer.error !== undefined) failure = worse(failure, answer.error)
      else table.jumpTo(one.state, answer.offset, answer.leaderEpoch)
    }
    if (failure !== undefined) throw failure
  }

  async #validate(asked: readonly Asked[]): Promise<void> {
    const { cluster, purpose } = this.#context
    const queries = asked.map(({ state: { topic, partition, positionEpoch } }) => {
      return { topic, partition, leaderEpoch: positionEpoch }
    })
    const options = { purpose, minVersion: firstVersionForConsumers }
    const ends = await lookUpEpochEnds(cluster, queries, options)
    let failure: KafkaError | undefined
    for (const [index, one] of asked.entries()) {
      const end = ends[index]
      if (end === undefined || !this.#isCurrent(one)) continue
      // Brokers before 2.3 tell only each other; those without the right are not told either.
      const untold =
        end.error?.code === Errors.UNSUPPORTED_VERSION ||
        end.error?.code === Errors.TOPIC_AUTHORIZATION_FAILED
      if (untold) this.#context.table.settle(one.state)
      else if (end.error !== undefined) failure = worse(failure, end.error)
      else failure = worse(failure, this.#onEnd(one.state, end))
    }
    if (failure !== undefined) throw failure
  }

  /** The log ends where the answer says for the epoch of our position. */
  #onEnd(state: ConsumedPartition, end: EpochEnd): KafkaError | undefined {
    const { table, settings, cluster } = this.#context
    const position = state.position ?? 0
    const isKnown = end.endOffset >= 0 && end.leaderEpoch >= 0
    if (isKnown && end.endOffset >= position) {
      table.settle(state)
      return undefined
    }
    const name = `${state.topic}-${state.partition}`
    const text = `${name} was cut off below offset ${position}`
    if (settings.autoOffsetReset === 'none') {
      return clientError('LOG_TRUNCATED', isKnown ? `${text}, at ${end.endOffset}` : text)
    }
    cluster.ports.logger.warn(`${text}; going on ${isKnown ? `at ${end.endOffset}` : 'by policy'}`)
    if (isKnown) table.jumpTo(state, end.endOffset, end.leaderEpoch)
    else table.jumpToUnknown(state, 'policy')
    return undefined
  }

  #isCurrent({ state, jumps }: Asked): boolean {
    return state.jumps === jumps && this.#context.table.has(state)
  }
}

/** An error that retrying does not mend is told before others. */
function worse(one: KafkaError | undefined, other: KafkaError | undefined): KafkaError | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.retriable ? other : one
}

/** @throws KafkaError NO_OFFSET where the policy is none */
function timeOf(state: ConsumedPartition, settings: CompleteConsumerSettings): number {
  const need = state.need === 'policy' ? settings.autoOffsetReset : state.need
  if (need === 'earliest') return earliestTime
  if (need === 'latest') return latestTime
  const name = `${state.topic}-${state.partition}`
  throw clientError('NO_OFFSET', `${name} has no committed offset and no reset policy`)
}
