// Pure. Joins lines that belong together into one message.

import type { MultilineSettings } from '../settings.ts'
import type { Line } from './lines.ts'

/** A line, or several joined, as it becomes one event. */
export interface Message {
  readonly text: string
  readonly start: number
  readonly end: number
  /** log.flags */
  readonly flags: readonly string[]
}

/** A line with what the patterns say of it. */
export interface MatchedLine {
  readonly line: Line
  readonly matches: boolean
  readonly flushes: boolean
}

interface Pending {
  readonly parts: string[]
  readonly start: number
  end: number
  bytes: number
  lines: number
  truncated: boolean
  lastMatches: boolean
}

export const noFlags: readonly string[] = []
const truncatedFlag: readonly string[] = ['truncated']

export function messageOf(line: Line): Message {
  const flags = line.truncated ? truncatedFlag : noFlags
  return { text: line.text, start: line.start, end: line.end, flags }
}

/** The message that is being joined in one file. */
export class MultilineJoiner {
  readonly #settings: MultilineSettings
  readonly #maxBytes: number
  #pending: Pending | undefined

  constructor(settings: MultilineSettings, maxBytes: number) {
    this.#settings = settings
    this.#maxBytes = maxBytes
  }

  /** Where the message under way begins. */
  get pendingStart(): number | undefined {
    return this.#pending?.start
  }

  /** Appends the messages that this line completes. */
  add(matched: MatchedLine, into: Message[]): void {
    const { line } = matched
    if (this.#pending === undefined) {
      if (line.text === '') {
        into.push(messageOf(line))
        return
      }
      this.#begin(matched)
    } else if (matched.flushes) {
      this.#append(this.#pending, matched)
      this.flush(into)
      return
    } else if (this.#belongs(this.#pending, matched)) {
      this.#append(this.#pending, matched)
    } else {
      this.flush(into)
      if (line.text === '') into.push(messageOf(line))
      else this.#begin(matched)
    }
  }

  /** Gives out what is there: the timeout struck, or the file ends. */
  flush(into: Message[]): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    const flags = pending.truncated ? ['truncated'] : []
    if (pending.lines > 1) flags.push('multiline')
    const text = pending.parts.join(this.#settings.skipNewLine ? '' : '\n')
    into.push({ text, start: pending.start, end: pending.end, flags })
  }

  /** Forgets what is there; it will be read again. */
  reset(): void {
    this.#pending = undefined
  }

  #begin({ line, matches }: MatchedLine): void {
    this.#pending = {
      parts: [line.text],
      start: line.start,
      end: line.end,
      bytes: Buffer.byteLength(line.text),
      lines: 1,
      truncated: line.truncated,
      lastMatches: matches,
    }
  }

  #belongs(pending: Pending, { matches }: MatchedLine): boolean {
    const decides = this.#settings.match === 'after' ? matches : pending.lastMatches
    return decides !== this.#settings.negate
  }

  /** Beyond the limits lines are taken, and left out. */
  #append(pending: Pending, { line, matches }: MatchedLine): void {
    pending.end = line.end
    pending.lastMatches = matches
    if (pending.lines >= this.#settings.maxLines || pending.bytes >= this.#maxBytes) {
      pending.truncated = true
      return
    }
    const room = this.#maxBytes - pending.bytes - 1
    const bytes = Buffer.byteLength(line.text)
    const fits = bytes <= room
    const text = fits ? line.text : Buffer.from(line.text).toString('utf8', 0, Math.max(room, 0))
    pending.parts.push(text)
    pending.bytes += Math.min(bytes, Math.max(room, 0)) + 1
    pending.lines += 1
    if (!fits || line.truncated) pending.truncated = true
  }
}
