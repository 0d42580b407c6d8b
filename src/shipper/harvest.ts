// Reads the files that have something to read, one piece of one file after the other, and hands
// their events to the output. What is read and not acknowledged is bounded: beyond that, reading
// waits.

import { mapGuarded } from '../text/guard.ts'
import { DiskError } from '../runtime/disk.ts'
import type { Ports } from '../runtime/service.ts'
import { type EventSource, OutgoingEvent } from './event.ts'
import type { Piece } from './inputs/acknowledged.ts'
import { endsMessage } from './inputs/file-input.ts'
import { decodeJsonLine, refusedJsonLine } from './inputs/json.ts'
import { type Line, type LongLine, absorb, lineOf, planRead } from './inputs/lines.ts'
import {
  type MatchedLine,
  type Message,
  type MultilineJoiner,
  messageOf,
} from './inputs/multiline.ts'
import type { HarvestCounts } from './inputs/shared.ts'
import type { OpenFile, TrackedFile } from './inputs/tracked-file.ts'
import type { Output } from './outputs/output.ts'
import type { InputSettings, JsonSettings, QueueSettings } from './settings.ts'

/** Read at once from one file. */
const CHUNK_BYTES = 256 * 1024
/** Lines handled between two looks at the queue. */
const LINES_PER_SLICE = 512
/** For the patterns of a slice; afterwards for those of a single line. */
const PATTERN_LIMIT_MS = 1000

interface Job {
  readonly file: TrackedFile
  readonly settings: InputSettings
}

interface HarvesterParts {
  readonly output: Output
  readonly counts: HarvestCounts
  /** The acknowledged position of a file moved. */
  readonly onAcknowledged: (file: TrackedFile, settings: InputSettings) => void
  /** A file could not be read. */
  readonly onUnreadable: (job: Job, error: DiskError) => void
  /** Small in tests. */
  readonly chunkBytes?: number
}

export class Harvester {
  readonly #ports: Pick<Ports, 'clock' | 'logger'>
  readonly #parts: HarvesterParts
  readonly #queue: QueueSettings
  readonly #chunk: Buffer
  #jobs: Job[] = []
  #jobsHead = 0
  #wake: (() => void) | undefined
  #roomWaiter: (() => void) | undefined
  #settledWaiters: (() => void)[] = []
  #activeEvents = 0
  #activeBytes = 0
  #isBusy = false
  #isStopped = false
  #isSlowPatternReported = false
  #loop: Promise<void> | undefined

  constructor(ports: Pick<Ports, 'clock' | 'logger'>, parts: HarvesterParts, queue: QueueSettings) {
    this.#ports = ports
    this.#parts = parts
    this.#queue = queue
    this.#chunk = Buffer.allocUnsafeSlow(parts.chunkBytes ?? CHUNK_BYTES)
  }

  /** Events read and not acknowledged. */
  get activeEvents(): number {
    return this.#activeEvents
  }

  /** Nothing to read and nothing to wait for. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#jobsHead === this.#jobs.length && this.#activeEvents === 0
  }

  start(): void {
    this.#loop = this.#run()
  }

  enqueue(file: TrackedFile, settings: InputSettings): void {
    const { open } = file
    if (open === undefined || open.isQueued || this.#isStopped) return
    open.isQueued = true
    this.#jobs.push({ file, settings })
    this.#wake?.()
  }

  /** Stops reading. Resolves when no file is touched any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake?.()
    this.#roomWaiter?.()
    await this.#loop
  }

  /** Resolves when all events are acknowledged or given up. */
  settled(): Promise<void> {
    if (this.#activeEvents === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#settledWaiters.push(resolve)
    })
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const job = this.#jobs[this.#jobsHead]
      if (job === undefined) {
        this.#isBusy = false
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
        continue
      }
      this.#isBusy = true
      this.#jobsHead += 1
      if (this.#jobsHead > 1024) {
        this.#jobs = this.#jobs.slice(this.#jobsHead)
        this.#jobsHead = 0
      }
      await this.#readOnce(job)
    }
  }

  async #readOnce(job: Job): Promise<void> {
    const { file, settings } = job
    const { open } = file
    if (open === undefined) return
    try {
      const hasMore = await this.#readPiece(file, open, settings)
      open.isQueued = false
      if (hasMore && file.open === open) this.enqueue(file, settings)
    } catch (error) {
      open.isQueued = false
      if (!(error instanceof DiskError)) throw error
      this.#parts.onUnreadable(job, error)
    }
  }

  /** Reads one chunk. True when there may be more. */
  async #readPiece(file: TrackedFile, open: OpenFile, settings: InputSettings): Promise<boolean> {
    const { clock, logger } = this.#ports
    const { size } = open.file.status()
    if (size < file.cursor.scanned) {
      logger.info(`File was truncated. Begin reading file from offset 0: ${file.path}`)
      this.#parts.counts.truncated += 1
      file.restart()
      this.#parts.onAcknowledged(file, settings)
    }
    const plan = planRead(file.cursor, size, this.#chunk.length)
    if (plan.kind === 'nothing') {
      if (endsMessage(open, settings, clock.monotonicMs())) {
        const messages: Message[] = []
        open.joiner?.flush(messages)
        await this.#publish(file, open, { settings, messages, end: file.cursor.position })
      }
      return false
    }
    const length = await open.file.read(this.#chunk, 0, plan.length, plan.from)
    if (this.#isStopped || length === 0) return false
    const { maxBytes } = settings
    const before = file.cursor
    const absorbed = absorb(before, this.#chunk, length, { from: plan.from, maxBytes })
    const { longLine } = absorbed
    const lines =
      longLine === undefined ? absorbed.lines : [await readLongLine(open, longLine, maxBytes)]
    this.#parts.counts.bytes += absorbed.cursor.position - before.position
    this.#parts.counts.lines += lines.length
    file.readMs = clock.now()
    open.lastGrowthMs = clock.monotonicMs()
    file.cursor = absorbed.cursor
    await this.#handleLines(file, open, { settings, lines })
    return absorbed.cursor.scanned < size
  }

  async #handleLines(
    file: TrackedFile,
    open: OpenFile,
    { settings, lines }: { settings: InputSettings; lines: readonly Line[] },
  ): Promise<void> {
    for (let at = 0; at < lines.length; at += LINES_PER_SLICE) {
      const isWhole = at === 0 && lines.length <= LINES_PER_SLICE
      const slice = isWhole ? lines : lines.slice(at, at + LINES_PER_SLICE)
      const messages = this.#joined(slice, open.joiner, settings)
      const end = open.joiner?.pendingStart ?? slice.at(-1)?.end ?? 0
      await this.#publish(file, open, { settings, messages, end })
      if (this.#isStopped) return
    }
  }

  #joined(
    lines: readonly Line[],
    joiner: MultilineJoiner | undefined,
    { multiline }: InputSettings,
  ): Message[] {
    if (joiner === undefined || multiline === undefined) return lines.map(messageOf)
    const { pattern, flushPattern } = multiline
    const matched = mapGuarded(lines, PATTERN_LIMIT_MS, {
      run: (line): MatchedLine => ({
        line,
        matches: pattern.test(line.text),
        flushes: flushPattern?.test(line.text) ?? false,
      }),
      late: (line): MatchedLine => this.#slow({ line, matches: false, flushes: false }),
    })
    const messages: Message[] = []
    for (const line of matched) joiner.add(line, messages)
    return messages
  }

  /** Makes events of messages; the file is acknowledged up to `end` when all of them are. */
  async #publish(
    file: TrackedFile,
    open: OpenFile,
    piece: { settings: InputSettings; messages: readonly Message[]; end: number },
  ): Promise<void> {
    const { settings, end } = piece
    const { counts, output } = this.#parts
    const kept = this.#filtered(piece.messages, settings)
    counts.filtered += piece.messages.length - kept.length
    if (kept.length === 0) {
      const before = file.acknowledged.position
      if (end !== before) file.acknowledged.add(end, 0)
      if (file.acknowledged.position !== before) this.#parts.onAcknowledged(file, settings)
      return
    }
    await this.#room(kept.length)
    if (this.#isStopped) return
    const timestampMs = this.#ports.clock.now()
    const tracked = file.acknowledged.add(end, kept.length)
    const { json } = settings
    for (const message of kept) {
      let bytes = 0
      const settle = (): void => this.#settle({ file, settings }, tracked, bytes)
      const event = makeEvent(open.source, message, { json, timestampMs, settle })
      bytes = event.json.length
      this.#activeEvents += 1
      this.#activeBytes += bytes
      counts.added += 1
      output.send(event)
    }
  }

  #filtered(messages: readonly Message[], settings: InputSettings): readonly Message[] {
    const { includeLines, excludeLines } = settings
    const filled = messages.some(({ text }) => text === '')
      ? messages.filter(({ text }) => text !== '')
      : messages
    if (includeLines.length === 0 && excludeLines.length === 0) return filled
    const kept = mapGuarded(filled, PATTERN_LIMIT_MS, {
      run: ({ text }) =>
        (includeLines.length === 0 || includeLines.some((pattern) => pattern.test(text))) &&
        !excludeLines.some((pattern) => pattern.test(text)),
      late: () => this.#slow(true),
    })
    return filled.filter((_message, index) => kept[index])
  }

  /** Better a line too many than one lost. */
  #slow<T>(result: T): T {
    if (!this.#isSlowPatternReported) {
      this.#ports.logger.warn('A pattern took too long for a line, which is taken as it is')
      this.#isSlowPatternReported = true
    }
    return result
  }

  async #room(events: number): Promise<void> {
    const isFull = (): boolean =>
      this.#activeEvents > 0 &&
      (this.#activeEvents + events > this.#queue.events || this.#activeBytes > this.#queue.bytes)
    while (isFull() && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#roomWaiter = resolve
      })
      this.#roomWaiter = undefined
    }
  }

  #settle({ file, settings }: Job, piece: Piece, bytes: number): void {
    this.#activeEvents -= 1
    this.#activeBytes -= bytes
    this.#parts.counts.settled += 1
    if (file.acknowledged.acknowledge(piece)) this.#parts.onAcknowledged(file, settings)
    this.#roomWaiter?.()
    if (this.#activeEvents === 0) {
      for (const waiter of this.#settledWaiters.splice(0)) waiter()
    }
  }
}

interface EventDetails {
  readonly json: JsonSettings | undefined
  readonly timestampMs: number
  readonly settle: () => void
}

function makeEvent(source: EventSource, message: Message, details: EventDetails): OutgoingEvent {
  const { json, ...rest } = details
  if (json === undefined) return new OutgoingEvent(source, message, { ...rest, decoded: undefined })
  try {
    const decoded = decodeJsonLine(message.text, json)
    return new OutgoingEvent(source, message, { ...rest, decoded })
  } catch (error) {
    // Nested so deeply that it cannot be walked.
    if (!(error instanceof RangeError)) throw error
    const decoded = refusedJsonLine(message.text, json, 'exceeded max depth')
    return new OutgoingEvent(source, message, { ...rest, decoded })
  }
}

/** The part of a long line that is wanted; its end is known already. */
async function readLongLine(
  { file }: OpenFile,
  { start, newlineAt }: LongLine,
  maxBytes: number,
): Promise<Line> {
  // Room for a byte order mark, and one byte to see that it is too long.
  const length = Math.min(newlineAt - start, maxBytes + 4)
  const bytes = Buffer.allocUnsafeSlow(length)
  const got = await file.read(bytes, 0, length, start)
  const line = lineOf(bytes, 0, got, { base: start, maxBytes })
  return { ...line, end: newlineAt + 1 }
}
