// Pure. Finds the lines of a file that is read piece by piece. What follows the last newline is not
// kept: it is read again when the file has grown, so an idle file costs no memory.

/** Where reading stands in one file. */
export interface LineCursor {
  /** Start of the first line that was not given out yet. */
  readonly position: number
  /** No newline lies in [position, scanned). */
  readonly scanned: number
}

export interface Line {
  text: string
  /** Offset of its first byte. */
  readonly start: number
  /** Offset behind its newline. */
  readonly end: number
  /** It was longer than allowed; the rest is left out. */
  readonly truncated: boolean
}

export type ReadPlan =
  /** Read [from, from + length) and call `absorb`. */
  | { readonly kind: 'chunk'; readonly from: number; readonly length: number }
  /** Nothing new. */
  | { readonly kind: 'nothing' }

/** A line too long for a chunk, found whole: its bytes are still to be read. */
export interface LongLine {
  readonly start: number
  readonly newlineAt: number
}

export interface Absorbed {
  readonly cursor: LineCursor
  readonly lines: readonly Line[]
  readonly longLine: LongLine | undefined
}

export function cursorAt(position: number): LineCursor {
  return { position, scanned: position }
}

/** What to read next of a file of `size` bytes. Short remains are read again rather than kept. */
export function planRead(cursor: LineCursor, size: number, chunkBytes: number): ReadPlan {
  if (size <= cursor.scanned) return { kind: 'nothing' }
  const from = cursor.scanned - cursor.position < chunkBytes >> 1 ? cursor.position : cursor.scanned
  return { kind: 'chunk', from, length: Math.min(chunkBytes, size - from) }
}

/**
 * The whole lines of chunk[0, length), which was read at `from` as planned. CR LF ends a line like
 * LF.
 */
export function absorb(
  cursor: LineCursor,
  chunk: Buffer,
  length: number,
  { from, maxBytes }: { readonly from: number; readonly maxBytes: number },
): Absorbed {
  if (from > cursor.position) return absorbLong(cursor, chunk, length, from)
  const bytes = chunk.subarray(0, length)
  const lines: Line[] = []
  let at = 0
  for (;;) {
    const newline = bytes.indexOf(10, at)
    if (newline < 0) break
    lines.push(lineOf(bytes, at, newline, { base: from, maxBytes }))
    at = newline + 1
  }
  return {
    cursor: { position: from + at, scanned: from + length },
    lines,
    longLine: undefined,
  }
}

function absorbLong(cursor: LineCursor, chunk: Buffer, length: number, from: number): Absorbed {
  const newline = chunk.subarray(0, length).indexOf(10)
  if (newline < 0) {
    const moved = { position: cursor.position, scanned: from + length }
    return { cursor: moved, lines: [], longLine: undefined }
  }
  const newlineAt = from + newline
  const longLine = { start: cursor.position, newlineAt }
  return { cursor: cursorAt(newlineAt + 1), lines: [], longLine }
}

/**
 * The line whose bytes, up to its newline, are bytes[start, newline); `base` is the offset of
 * bytes[0] in the file.
 */
export function lineOf(
  bytes: Buffer,
  start: number,
  newline: number,
  { base, maxBytes }: { readonly base: number; readonly maxBytes: number },
): Line {
  let from = start
  let end = newline
  if (end > from && bytes[end - 1] === 13) end -= 1
  // A byte order mark belongs to the file, not to its first line.
  const isMarked = base + start === 0 && bytes[from] === 0xef && bytes[from + 1] === 0xbb
  if (isMarked && bytes[from + 2] === 0xbf) from += 3
  const truncated = end - from > maxBytes
  if (truncated) end = from + maxBytes
  return {
    text: bytes.toString('utf8', from, end),
    start: base + start,
    end: base + newline + 1,
    truncated,
  }
}
