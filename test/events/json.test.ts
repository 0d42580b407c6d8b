// Goal: JSON goes in and out without change of kind or digits. Method: examples and random values.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJson, stringifyJson } from '../../src/events/json.ts'
import { javaNumberText, rubyNumberText } from '../../src/events/numbers.ts'
import { ExactNumber, Timestamp, floatValue, parseTimestamp } from '../../src/events/values.ts'

test('whole floats and long integers keep their text', () => {
  for (const text of [
    '{"a":3.0}',
    '[1.0,2,9007199254740993,-0.0]',
    '{"a":1e3,"s":"1.0"}',
    '1.0',
    '{"a":12345678901234567890,"b":[{"c":-5.00}]}',
  ]) {
    assert.equal(stringifyJson(parseJson(text)), text)
  }
})

test('any JSON value comes out as it went in', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text)
      assert.deepEqual(JSON.parse(stringifyJson(parseJson(text))), value)
    }),
  )
})

test('floats are printed as Java and as Ruby print them', () => {
  const shown = (value: number) => {
    const float = floatValue(value)
    assert.ok(typeof float === 'number' || float instanceof ExactNumber)
    return [javaNumberText(float), rubyNumberText(float)]
  }
  assert.deepEqual(shown(1e21), ['1.0E21', '1.0e+21'])
  assert.deepEqual(shown(3), ['3.0', '3.0'])
  assert.deepEqual(shown(0.00012), ['1.2E-4', '0.00012'])
  assert.deepEqual(shown(12_345_678.5), ['1.23456785E7', '12345678.5'])
  assert.deepEqual(shown(-0.5), ['-0.5', '-0.5'])
})

test('timestamps keep nanoseconds and read offsets', () => {
  const text = (given: string) => parseTimestamp(given)?.toString()
  assert.equal(text('2026-11-01T10:00:00.123456789Z'), '2026-11-01T10:00:00.123456789Z')
  assert.equal(text('2026-11-01T10:00:00.123456+02:00'), '2026-11-01T08:00:00.123456Z')
  assert.equal(text('2026-11-01'), '2026-11-01T00:00:00.000Z')
  assert.equal(text('2026-02-30T00:00:00Z'), undefined)
  assert.equal(text('2026-11-01T24:00:00Z'), undefined)
  assert.equal(new Timestamp(-1).toString(), '1969-12-31T23:59:59.999Z')
})

test('JSON nested deeper than 1000 is none, with and without unusual numbers', () => {
  for (const inner of ['1', '1.0']) {
    assert.throws(
      () => parseJson(`${'{"a":'.repeat(1001)}${inner}${'}'.repeat(1001)}`),
      SyntaxError,
    )
    assert.throws(
      () => parseJson(`${'['.repeat(50_000)}${inner}${']'.repeat(50_000)}`),
      SyntaxError,
    )
    const text = `${'['.repeat(1000)}${inner}${']'.repeat(1000)}`
    assert.equal(stringifyJson(parseJson(text)), text)
  }
})

test('brackets within texts do not nest', () => {
  const value = ['\\"[[{'.repeat(1000), '\\', '['.repeat(2000)]
  assert.deepEqual(parseJson(JSON.stringify(value)), value)
})

test('the years before 100 are not those of the twentieth century', () => {
  assert.equal(parseTimestamp('0026-11-01T00:00:00Z'), undefined)
  assert.equal(parseTimestamp('0100-01-01T00:00:00Z')?.toString(), '0100-01-01T00:00:00.000Z')
})
