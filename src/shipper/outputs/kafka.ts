// Events to Kafka: topic, key and partition of each, retries for ever, order kept.

import { KafkaError } from '../../client/errors.ts'
import type { Producer, ProducerRecord } from '../../client/producer/types.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { EventSource, OutgoingEvent } from '../event.ts'
import { type FormatString, compileFormatString } from '../format-string.ts'
import type { KafkaOutputSettings } from '../settings.ts'
import { type Output, noOutputCounts } from './output.ts'

/** A record as the producer takes it, before its partition is chosen. */
interface Routed {
  readonly topic: string
  readonly key: Buffer | null
  /** What partition.hash looks at. */
  readonly hashed: Uint8Array | undefined
}

interface Waiting {
  readonly event: OutgoingEvent
  readonly record: ProducerRecord
  /** Its place in the order of sending. */
  readonly number: number
}

interface KafkaOutputPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly producer: Pick<Producer, 'send' | 'close'>
}

/** What sending the same bytes again cannot mend. */
const hopeless: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
])

const DROP_LOG_MS = 10_000

/** Lets the producer's partitioner find what a record's partition hangs on. */
export const hashedOf = new WeakMap<ProducerRecord, Uint8Array>()

export class KafkaOutput implements Output {
  readonly kind = 'kafka'
  readonly counts = noOutputCounts()
  readonly #ports: KafkaOutputPorts
  readonly #settings: KafkaOutputSettings
  readonly #topic: FormatString
  readonly #key: FormatString | undefined
  readonly #routes = new WeakMap<EventSource, Routed>()
  /** Events that failed, and those that came while such were waiting. */
  #held: Waiting[] = []
  #inFlight = 0
  #number = 0
  #backoffMs: number
  #timer: Timer | undefined
  /** New events wait behind those that failed. */
  #isHolding = false
  /** The first of them is on its way again, alone. */
  #isProbing = false
  #isClosed = false
  #droppedSinceLog = 0
  #lastDropLogMs = -Infinity

  /** @throws SyntaxError for a topic or key that is no format string */
  constructor(ports: KafkaOutputPorts, settings: KafkaOutputSettings) {
    this.#ports = ports
    this.#settings = settings
    this.#topic = compileFormatString(settings.topic)
    this.#key = settings.key === undefined ? undefined : compileFormatString(settings.key)
    this.#backoffMs = settings.backoffInitMs
  }

  send(event: OutgoingEvent): void {
    this.counts.total += 1
    const routed = this.#route(event)
    if (routed === undefined) {
      this.#drop(event, 'no topic could be selected')
      return
    }
    const value = Buffer.from(event.json)
    if (value.length > this.#settings.maxMessageBytes) {
      const limit = this.#settings.maxMessageBytes
      this.#drop(event, `its ${value.length} bytes are more than max_message_bytes (${limit})`)
      return
    }
    const { topic, key, hashed } = routed
    const record: ProducerRecord = { topic, key, value, timestamp: event.timestampMs }
    if (hashed !== undefined && hashed !== key) hashedOf.set(record, hashed)
    this.#number += 1
    const waiting = { event, record, number: this.#number }
    if (this.#isHolding) this.#held.push(waiting)
    else this.#transmit(waiting)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#ports.producer.close({ timeoutMs: 0 })
  }

  #transmit(waiting: Waiting): void {
    this.#inFlight += 1
    this.#ports.producer.send(waiting.record).then(
      () => this.#onAcknowledged(waiting),
      (error: unknown) => this.#onFailure(waiting, error),
    )
  }

  #onAcknowledged({ event }: Waiting): void {
    this.#inFlight -= 1
    if (this.#isClosed) return
    this.counts.acked += 1
    event.settle()
    if (!this.#isHolding) return
    if (this.#isProbing) this.#resume()
    else this.#probeIfQuiet()
  }

  #onFailure(waiting: Waiting, error: unknown): void {
    this.#inFlight -= 1
    if (this.#isClosed) return
    if (error instanceof KafkaError && hopeless.has(error.errorName)) {
      this.#drop(waiting.event, error.message)
      if (this.#isProbing) this.#resume()
      else if (this.#isHolding) this.#probeIfQuiet()
      return
    }
    this.counts.failed += 1
    if (!this.#isHolding) {
      this.#ports.logger.error(`Kafka publish failed; trying again: ${messageOf(error)}`)
    }
    this.#isHolding = true
    this.#isProbing = false
    this.#held.push(waiting)
    this.#probeIfQuiet()
  }

  /**
   * Once nothing is on its way, the first of what failed goes again after a pause; the others
   * follow, in the old order, when it arrived.
   */
  #probeIfQuiet(): void {
    if (this.#inFlight > 0 || this.#timer !== undefined) return
    const pauseMs = this.#backoffMs
    this.#backoffMs = Math.min(this.#backoffMs * 2, this.#settings.backoffMaxMs)
    this.#timer = this.#ports.clock.schedule(pauseMs, () => {
      this.#timer = undefined
      this.#held.sort((left, right) => left.number - right.number)
      const first = this.#held.shift()
      if (first === undefined) return
      this.#isProbing = true
      this.#transmit(first)
    })
  }

  #resume(): void {
    this.#isHolding = false
    this.#isProbing = false
    this.#backoffMs = this.#settings.backoffInitMs
    for (const waiting of this.#held.splice(0)) this.#transmit(waiting)
  }

  #route(event: OutgoingEvent): Routed | undefined {
    const { source } = event
    const known = this.#routes.get(source)
    if (known !== undefined) return known
    const lookup = (path: string): ReturnType<OutgoingEvent['lookup']> => event.lookup(path)
    const topic = this.#topic.render(lookup, event.timestampMs)
    if (topic === undefined || topic === '') return undefined
    const keyText = this.#key?.render(lookup, event.timestampMs)
    const key = keyText === undefined ? null : Buffer.from(keyText)
    const { kind, hashFields } = this.#settings.partition
    let hashed: Uint8Array | undefined
    if (kind === 'hash' && hashFields.length > 0) {
      const values = hashFields.map((path) => lookup(path)).filter((value) => value !== undefined)
      if (values.length > 0) hashed = Buffer.from(JSON.stringify(values))
    } else if (kind === 'hash' && key !== null) hashed = key
    const routed = { topic, key, hashed }
    if (this.#isFixed(source)) this.#routes.set(source, routed)
    return routed
  }

  #isFixed(source: EventSource): boolean {
    const templates = this.#key === undefined ? [this.#topic] : [this.#topic, this.#key]
    const { hashFields } = this.#settings.partition
    const fields = [...templates.flatMap((template) => template.fields), ...hashFields]
    return (
      !templates.some((template) => template.hasTime) &&
      fields.every((path) => source.isFixed(path))
    )
  }

  #drop(event: OutgoingEvent, why: string): void {
    this.counts.dropped += 1
    this.#droppedSinceLog += 1
    const nowMs = this.#ports.clock.monotonicMs()
    if (nowMs - this.#lastDropLogMs >= DROP_LOG_MS) {
      const where = `${event.source.path} at offset ${event.offset}`
      const count = this.#droppedSinceLog
      this.#ports.logger.error(
        `Dropped an event of ${where}: ${why} (${count} since the last line)`,
      )
      this.#lastDropLogMs = nowMs
      this.#droppedSinceLog = 0
    }
    event.settle()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
