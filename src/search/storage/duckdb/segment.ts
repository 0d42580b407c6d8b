// Pure. One segment: a run of rows in a table of its own, with its postings. What is known of it in memory.
import type { ColumnKind } from '../../mapping/field.ts'

export interface Segment {
  readonly number: number
  /** Seq of the first row; postings count documents from here. */
  readonly base: number
  readonly openedMs: number
  /** Columns in the order of the table, after the fixed ones. */
  readonly columns: SegmentColumn[]
  rows: number
  /** Greatest seq of its rows. */
  lastSeq: number
  /** Rows with a seq below this have postings. */
  postedBelow: number
  /** Length of the sources of the other rows; infinite where that is not known. */
  unpostedChars: number
  /** Rows with a seq below this have theirs in the large posting tables, the others in the fresh ones. */
  mergedBelow: number
  /** Fields that had postings when the rows were posted. */
  sealed: boolean
  firstTime: number
  lastTime: number
  /** Rows of this segment that are deleted or replaced. */
  gone: number
}

export interface SegmentColumn {
  readonly column: number
  readonly kind: ColumnKind
  readonly isList: boolean
}

export function newSegment(number: number, base: number, openedMs: number): Segment {
  return {
    number,
    base,
    openedMs,
    columns: [],
    rows: 0,
    lastSeq: base - 1,
    postedBelow: base,
    unpostedChars: 0,
    mergedBelow: base,
    sealed: false,
    firstTime: Number.POSITIVE_INFINITY,
    lastTime: Number.NEGATIVE_INFINITY,
    gone: 0,
  }
}

/** Rows of a full segment. */
export const segmentRowsMax = 1_048_576

/** A segment of fewer rows is not worth a table of its own. */
const segmentRowsMin = 131_072

/** After this age a segment takes no more rows, if it is worth an own table at all. */
const segmentAgeMs = 3_600_000

export function isFull(segment: Segment, now: number): boolean {
  if (segment.rows >= segmentRowsMax) return true
  return segment.rows >= segmentRowsMin && now - segment.openedMs >= segmentAgeMs
}

export function hasColumn(segment: Segment, column: number, isList: boolean): boolean {
  return segment.columns.some((one) => one.column === column && one.isList === isList)
}

export const eventTable = (segment: Segment): string => `ev_${segment.number}`
/**
 * Posting rows (field, token, docs): the rows that a field's text has the token in, as seq minus base;
 * one that has it several times stands there as often.
 */
export const postingTable = (segment: Segment): string => `term_${segment.number}`
/** Lengths of text fields (field, doc, len) in tokens, for scores. */
export const lengthTable = (segment: Segment): string => `len_${segment.number}`
/** The same of the youngest rows, in the order they came. */
export const freshPostingTable = (segment: Segment): string => `term_fresh_${segment.number}`
export const freshLengthTable = (segment: Segment): string => `len_fresh_${segment.number}`
/** Ids (h, seq) of rows whose id was supplied. */
export const idTable = (segment: Segment): string => `id_${segment.number}`

/** The fixed columns of an event table. */
export const fixedColumns =
  'seq BIGINT, id VARCHAR, version INTEGER, ignored VARCHAR, ' +
  'src VARCHAR USING COMPRESSION zstd'
export const fixedColumnCount = 5
