import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Line,
  type LineCursor,
  absorb,
  cursorAt,
  lineOf,
  planRead,
} from '../../src/shipper/inputs/lines.ts'

/** Reads what there is of `content`, as the harvester does. */
function readAll(
  cursor: LineCursor,
  content: Buffer,
  chunkBytes: number,
  into: Line[],
): LineCursor {
  let now = cursor
  for (;;) {
    const plan = planRead(now, content.length, chunkBytes)
    if (plan.kind === 'nothing') return now
    const chunk = Buffer.alloc(chunkBytes)
    const length = content.copy(chunk, 0, plan.from, plan.from + plan.length)
    const absorbed = absorb(now, chunk, length, { from: plan.from, maxBytes: 1000 })
    const { longLine } = absorbed
    into.push(...absorbed.lines)
    if (longLine !== undefined) {
      const { start, newlineAt } = longLine
      const bytes = content.subarray(start, newlineAt)
      const line = lineOf(bytes, 0, bytes.length, { base: start, maxBytes: 1000 })
      into.push({ ...line, end: newlineAt + 1 })
    }
    now = absorbed.cursor
  }
}

const piece = fc.oneof(
  fc.constantFrom('\n', '\r\n', '\r', 'é', '支付', '', 'x'.repeat(30)),
  fc.string({ maxLength: 12 }),
)

test('lines and offsets are the same however the file grows and is read', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(piece)),
      fc.integer({ min: 2, max: 40 }),
      (growth, chunkBytes) => {
        let content = Buffer.alloc(0)
        let cursor = cursorAt(0)
        const found: Line[] = []
        for (const pieces of growth) {
          content = Buffer.concat([content, Buffer.from(pieces.join(''))])
          cursor = readAll(cursor, content, chunkBytes, found)
        }
        const expected: Line[] = []
        let start = 0
        for (let end = content.indexOf(10); end >= 0; end = content.indexOf(10, start)) {
          const text = content.subarray(start, end).toString('utf8').replace(/\r$/, '')
          expected.push({ text, start, end: end + 1, truncated: false })
          start = end + 1
        }
        assert.deepEqual(found, expected)
        assert.equal(cursor.position, start)
      },
    ),
  )
})

test('an unfinished last line is not given out, and its bytes are not looked at twice', () => {
  const content = Buffer.from('whole\nunfinished line that goes on')
  const found: Line[] = []
  const cursor = readAll(cursorAt(0), content, 8, found)
  assert.deepEqual(
    found.map(({ text }) => text),
    ['whole'],
  )
  assert.deepEqual(cursor, { position: 6, scanned: content.length })
  assert.deepEqual(planRead(cursor, content.length, 8), { kind: 'nothing' })
  assert.deepEqual(planRead(cursor, content.length + 3, 8), {
    kind: 'chunk',
    from: content.length,
    length: 3,
  })
})

test('a line over the limit is cut and marked, its end stays where it is', () => {
  const bytes = Buffer.from(`${'a'.repeat(10)}\r`)
  assert.deepEqual(lineOf(bytes, 0, 11, { base: 100, maxBytes: 4 }), {
    text: 'aaaa',
    start: 100,
    end: 112,
    truncated: true,
  })
  assert.equal(lineOf(bytes, 0, 11, { base: 100, maxBytes: 10 }).truncated, false)
})

test('a byte order mark at the start of a file is left out', () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61])
  assert.equal(lineOf(bytes, 0, 4, { base: 0, maxBytes: 9 }).text, 'a')
  assert.equal(lineOf(bytes, 0, 4, { base: 7, maxBytes: 9 }).text, '\ufeffa')
})
