// Runs a compiled pipeline: a bounded queue between inputs and workers, batches in flight, and the
// acknowledgement of what the outputs have made safe.

import type { PipelineEvent } from '../events/event.ts'
import { delay } from '../runtime/clock.ts'
import type { Timer } from '../runtime/clock.ts'
import type { CompiledPipeline } from './compile.ts'
import type { PipelinePorts, Sink } from './plugin.ts'

export interface RunnerSettings {
  /** Batches that may be under way to outputs at a time. */
  readonly workers: number
  readonly batchSize: number
  /** How long a smaller batch waits for more events. */
  readonly batchDelayMs: number
  /** How long a stopped pipeline waits for outputs before it gives up what is not acknowledged. */
  readonly drainLimitMs: number
}

export interface EventCounts {
  in: number
  filtered: number
  out: number
  /** Milliseconds spent in filters and outputs. */
  durationMs: number
}

interface Chunk {
  readonly events: readonly PipelineEvent[]
  next: number
  /** Events that are not acknowledged yet. */
  open: number
  readonly onDone: (() => void) | undefined
}

interface Batch {
  readonly events: readonly PipelineEvent[]
  readonly parts: readonly { readonly chunk: Chunk; readonly count: number }[]
}

/**
 * Waiting events are filtered in groups larger than a batch, since each guard around users' regular
 * expressions costs 0.1 to 0.3 ms; outputs get them in batches all the same.
 */
const FILTERED_AT_ONCE = 1000

export class PipelineRunner {
  readonly counts: EventCounts = { in: 0, filtered: 0, out: 0, durationMs: 0 }
  readonly #ports: PipelinePorts
  readonly #compiled: CompiledPipeline
  readonly #settings: RunnerSettings
  readonly #queueMax: number
  /** Chunks with events that no batch has taken. */
  #chunks: Chunk[] = []
  #queued = 0
  #inFlight = 0
  #unacknowledged = 0
  #due = false
  #timer: Timer | undefined
  #pumping = false
  #ending = false
  #roomWaiters: (() => void)[] = []
  #idleWaiters: (() => void)[] = []
  readonly #stopped = Promise.withResolvers<void>()
  #fail: (error: unknown) => void = () => {}
  #failure: unknown

  constructor(ports: PipelinePorts, compiled: CompiledPipeline, settings: RunnerSettings) {
    this.#ports = ports
    this.#compiled = compiled
    this.#settings = settings
    this.#queueMax = Math.max(settings.batchSize * Math.max(2, settings.workers), FILTERED_AT_ONCE)
  }

  /** Events that outputs have not acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged
  }

  /**
   * Runs until every input has ended or `stop` was called, and all their events are acknowledged.
   * Gives the number of events that were given up. Rejects with what an input or output cannot mend.
   */
  async run(): Promise<number> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = (error) => {
        this.#failure = error
        reject(error)
      }
    })
    failed.catch(() => {})
    const { inputs, outputs } = this.#compiled
    try {
      for (const output of outputs) await output.start?.()
      await Promise.race([
        Promise.all(inputs.map(({ input, statistics }) => input.run(this.#sink(statistics)))),
        failed,
      ])
      this.#ending = true
      this.#pump()
      await Promise.race([this.#idle(), failed, this.#drainLimit()])
      // What failed is under way no more: the pipeline may look idle for all that.
      if (this.#failure !== undefined) await failed
      return this.#unacknowledged
    } finally {
      this.stop()
      this.#timer?.cancel()
      for (const { input } of inputs) await input.close?.()
      for (const output of outputs) await output.close?.()
    }
  }

  /** Inputs read no more; `run` goes on until what they read is acknowledged. */
  stop(): void {
    this.#stopped.resolve()
    for (const { input } of this.#compiled.inputs) input.stop()
  }

  #sink(statistics: { out: number }): Sink {
    return {
      offer: (events, onDone) => {
        statistics.out += events.length
        return this.#offer(events, onDone)
      },
    }
  }

  #offer(events: readonly PipelineEvent[], onDone?: () => void): Promise<void> | undefined {
    if (events.length === 0) {
      onDone?.()
      return undefined
    }
    this.#chunks.push({ events, next: 0, open: events.length, onDone })
    this.#queued += events.length
    this.#unacknowledged += events.length
    this.counts.in += events.length
    this.#pump()
    if (this.#queued < this.#queueMax) return undefined
    return new Promise((resolve) => this.#roomWaiters.push(resolve))
  }

  /** Starts as many batches as may be under way. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    const { workers, batchSize, batchDelayMs } = this.#settings
    while (
      this.#inFlight < workers &&
      (this.#queued >= batchSize || (this.#queued > 0 && (this.#due || this.#ending)))
    ) {
      this.#process(this.#take(Math.max(batchSize, FILTERED_AT_ONCE)))
    }
    this.#pumping = false
    if (this.#queued === 0) this.#due = false
    else if (this.#queued < batchSize && !this.#ending && this.#timer === undefined && !this.#due) {
      this.#timer = this.#ports.clock.schedule(batchDelayMs, () => {
        this.#timer = undefined
        this.#due = true
        this.#pump()
      })
    }
    if (this.#queued < this.#queueMax && this.#roomWaiters.length > 0) {
      const waiters = this.#roomWaiters
      this.#roomWaiters = []
      for (const resolve of waiters) resolve()
    }
    if (this.#queued === 0 && this.#inFlight === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve()
    }
  }

  #take(most: number): Batch {
    const parts: { chunk: Chunk; count: number }[] = []
    const slices: (readonly PipelineEvent[])[] = []
    let wanted = most
    let emptied = 0
    for (const chunk of this.#chunks) {
      const count = Math.min(wanted, chunk.events.length - chunk.next)
      const whole = chunk.next === 0 && count === chunk.events.length
      slices.push(whole ? chunk.events : chunk.events.slice(chunk.next, chunk.next + count))
      parts.push({ chunk, count })
      chunk.next += count
      wanted -= count
      if (chunk.next === chunk.events.length) emptied += 1
      if (wanted === 0) break
    }
    this.#chunks.splice(0, emptied)
    this.#queued -= most - wanted
    const [only] = slices
    return { events: slices.length === 1 && only !== undefined ? only : slices.flat(), parts }
  }

  #process(batch: Batch): void {
    const { clock } = this.#ports
    const start = clock.monotonicMs()
    const finish = (sent: number): void => {
      this.counts.out += sent
      this.counts.durationMs += clock.monotonicMs() - start
      this.#acknowledge(batch)
    }
    try {
      const kept = this.#compiled.filter(batch.events)
      this.counts.filtered += batch.events.length
      const written = this.#write(kept)
      if (written === undefined) {
        finish(kept.length)
        return
      }
      this.#inFlight += 1
      written.then(
        () => {
          this.#inFlight -= 1
          finish(kept.length)
          this.#pump()
        },
        (error: unknown) => this.#fail(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Gives the events to the outputs in batches. */
  #write(events: readonly PipelineEvent[]): Promise<void> | undefined {
    const { batchSize } = this.#settings
    if (events.length === 0) return undefined
    if (events.length <= batchSize) return this.#compiled.output(events)
    const open: Promise<void>[] = []
    for (let at = 0; at < events.length; at += batchSize) {
      const written = this.#compiled.output(events.slice(at, at + batchSize))
      if (written !== undefined) open.push(written)
    }
    return open.length === 0 ? undefined : Promise.all(open).then(() => {})
  }

  #acknowledge({ parts }: Batch): void {
    for (const { chunk, count } of parts) {
      chunk.open -= count
      this.#unacknowledged -= count
      if (chunk.open === 0) chunk.onDone?.()
    }
  }

  #idle(): Promise<void> {
    if (this.#queued === 0 && this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Only a pipeline that was asked to stop gives up; one whose inputs ended waits as long as it takes. */
  async #drainLimit(): Promise<void> {
    await this.#stopped.promise
    await delay(this.#ports.clock, this.#settings.drainLimitMs)
  }
}
