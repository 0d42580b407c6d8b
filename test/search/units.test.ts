import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { analyze, standardAnalyzer, tokenTexts } from '../../src/search/analysis/analyzer.ts'
import { findDateFormat } from '../../src/search/dates/format.ts'
import { addUnits, parseDateMath, roundDown } from '../../src/search/dates/math.ts'
import { findZone, toUtc, utc } from '../../src/search/dates/zone.ts'
import { expandNames, resolveDateMath, splitNames } from '../../src/search/indices/names.ts'
import { locate } from '../../src/search/json/locate.ts'
import { filterPaths, filterSource, globMatches } from '../../src/search/json/paths.ts'
import { RawJson, renderJson } from '../../src/search/json/value.ts'
import { formatAddress, parseAddress, parseBlock } from '../../src/search/mapping/address.ts'
import { minimumOf, wildcardPattern } from '../../src/search/query/patterns.ts'
import { formatDecimal } from '../../src/search/request/decimal.ts'
import { shortFloat } from '../../src/search/request/hits.ts'
import { AutoIds } from '../../src/search/storage/duckdb/auto-id.ts'
import { idHash } from '../../src/search/storage/duckdb/append.ts'

const format = findDateFormat('strict_date_optional_time||epoch_millis')

function date(text: string, roundUp = false): string {
  assert.ok(format !== undefined)
  const now = Date.UTC(2026, 10, 23, 10, 20, 30, 400)
  return new Date(parseDateMath(text, { now, format, roundUp })).toISOString()
}

test('date math', () => {
  assert.equal(date('now'), '2026-11-23T10:20:30.400Z')
  assert.equal(date('now-1d/d'), '2026-11-22T00:00:00.000Z')
  assert.equal(date('now/d', true), '2026-11-23T23:59:59.999Z')
  assert.equal(date('2026-01-31||+1M'), '2026-02-28T00:00:00.000Z')
  assert.equal(date('2026-11-01'), '2026-11-01T00:00:00.000Z')
  assert.equal(date('2026-11', true), '2026-11-30T23:59:59.999Z')
  assert.equal(date('1793491200000'), '2026-11-01T00:00:00.000Z')
  assert.throws(() => date('now-1x'), /unit \[x\] not supported for date math \[-1x\]/)
  assert.throws(() => date('2026-02-30'), /failed to parse date field \[2026-02-30\]/)
})

test('what a format writes it reads again', () => {
  const pattern = findDateFormat("yyyy/MM/dd'T'HH:mm:ss.SSS")
  assert.ok(pattern !== undefined)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (epochMs) => {
      assert.equal(pattern.parse(pattern.format(epochMs)), epochMs)
      assert.equal(format?.parse(format.format(epochMs)), epochMs)
    }),
  )
})

test('a rounded moment is not after the moment, and the next unit is', () => {
  const zone = findZone('Europe/Berlin') ?? utc
  const units = fc.constantFrom('minute', 'hour', 'day', 'week', 'month', 'quarter', 'year')
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), units, (epochMs, unit) => {
      const start = roundDown(epochMs, unit, zone)
      assert.ok(start <= epochMs)
      assert.ok(addUnits(start, unit, 1, zone) > epochMs - 3_600_000)
    }),
  )
})

test('local time to UTC across the change to summer time', () => {
  const zone = findZone('Europe/Berlin') ?? utc
  assert.equal(toUtc(zone, Date.UTC(2026, 2, 29, 0)), Date.UTC(2026, 2, 28, 23))
  assert.equal(toUtc(zone, Date.UTC(2026, 2, 29, 4)), Date.UTC(2026, 2, 29, 2))
  assert.equal(findZone('Nowhere/City'), undefined)
})

test('the standard analyzer cuts as the original does', () => {
  const tokens = tokenTexts(standardAnalyzer, `can't GET /a_b 10.0.1.9 v1,5 支付 x@y.com`)
  assert.deepEqual(tokens, ["can't", 'get', 'a_b', '10.0.1.9', 'v1,5', '支', '付', 'x', 'y.com'])
  assert.equal(analyze(standardAnalyzer, 'x'.repeat(300)).length, 2)
})

test('every token is the lower-cased text at its offsets', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      for (const token of analyze(standardAnalyzer, text)) {
        assert.equal(token.text, text.slice(token.start, token.end).toLowerCase())
      }
    }),
  )
})

test('globs match like regular expressions, in linear time', () => {
  const parts = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const names = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })
  fc.assert(
    fc.property(parts, names, (glob, name) => {
      const expected = new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(name)
      assert.equal(globMatches(glob, name), expected)
    }),
  )
  assert.equal(globMatches('*a'.repeat(50_000), 'b'.repeat(50_000)), false)
})

test('filter_path keeps and drops', () => {
  const value = { a: { b: 1, c: 2 }, items: [{ x: { s: 1, e: 2 } }, { x: { s: 3 } }] }
  assert.deepEqual(filterPaths(value, 'a.b'), { a: { b: 1 } })
  assert.deepEqual(filterPaths(value, 'items.*.e'), { items: [{ x: { e: 2 } }] })
  assert.deepEqual(filterPaths(value, '-items'), { a: { b: 1, c: 2 } })
  assert.deepEqual(filterPaths(value, '**.s'), { items: [{ x: { s: 1 } }, { x: { s: 3 } }] })
})

test('sources are filtered by path', () => {
  const source = { host: { name: 'a', ip: 'b' }, status: 1, log: { file: { path: 'p' } } }
  assert.deepEqual(filterSource(source, ['host.*'], []), { host: { name: 'a', ip: 'b' } })
  assert.deepEqual(filterSource(source, ['host'], ['*.ip']), { host: { name: 'a' } })
  assert.deepEqual(filterSource(source, [], ['log']), { host: { name: 'a', ip: 'b' }, status: 1 })
})

test('places in JSON text', () => {
  const text = '{"query":{"term":{"status":200,"bytes":1}}}'
  assert.deepEqual(locate(text, ['query', 'term', 'bytes'], 'value'), { line: 1, col: 40 })
  assert.deepEqual(locate('{"a":\n{"b":2}}', ['a', 'b'], 'name'), { line: 2, col: 2 })
  assert.deepEqual(locate('{"a":{}}', ['a'], 'end'), { line: 1, col: 7 })
})

test('locating never fails, whatever the text and path', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string(), { maxLength: 3 }), (text, path) => {
      const { line, col } = locate(text, path, 'end')
      assert.ok(line >= 1 && col >= 1)
    }),
  )
})

test('rendering equals JSON.stringify, and splices raw text in', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(renderJson(value), JSON.stringify(value))
    }),
  )
  assert.equal(renderJson({ a: [new RawJson('{"x":1.0}')], b: undefined }), '{"a":[{"x":1.0}]}')
})

test('addresses', () => {
  for (const text of ['10.0.0.1', '::', '::1', '2001:db8::1:0:0:1', 'fe80::1', '1:2:3:4:5:6:7:8']) {
    const hex = parseAddress(text)
    assert.equal(hex?.length, 32, text)
    assert.equal(formatAddress(hex ?? ''), text)
  }
  for (const text of ['256.1.1.1', '1.2.3', ':::', '1:2', 'x', '1:2:3:4:5:6:7:8:9']) {
    assert.equal(parseAddress(text), undefined, text)
  }
  const block = parseBlock('192.168.1.0/24')
  assert.equal(formatAddress(block?.first ?? ''), '192.168.1.0')
  assert.equal(formatAddress(block?.last ?? ''), '192.168.1.255')
})

test('index expressions', () => {
  const all = ['logs-1', 'logs-2', 'other']
  const known = (name: string): boolean => all.includes(name)
  assert.deepEqual(expandNames('logs-*,-logs-2', known, all).names, ['logs-1'])
  assert.deepEqual(expandNames('nope,other', known, all), { names: ['other'], missing: ['nope'] })
  assert.deepEqual(splitNames('a,<b-{now/d{yyyy,MM}}>,c'), ['a', '<b-{now/d{yyyy,MM}}>', 'c'])
  const now = Date.UTC(2026, 10, 23, 20)
  assert.equal(resolveDateMath('<logs-{now/d}>', now), 'logs-2026.11.23')
  assert.equal(resolveDateMath('<logs-{now/d{yyyy.MM.dd|+08:00}}>', now), 'logs-2026.11.24')
})

test('minimum_should_match', () => {
  assert.equal(minimumOf(2, 5), 2)
  assert.equal(minimumOf('-1', 5), 4)
  assert.equal(minimumOf('75%', 5), 3)
  assert.equal(minimumOf('-25%', 4), 3)
  assert.equal(minimumOf('3<90%', 3), 3)
  assert.equal(minimumOf('3<50%', 10), 5)
})

test('wildcards name the pieces that must be there', () => {
  assert.deepEqual(wildcardPattern('check**'), { kind: 'prefix', text: 'check' })
  const pattern = wildcardPattern('*eck?ut\\**')
  assert.deepEqual(pattern, { kind: 'regex', re2: '.*eck.ut\\*.*', literals: ['eck', 'ut*'] })
})

test('scores print as the shortest number that is the same float', () => {
  assert.equal(shortFloat(Math.fround(7.1210995)), 7.1210995)
  assert.equal(shortFloat(Math.fround(0.1)), 0.1)
  fc.assert(
    // No score is negative, so that -0, which prints as 0, does not come up.
    fc.property(fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(Math.fround(shortFloat(value)), value)
    }),
  )
})

test('decimal patterns', () => {
  assert.equal(formatDecimal(0, '#,##0.0'), '0.0')
  assert.equal(formatDecimal(1234567.891, '#,##0.00'), '1,234,567.89')
  assert.equal(formatDecimal(-0.5, '0.##'), '-0.5')
})

test('ids that are given are read back to their row', () => {
  const ids = new AutoIds('abcdefghijklmnopqrstuv')
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 47 }), (seq) => {
      const id = ids.encode(seq)
      assert.equal(id.length, 20)
      assert.equal(ids.decode(id), seq)
    }),
  )
  assert.equal(ids.decode('x'.repeat(20)), undefined)
})

test('the hash of ids, which is stored, stays what it was', () => {
  assert.equal(idHash('a'), 1_626_374_925_844_316)
  const seen = new Set(Array.from({ length: 100_000 }, (_, at) => idHash(`event-${at}`)))
  assert.equal(seen.size, 100_000)
})
