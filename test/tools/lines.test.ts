// Lines of standard input, and what they mean as records.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineFormat, recordFrom } from '../../src/tools/line-records.ts'
import { LineSplitter } from '../../src/tools/lines.ts'

function linesOf(chunks: readonly Buffer[]): string[] {
  const splitter = new LineSplitter()
  const lines = chunks.flatMap((chunk) => splitter.split(chunk))
  return [...lines, ...splitter.end()].map((line) => line.toString('latin1'))
}

test('lines end with LF, CR LF or CR, and the last one may have no end', () => {
  assert.deepEqual(linesOf([Buffer.from('a\nb\r\nc\rd\n\ne')]), ['a', 'b', 'c', 'd', '', 'e'])
  assert.deepEqual(linesOf([Buffer.from('a\n')]), ['a'])
  assert.deepEqual(linesOf([Buffer.from('a\r')]), ['a'])
  assert.deepEqual(linesOf([]), [])
})

test('a CR LF that is cut in two is one end', () => {
  assert.deepEqual(linesOf([Buffer.from('a\r'), Buffer.from('\nb')]), ['a', 'b'])
  assert.deepEqual(linesOf([Buffer.from('a\r'), Buffer.alloc(0), Buffer.from('\n\nb')]), [
    'a',
    '',
    'b',
  ])
})

test('however the input is cut, the lines are those of the whole', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\xff') })
  fc.assert(
    fc.property(text, fc.array(fc.nat(20)), (whole, cuts) => {
      const bytes = Buffer.from(whole, 'latin1')
      const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length]
      places.sort((one, other) => one - other)
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
      const expected = whole.split(/\r\n|\r|\n/)
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(linesOf(chunks), expected)
    }),
  )
})

const record = (properties: Record<string, string>, line: string, number = 1) =>
  recordFrom(lineFormat('t', properties), Buffer.from(line), number)

test('a line is a value, byte for byte', () => {
  const line = Buffer.from([0xff, 0x00, 0x80])
  assert.deepEqual(recordFrom(lineFormat('t', {}), line, 1), { topic: 't', value: line })
})

test('headers, key and value are cut at their separators', () => {
  const parsed = record(
    { 'parse.key': 'true', 'parse.headers': 'TRUE' },
    'h1:x,h2:y:z\tkey\tval\tue',
  )
  assert.equal(parsed.key?.toString(), 'key')
  assert.equal(parsed.value?.toString(), 'val\tue')
  assert.deepEqual(
    parsed.headers?.map(({ key, value }) => [key, value?.toString()]),
    [
      ['h1', 'x'],
      ['h2', 'y:z'],
    ],
  )
})

test('separators may be of several bytes', () => {
  const parsed = record({ 'parse.key': 'true', 'key.separator': '=>' }, 'k=>v=>w')
  assert.equal(parsed.key?.toString(), 'k')
  assert.equal(parsed.value?.toString(), 'v=>w')
})

test('lines without their parts are refused by number, in the words of the original', () => {
  assert.throws(() => record({ 'parse.key': 'true' }, 'nokey', 2), {
    name: 'LineError',
    message: "No key separator found on line number 2: 'nokey'",
  })
  assert.throws(() => record({ 'parse.headers': 'true' }, 'abc'), {
    message: "No headers delimiter found on line number 1: 'abc'",
  })
  assert.throws(() => record({ 'parse.headers': 'true' }, 'h1\tv', 7), {
    message: "No header key separator found in pair 'h1' on line number 7",
  })
})

test('with ignore.error a line without its parts is a value', () => {
  const parsed = record({ 'parse.key': 'true', 'ignore.error': 'true' }, 'nokey')
  assert.equal(parsed.key, null)
  assert.equal(parsed.value?.toString(), 'nokey')
})

test('the null marker stands for null in keys, values and headers', () => {
  const parsed = record(
    { 'parse.key': 'true', 'parse.headers': 'true', 'null.marker': 'NULL' },
    'h:NULL\tNULL\tNULL',
  )
  assert.equal(parsed.key, null)
  assert.equal(parsed.value, null)
  assert.deepEqual(parsed.headers, [{ key: 'h', value: null }])
  const marker = { 'parse.headers': 'true', 'null.marker': 'N' }
  assert.deepEqual(record(marker, 'N\tv').headers, [])
  assert.throws(() => record(marker, 'N:x\tv'), /Header keys should not be equal/)
})

test('separators that could not be told apart are refused', () => {
  assert.throws(() => lineFormat('t', { 'headers.delimiter': ',' }), {
    message: 'headers.delimiter and headers.separator may not be equal',
  })
  assert.throws(() => lineFormat('t', { 'null.marker': '\t' }), {
    message: 'null.marker and key.separator may not be equal',
  })
})
