import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBytes } from '../../src/console/decode.ts'

test('null, JSON, text and binary are told apart', () => {
  const kindOf = (text: string): string => decodeBytes(Buffer.from(text), 1024).kind
  assert.equal(decodeBytes(null, 10).kind, 'null')
  assert.equal(kindOf('{"a":1}'), 'json')
  assert.equal(kindOf(' [1, 2]'), 'json')
  assert.equal(kindOf('{not json'), 'text')
  assert.equal(kindOf('42'), 'text')
  assert.equal(kindOf(''), 'text')
  assert.equal(kindOf('\u001b[31mred\u001b[0m\tgrün\n'), 'text')
  assert.equal(kindOf('a\0b'), 'binary')
  assert.deepEqual(decodeBytes(Buffer.from([0, 0, 0, 42, 255]), 1024), {
    kind: 'binary',
    text: '0000002aff',
    sizeBytes: 5,
    truncated: false,
  })
})

test('a cut never splits a character, and says that it cut', () => {
  const decoded = decodeBytes(Buffer.from('ab€uro'), 4)
  assert.deepEqual(decoded, { kind: 'text', text: 'ab', sizeBytes: 8, truncated: true })
  assert.equal(decodeBytes(Buffer.from('{"a":"long"}'), 5).kind, 'text')
})

test('any text stays text whatever the cut, and what is shown is its beginning', () => {
  const controls = /[\p{Cc}]/u
  const readable = fc.string({ unit: 'grapheme' }).filter((text) => !controls.test(text))
  fc.assert(
    fc.property(readable, fc.integer({ min: 4, max: 40 }), (text, maxBytes) => {
      const decoded = decodeBytes(Buffer.from(text), maxBytes)
      assert.notEqual(decoded.kind, 'binary')
      assert.ok(Buffer.from(text).toString('utf8').startsWith(decoded.text))
      assert.ok(Buffer.byteLength(decoded.text) <= maxBytes)
      assert.equal(decoded.truncated, Buffer.byteLength(decoded.text) < decoded.sizeBytes)
    }),
  )
})

test('any bytes decode without an exception, and binary ones read back from their hex', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const decoded = decodeBytes(Buffer.from(bytes), 1024)
      assert.equal(decoded.sizeBytes, bytes.length)
      if (decoded.kind === 'binary')
        assert.deepEqual(Buffer.from(decoded.text, 'hex'), Buffer.from(bytes))
      else assert.deepEqual(Buffer.from(decoded.text), Buffer.from(bytes))
    }),
  )
})
