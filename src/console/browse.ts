// Reads a bounded piece of a topic: newest or oldest records, or those from an offset, a time or where
// an earlier answer ended; filtered. Works in windows of offsets, one per partition and round, so that
// newest-first needs no more reading than oldest-first.
import type { Clock } from '../runtime/clock.ts'
import { type DecodedBytes, decodeBytes } from './decode.ts'
import type { PartitionOffsets, RawMessage, TopicCursor, TopicReader } from './kafka.ts'

export interface BrowseRequest {
  readonly topic: string
  readonly from: BrowseStart
  /** Undefined: all. */
  readonly partition: number | undefined
  readonly limit: number
  /** Kept are records whose key, value or a header contains it, in any case; empty: all. */
  readonly filter: string
  /** How much of a key or value is shown. */
  readonly valueBytesMax: number
}

export type BrowseStart =
  | { readonly kind: 'newest' }
  | { readonly kind: 'oldest' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'timestamp'; readonly timestampMs: number }
  | { readonly kind: 'cursor'; readonly cursor: BrowseCursor }

/** Where to go on: below these offsets (older) or from them on (newer). */
export interface BrowseCursor {
  readonly direction: Direction
  readonly bounds: ReadonlyMap<number, number>
}

type Direction = 'older' | 'newer'

export interface BrowseAnswer {
  /** Newest first when reading backwards, oldest first otherwise. */
  readonly messages: readonly Message[]
  readonly partitions: readonly PartitionOffsets[]
  readonly scannedRecords: number
  readonly scannedBytes: number
  /** end: there is no more in this direction. time, bytes: what one request may cost is used up. */
  readonly stoppedBy: 'limit' | 'end' | 'time' | 'bytes'
  readonly next: BrowseCursor
}

export interface Message {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: DecodedBytes
  readonly value: DecodedBytes
  readonly headers: readonly { readonly key: string; readonly value: DecodedBytes }[]
}

export interface BrowseLimits {
  readonly timeMs: number
  readonly scannedBytes: number
}

export const defaultBrowseLimits: BrowseLimits = { timeMs: 5_000, scannedBytes: 64 * 1024 * 1024 }

const windowRecordsMax = 10_000
const windowRecordsMin = 25
const answerBytesMax = 8 * 1024 * 1024
const pollMs = 250

/** Half-open: [begin, end). */
interface Window {
  readonly begin: number
  readonly end: number
}

/** @throws UnknownTopicError, KafkaDownError */
export async function browse(
  ports: { readonly reader: TopicReader; readonly clock: Pick<Clock, 'monotonicMs'> },
  request: BrowseRequest,
  limits: BrowseLimits = defaultBrowseLimits,
): Promise<BrowseAnswer> {
  const deadline = ports.clock.monotonicMs() + limits.timeMs
  const all = await ports.reader.offsets(request.topic)
  const partitions = all.filter(
    ({ partition }) => request.partition === undefined || partition === request.partition,
  )
  const { direction, bounds } = await startingBounds(ports.reader, request, partitions)
  const budget = new Budget(() => ports.clock.monotonicMs() > deadline, limits.scannedBytes)
  const found: RawMessage[] = []
  const keep = matcher(request.filter)
  let windowRecords = Math.max(
    windowRecordsMin,
    Math.ceil(request.limit / Math.max(1, partitions.length)),
  )
  let stoppedBy: BrowseAnswer['stoppedBy'] | undefined
  for (;;) {
    const windows = nextWindows({ partitions, bounds, direction, windowRecords })
    stoppedBy ??= windows.size === 0 ? 'end' : budget.spent()
    if (stoppedBy !== undefined) break
    const round = await readWindows(ports.reader, request.topic, windows, keep, budget)
    if (direction === 'older' && round.unfinished) {
      // What was read of these windows has a gap after it; a smaller piece will have none.
      if (windowRecords === 1) stoppedBy = budget.spent() ?? 'bytes'
      windowRecords = Math.max(1, windowRecords >> 3)
    } else {
      merge({ round, direction, bounds, found, limit: request.limit })
      if (found.length >= request.limit) stoppedBy = 'limit'
      if (request.filter !== '') windowRecords = Math.min(windowRecordsMax, windowRecords * 4)
    }
  }
  const shownBytes = Math.min(
    request.valueBytesMax,
    Math.floor(answerBytesMax / Math.max(1, found.length)),
  )
  return {
    messages: found.map((message) => decodeMessage(message, shownBytes)),
    partitions: all,
    scannedRecords: budget.records,
    scannedBytes: budget.bytes,
    stoppedBy,
    next: { direction, bounds },
  }
}

/** What one request has read so far. */
class Budget {
  records = 0
  bytes = 0
  readonly #late: () => boolean
  readonly #bytesMax: number
  /** Up to which a round may read: a quarter at first, so that a round too large can be cut smaller. */
  #roundBytesMax = 0

  constructor(late: () => boolean, bytesMax: number) {
    this.#late = late
    this.#bytesMax = bytesMax
  }

  beginRound(): void {
    this.#roundBytesMax = this.bytes + this.#bytesMax / 4
  }

  take(message: RawMessage): void {
    this.records++
    this.bytes += (message.key?.length ?? 0) + (message.value?.length ?? 0)
  }

  roundIsOver(): boolean {
    return this.bytes > this.#roundBytesMax || this.#late()
  }

  spent(): 'time' | 'bytes' | undefined {
    if (this.#late()) return 'time'
    return this.bytes > this.#bytesMax ? 'bytes' : undefined
  }
}

async function startingBounds(
  reader: TopicReader,
  request: BrowseRequest,
  partitions: readonly PartitionOffsets[],
): Promise<{ direction: Direction; bounds: Map<number, number> }> {
  const each = (offset: (range: PartitionOffsets) => number): Map<number, number> =>
    new Map(partitions.map((range) => [range.partition, offset(range)]))
  const { from } = request
  switch (from.kind) {
    case 'newest':
      return { direction: 'older', bounds: each(({ end }) => end) }
    case 'oldest':
      return { direction: 'newer', bounds: each(({ begin }) => begin) }
    case 'offset':
      return { direction: 'newer', bounds: each(() => from.offset) }
    case 'timestamp': {
      const offsets = await reader.offsetsForTime(request.topic, from.timestampMs)
      const bounds = each(({ partition, end }) => offsets.get(partition) ?? end)
      return { direction: 'newer', bounds }
    }
    case 'cursor': {
      const { direction, bounds } = from.cursor
      const missing = ({ begin, end }: PartitionOffsets): number =>
        direction === 'older' ? end : begin
      return { direction, bounds: each((range) => bounds.get(range.partition) ?? missing(range)) }
    }
  }
}

function nextWindows(state: {
  readonly partitions: readonly PartitionOffsets[]
  readonly bounds: ReadonlyMap<number, number>
  readonly direction: Direction
  readonly windowRecords: number
}): Map<number, Window> {
  const windows = new Map<number, Window>()
  for (const { partition, begin, end } of state.partitions) {
    const bound = state.bounds.get(partition) ?? begin
    const window =
      state.direction === 'newer'
        ? {
            begin: Math.max(bound, begin),
            end: Math.min(end, Math.max(bound, begin) + state.windowRecords),
          }
        : {
            begin: Math.max(begin, Math.min(bound, end) - state.windowRecords),
            end: Math.min(bound, end),
          }
    if (window.begin < window.end) windows.set(partition, window)
  }
  return windows
}

interface Round {
  /** What was kept, by partition, in offset order. */
  readonly kept: ReadonlyMap<number, RawMessage[]>
  /** What was read of each window. */
  readonly read: ReadonlyMap<number, Window>
  readonly unfinished: boolean
}

async function readWindows(
  reader: TopicReader,
  topic: string,
  windows: ReadonlyMap<number, Window>,
  keep: (message: RawMessage) => boolean,
  budget: Budget,
): Promise<Round> {
  budget.beginRound()
  const kept = new Map<number, RawMessage[]>()
  const reached = new Map<number, number>()
  for (const [partition, { begin }] of windows) reached.set(partition, begin)
  const open = new Map(windows)
  const cursor = await reader.open(topic, reached)
  try {
    while (open.size > 0 && !budget.roundIsOver()) {
      for (const message of await cursor.poll(pollMs)) {
        const window = open.get(message.partition)
        if (window === undefined || message.offset >= window.end) continue
        budget.take(message)
        reached.set(message.partition, message.offset + 1)
        if (keep(message)) listIn(kept, message.partition).push(message)
      }
      closeReached(cursor, open, reached)
    }
  } finally {
    await cursor.close()
  }
  const read = new Map<number, Window>()
  for (const [partition, { begin }] of windows) {
    read.set(partition, { begin, end: reached.get(partition) ?? begin })
  }
  return { kept, read, unfinished: open.size > 0 }
}

/** Positions run ahead of records where offsets were compacted away or belong to markers. */
function closeReached(
  cursor: TopicCursor,
  open: Map<number, Window>,
  reached: Map<number, number>,
): void {
  for (const [partition, window] of open) {
    if (Math.max(cursor.position(partition), reached.get(partition) ?? 0) < window.end) continue
    reached.set(partition, window.end)
    cursor.finish(partition)
    open.delete(partition)
  }
}

/**
 * Takes records of all partitions in order of time, each partition's in order of offset, until the limit
 * is reached, and moves each bound to the first record not taken.
 */
function merge(state: {
  readonly round: Round
  readonly direction: Direction
  readonly bounds: Map<number, number>
  readonly found: RawMessage[]
  readonly limit: number
}): void {
  const older = state.direction === 'older'
  const heads: RawMessage[][] = []
  for (const [partition, window] of state.round.read) {
    state.bounds.set(partition, older ? window.begin : window.end)
    const kept = state.round.kept.get(partition)
    // Taken from the back: so the next one to take is the last.
    if (kept !== undefined) heads.push(older ? kept : kept.toReversed())
  }
  const sign = older ? -1 : 1
  while (heads.length > 0 && state.found.length < state.limit) {
    let best = 0
    for (let index = 1; index < heads.length; index++) {
      const lead = (timeOf(heads[index]) - timeOf(heads[best])) * sign
      if (lead < 0) best = index
    }
    const list = heads[best]
    const message = list?.pop()
    if (message !== undefined) state.found.push(message)
    if (list === undefined || list.length === 0) heads.splice(best, 1)
  }
  for (const list of heads) {
    const next = list.at(-1)
    if (next !== undefined) state.bounds.set(next.partition, older ? next.offset + 1 : next.offset)
  }
}

function timeOf(list: readonly RawMessage[] | undefined): number {
  return list?.at(-1)?.timestampMs ?? 0
}

function listIn(lists: Map<number, RawMessage[]>, key: number): RawMessage[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

function matcher(filter: string): (message: RawMessage) => boolean {
  if (filter === '') return () => true
  const wanted = filter.toLowerCase()
  const contains = (bytes: Buffer | null): boolean =>
    bytes !== null && bytes.toString('utf8').toLowerCase().includes(wanted)
  return ({ key, value, headers }) =>
    contains(value) ||
    contains(key) ||
    headers.some((header) => header.key.toLowerCase().includes(wanted) || contains(header.value))
}

function decodeMessage(message: RawMessage, maxBytes: number): Message {
  return {
    partition: message.partition,
    offset: message.offset,
    timestampMs: message.timestampMs,
    key: decodeBytes(message.key, maxBytes),
    value: decodeBytes(message.value, maxBytes),
    headers: message.headers.map(({ key, value }) => ({
      key,
      value: decodeBytes(value, maxBytes),
    })),
  }
}
