// Goal: dates are read and printed right in every zone. Method: random instants against Intl and the
// language's own dates.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dateOfDays, daysOfDate } from '../../src/text/dates/calendar.ts'
import { compileDateFormat } from '../../src/text/dates/format.ts'
import { parseIso8601, parseTai64n, parseUnix } from '../../src/text/dates/formats.ts'
import { compileDateParser } from '../../src/text/dates/parse.ts'
import { localToUtc, utc, zoneOf } from '../../src/text/dates/zones.ts'

const instant = fc.integer({ min: Date.UTC(1950, 0, 1), max: Date.UTC(2099, 0, 1) })
const nowMs = Date.UTC(2026, 10, 23)

function zone(name: string) {
  const found = zoneOf(name)
  assert.ok(found !== undefined, name)
  return found
}

test('days and dates convert both ways as the language does', () => {
  fc.assert(
    fc.property(fc.integer({ min: -800_000, max: 2_000_000 }), (days) => {
      const date = new Date(days * 86_400_000)
      const parts = dateOfDays(days)
      assert.deepEqual(
        [parts.year, parts.month, parts.day],
        [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()],
      )
      assert.equal(daysOfDate(parts.year, parts.month, parts.day), days)
    }),
  )
})

test('what a pattern prints it reads back, in zones with and without summer time', () => {
  const pattern = 'yyyy-MM-dd HH:mm:ss.SSS Z'
  const parse = compileDateParser(pattern)
  for (const name of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia']) {
    const format = compileDateFormat(pattern, zone(name))
    fc.assert(
      // Older zones have offsets with seconds, which Z does not print.
      fc.property(instant, (ms) => assert.equal(parse(format(ms), nowMs, utc), ms)),
      { numRuns: 50 },
    )
  }
})

test('local times in a zone are what Intl says', () => {
  const parse = compileDateParser('MM/dd/yyyy, HH:mm:ss')
  for (const name of ['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe']) {
    const shown = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    fc.assert(
      fc.property(instant, (ms) => {
        const text = shown.format(ms)
        const read = parse(text, nowMs, zone(name))
        assert.ok(read !== undefined, text)
        assert.equal(shown.format(read), text)
      }),
      { numRuns: 60 },
    )
  }
})

test('a time that clocks skip is refused, one they show twice is the earlier', () => {
  const berlin = zone('Europe/Berlin')
  assert.equal(localToUtc(berlin, Date.UTC(2026, 2, 29, 2, 30)), undefined)
  assert.equal(localToUtc(berlin, Date.UTC(2026, 9, 25, 2, 30)), Date.UTC(2026, 9, 25, 0, 30))
})

test('ISO 8601 texts mean what the language reads in them', () => {
  fc.assert(
    fc.property(instant, (ms) => {
      assert.equal(parseIso8601(new Date(ms).toISOString(), utc), ms)
    }),
  )
  assert.equal(parseIso8601('2026-W01-5T03', utc), Date.UTC(2026, 0, 2, 3))
  assert.equal(parseIso8601('2026-032', utc), Date.UTC(2026, 1, 1))
  assert.equal(parseIso8601('2026-13-01', utc), undefined)
})

test('a year that is missing is this one, or the neighbour around its turn', () => {
  const parse = compileDateParser('MMM d HH:mm:ss')
  const read = (text: string, now: number) => new Date(parse(text, now, utc) ?? 0).toISOString()
  assert.equal(read('Nov 3 10:00:00', nowMs), '2026-11-03T10:00:00.000Z')
  assert.equal(read('Dec 31 23:59:59', Date.UTC(2027, 0, 1)), '2026-12-31T23:59:59.000Z')
  assert.equal(read('Jan 1 00:00:00', Date.UTC(2026, 11, 31)), '2027-01-01T00:00:00.000Z')
})

test('other forms: two-digit years, halves of the day, TAI64N, seconds, other languages', () => {
  const read = (pattern: string, text: string, locale?: string) => {
    const ms = compileDateParser(pattern, locale)(text, nowMs, utc)
    return ms === undefined ? undefined : new Date(ms).toISOString()
  }
  assert.equal(read('yy-M-d', '75-1-2'), '1975-01-02T00:00:00.000Z')
  assert.equal(read('yy-M-d', '45-1-2'), '2045-01-02T00:00:00.000Z')
  assert.equal(read('yyyyMMddHHmmss', '20261101100000'), '2026-11-01T10:00:00.000Z')
  assert.equal(read('hh:mm a', '12:30 am'), '2026-01-01T00:30:00.000Z')
  assert.equal(read('dd MMMM yyyy', '01 novembre 2026', 'fr'), '2026-11-01T00:00:00.000Z')
  assert.equal(read('yyyy-MM-dd', '2026-02-29'), undefined)
  assert.equal(read('yyyy-MM-dd', '2026-02-28x'), undefined)
  assert.equal(parseTai64n('@4000000050d506482dbdf024'), 1_356_138_046_767)
  assert.equal(parseUnix('1793500000.25'), 1_793_500_000_250)
  assert.equal(parseUnix('99999999999'), undefined)
})
