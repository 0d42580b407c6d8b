import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatBytes, plural } from '../../ui/src/parts/format.ts'
import { hexDump } from '../../ui/src/parts/hex.ts'
import { jsonTokens, parseExact, prettyValue } from '../../ui/src/parts/json.ts'

test('whole numbers keep all their digits, other numbers stay as they are', () => {
  const text =
    '{"id":9007199254740993123,"big":-12345678901234567890,"pi":3.141592653589793238,"n":1}'
  assert.deepEqual(parseExact(text), {
    id: 9007199254740993123n,
    big: -12345678901234567890n,
    pi: Math.PI,
    n: 1,
  })
  assert.match(prettyValue(parseExact(text)), /"id": 9007199254740993123,\n/)
})

test('pretty JSON is what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(prettyValue(value), JSON.stringify(value, undefined, 2))
    }),
  )
})

test('coloured tokens put together give the text back, whatever it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.equal(
        jsonTokens(text)
          .map((token) => token.text)
          .join(''),
        text,
      )
    }),
  )
  assert.deepEqual(
    jsonTokens('{"a": [1, "x", null]}')
      .filter(({ kind }) => kind !== 'other')
      .map(({ kind, text }) => `${kind} ${text}`),
    ['key "a"', 'number 1', 'string "x"', 'keyword null'],
  )
})

test('a hex dump shows position, bytes and what is printable', () => {
  assert.equal(
    hexDump('48656c6c6f2c206d696c6c72616365210a00ff'),
    [
      '00000000  48 65 6c 6c 6f 2c 20 6d  69 6c 6c 72 61 63 65 21  Hello, millrace!',
      '00000010  0a 00 ff                                          ···',
    ].join('\n'),
  )
})

test('sizes and counts are written for people', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 200 * 1024, 5 * 1024 ** 4].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KB',
    '1.5 KB',
    '200 KB',
    '5.0 TB',
  ])
  assert.equal(plural(1, 'topic'), '1 topic')
  assert.equal(plural(1234, 'topic'), '1,234 topics')
})
