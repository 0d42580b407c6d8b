// Goal: codecs cut streams into events and print events. Method: any split of the bytes must give the
// same lines; printed forms are compared whole.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Codec } from '../../src/events/codecs/codec.ts'
import { jsonCodec, jsonLinesCodec, lineCodec, plainCodec } from '../../src/events/codecs/plain.ts'
import { rubydebugCodec } from '../../src/events/codecs/rubydebug.ts'
import { PipelineEvent } from '../../src/events/event.ts'
import { parseJson } from '../../src/events/json.ts'
import { Timestamp, isMap } from '../../src/events/values.ts'
import { charsetDecoder } from '../../src/text/charsets.ts'

const utf8 = charsetDecoder('UTF-8')
assert.ok(utf8 !== undefined)
const settings = { charset: utf8, now: () => 1_793_491_200_000 }

function messages(codec: Codec, chunks: readonly Buffer[]): unknown[] {
  const found: unknown[] = []
  const decoder = codec.decoder()
  for (const chunk of chunks) decoder.decode(chunk, (event) => found.push(event.data['message']))
  decoder.flush((event) => found.push(event.data['message']))
  return found
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [
    ...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length]),
  ]
  sorted.sort((one, other) => one - other)
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
}

test('any split of a stream gives the same lines', () => {
  const line = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .filter((text) => !/[\r\n;]/.test(text))
  for (const delimiter of ['\n', ';;']) {
    const codec = lineCodec({ ...settings, delimiter })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.array(fc.nat(200)), (lines, places) => {
        const bytes = Buffer.from(lines.map((text) => text + delimiter).join(''))
        assert.deepEqual(messages(codec, cut(bytes, places)), lines)
      }),
    )
  }
})

test('a carriage return in front of the line end is taken away, and the last line needs no end', () => {
  const codec = lineCodec({ ...settings, delimiter: '\n' })
  assert.deepEqual(messages(codec, [Buffer.from('a\r\nb\n\nc')]), ['a', 'b', '', 'c'])
})

test('JSON lines become events, arrays several, and bad JSON is kept with a tag', () => {
  const events: PipelineEvent[] = []
  const decoder = jsonLinesCodec({ ...settings, delimiter: '\n' }).decoder()
  decoder.decode(Buffer.from('{"a":1}\n[{"a":2},{"a":3}]\n\nnot json\n5\n'), (e) => events.push(e))
  assert.deepEqual(
    events.map(({ data }) => data['a'] ?? data['message']),
    [1, 2, 3, 'not json', '5'],
  )
  assert.deepEqual(events[3]?.data['tags'], ['_jsonparsefailure'])
  assert.equal(events[0]?.data['@version'], '1')
})

test('plain takes each piece as one message; json prints without a line end', () => {
  assert.deepEqual(messages(plainCodec(settings), [Buffer.from('a\nb'), Buffer.from('c')]), [
    'a\nb',
    'c',
  ])
  const event = PipelineEvent.ofData({ a: 1, '@version': '1' }, new Timestamp(0))
  assert.equal(
    jsonCodec(settings).encode(event),
    '{"a":1,"@version":"1","@timestamp":"1970-01-01T00:00:00.000Z"}',
  )
})

test('rubydebug prints a Ruby hash with its keys aligned', () => {
  const data = parseJson('{"a":"x\\n\\"y\\" #{z}","long":[1,{"k":null}],"e":{},"f":2.0}')
  assert.ok(isMap(data))
  const event = PipelineEvent.ofData(data, new Timestamp(0))
  assert.equal(
    rubydebugCodec({ metadata: false }).encode(event),
    [
      '{',
      '             "a" => "x\\n\\"y\\" \\#{z}",',
      '          "long" => [',
      '        [0] 1,',
      '        [1] {',
      '            "k" => nil',
      '        }',
      '    ],',
      '             "e" => {},',
      '             "f" => 2.0,',
      '      "@version" => "1",',
      '    "@timestamp" => 1970-01-01T00:00:00.000Z',
      '}',
      '',
    ].join('\n'),
  )
})

test('JSON that is nested too deep is kept as a message with a tag', () => {
  const text = `${'{"a":'.repeat(20_000)}1.0${'}'.repeat(20_000)}`
  const events: PipelineEvent[] = []
  jsonCodec(settings)
    .decoder()
    .decode(Buffer.from(text), (event) => events.push(event))
  assert.equal(events.length, 1)
  assert.equal(events[0]?.data['message'], text)
  assert.deepEqual(events[0]?.data['tags'], ['_jsonparsefailure'])
})
