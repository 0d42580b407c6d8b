import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseInterval } from '../../ui/src/time/interval.ts'
import { describeRange, formatTime, resolveRange, resolveTime } from '../../ui/src/time/range.ts'

const now = new Date(2026, 10, 23, 10, 30, 15, 250).getTime()
const local = (...parts: [number, number, number, number?, number?, number?, number?]): number =>
  new Date(...parts).getTime()

test('relative times count back from now and round down to units', () => {
  assert.equal(resolveTime('now', now), now)
  assert.equal(resolveTime('now-15m', now), now - 900_000)
  assert.equal(resolveTime('now-1h+30s', now), now - 3_570_000)
  assert.equal(resolveTime('now/d', now), local(2026, 10, 23))
  assert.equal(resolveTime('now/h', now), local(2026, 10, 23, 10))
  assert.equal(resolveTime('now-1M/M', now), local(2026, 9, 1))
  assert.equal(resolveTime('now/w', now), local(2026, 10, 23))
  assert.equal(resolveTime('now/y', now), local(2026, 0, 1))
})

test('absolute times are local unless they name a zone', () => {
  assert.equal(resolveTime('2026-11-23', now), local(2026, 10, 23))
  assert.equal(resolveTime('2026-11-23 10:05', now), local(2026, 10, 23, 10, 5))
  assert.equal(resolveTime('2026-11-23T10:05:06.7', now), local(2026, 10, 23, 10, 5, 6, 700))
  assert.equal(resolveTime('2026-11-23T10:05:06.123Z', now), Date.UTC(2026, 10, 23, 10, 5, 6, 123))
  assert.equal(resolveTime('2026-11-23T10:05:06+01:00', now), Date.UTC(2026, 10, 23, 9, 5, 6))
  assert.equal(resolveTime('1795000000000', now), 1_795_000_000_000)
})

test('what is no time is refused, and so is a day that does not exist', () => {
  for (const text of [
    '',
    'yesterday',
    'now-',
    'now-5x',
    '2026-13-01',
    '2026-11-31',
    '12',
    '2026-11-23 25:00',
  ]) {
    assert.equal(resolveTime(text, now), undefined, text)
  }
  assert.equal(resolveRange({ from: 'now', to: 'now-1h' }, now), undefined)
})

test('formatted times read back as themselves', () => {
  const anyTime = fc.integer({ min: 0, max: 4_000_000_000_000 })
  fc.assert(
    fc.property(anyTime, (ms) => {
      const back = resolveTime(formatTime(ms), 0)
      // The repeated hour at the end of daylight saving reads as its first occurrence.
      assert.ok(back === ms || Math.abs((back ?? 0) - ms) === 3_600_000)
    }),
  )
})

test('ranges are named as people say them', () => {
  assert.equal(describeRange({ from: 'now-15m', to: 'now' }), 'Last 15 minutes')
  assert.equal(describeRange({ from: '2026-11-23 10:00', to: 'now' }), '2026-11-23 10:00:00 → now')
})

test('the histogram has round buckets, at most a hundred, and more than twenty for usual spans', () => {
  assert.equal(chooseInterval(15 * 60_000).text, '10s')
  assert.equal(chooseInterval(3_600_000).text, '1m')
  assert.equal(chooseInterval(86_400_000).text, '30m')
  assert.equal(chooseInterval(7 * 86_400_000).text, '3h')
  assert.equal(chooseInterval(30 * 86_400_000).text, '12h')
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_000_000_000_000 }), (spanMs) => {
      assert.ok(spanMs / chooseInterval(spanMs).ms <= 100)
    }),
  )
})
