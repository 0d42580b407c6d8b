import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expiredSegments, type RetentionQuestion } from '../../src/storage/retention.ts'
import { type RollQuestion, shouldRoll } from '../../src/storage/roll.ts'

describe('rolling', () => {
  const limits = { segmentBytes: 1000, segmentMs: 500 }
  const question: RollQuestion = {
    sizeBytes: 900,
    baseOffset: 10,
    createdMs: 0,
    firstTimestamp: 100,
    indexFull: false,
    jitterMs: 0,
    append: { bytes: 100, lastOffset: 20, maxTimestamp: 600, nowMs: 1_000_000 },
  }
  const rolls = (change: Partial<RollQuestion>, append: Partial<RollQuestion['append']> = {}) =>
    shouldRoll({ ...question, ...change, append: { ...question.append, ...append } }, limits)

  it('waits while the append fits and its time is near', () => {
    assert.equal(rolls({}), false)
  })

  it('happens when the segment would grow too large, unless it is empty', () => {
    assert.equal(rolls({}, { bytes: 101 }), true)
    assert.equal(rolls({ sizeBytes: 0 }, { bytes: 5000 }), false)
  })

  it('goes by record time, shortened by jitter; by the clock only where there is no record time', () => {
    assert.equal(rolls({}, { maxTimestamp: 601 }), true)
    assert.equal(rolls({ jitterMs: 1 }), true)
    assert.equal(rolls({ firstTimestamp: -1 }), true)
    assert.equal(rolls({ firstTimestamp: -1 }, { nowMs: 500 }), false)
    assert.equal(rolls({ sizeBytes: 0, firstTimestamp: -1 }), false)
  })

  it('happens when an index is full or an offset does not fit an entry', () => {
    assert.equal(rolls({ indexFull: true }), true)
    assert.equal(rolls({ sizeBytes: 0 }, { lastOffset: 10 + 2147483647 }), false)
    assert.equal(rolls({ sizeBytes: 0 }, { lastOffset: 11 + 2147483647 }), true)
  })
})

describe('retention', () => {
  const question: RetentionQuestion = {
    segments: [
      { baseOffset: 0, sizeBytes: 100, largestTimestampMs: 1000 },
      { baseOffset: 10, sizeBytes: 100, largestTimestampMs: 2000 },
      { baseOffset: 20, sizeBytes: 100, largestTimestampMs: 3000 },
    ],
    logStartOffset: 0,
    logEndOffset: 30,
    highWatermark: 30,
    nowMs: 5000,
  }
  const none = { deletes: true, retentionMs: -1, retentionBytes: -1 }
  const count = (limits: Partial<typeof none>, change: Partial<RetentionQuestion> = {}) =>
    expiredSegments({ ...question, ...change }, { ...none, ...limits })

  it('deletes by age, strictly older, from the head only', () => {
    assert.equal(count({}), 0)
    assert.equal(count({ retentionMs: 4000 }), 0)
    assert.equal(count({ retentionMs: 3999 }), 1)
    assert.equal(count({ retentionMs: 2500 }), 2)
    assert.equal(count({ retentionMs: 0 }), 3)
    const [first, ...others] = question.segments
    assert.ok(first !== undefined)
    const youngHead = { segments: [{ ...first, largestTimestampMs: 9000 }, ...others] }
    assert.equal(count({ retentionMs: 0 }, youngHead), 0)
  })

  it('deletes by size as long as the rest is still large enough', () => {
    assert.equal(count({ retentionBytes: 300 }), 0)
    assert.equal(count({ retentionBytes: 201 }), 0)
    assert.equal(count({ retentionBytes: 200 }), 1)
    assert.equal(count({ retentionBytes: 0 }), 3)
  })

  it('never deletes above the high watermark, nor an empty active segment', () => {
    assert.equal(count({ retentionMs: 0 }, { highWatermark: 19 }), 1)
    const segments = question.segments.map((segment, at) =>
      at === 2 ? { ...segment, sizeBytes: 0 } : segment,
    )
    assert.equal(count({ retentionMs: 0 }, { segments, logEndOffset: 20 }), 2)
  })

  it('deletes what lies below the log start, also where the policy does not delete', () => {
    assert.equal(count({ deletes: false, retentionMs: 0 }), 0)
    assert.equal(count({ deletes: false }, { logStartOffset: 19 }), 1)
    assert.equal(count({ deletes: false }, { logStartOffset: 20 }), 2)
  })
})
