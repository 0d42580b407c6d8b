// Goal: templates give the texts of the original. Method: examples; the recorded ones are in the
// pipeline's golden test.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineEvent } from '../../src/events/event.ts'
import { FieldReferenceError } from '../../src/events/references.ts'
import { compileTemplate } from '../../src/events/sprintf.ts'
import { Timestamp } from '../../src/events/values.ts'
import { DatePatternError } from '../../src/text/dates/pattern.ts'

const time = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const event = PipelineEvent.ofData({ a: 'A', o: { k: [1, null] } }, new Timestamp(time))

function render(text: string): string {
  return compileTemplate(text, () => 0).render(event)
}

test('dates are printed by Joda and by java.time patterns, in UTC', () => {
  assert.equal(render('logs-%{+YYYY.MM.dd}'), 'logs-2026.01.02')
  assert.equal(
    render('%{+yy/M/d HH:mm:ss.SSS Z EEE MMMM}'),
    '26/1/2 03:04:05.678 +0000 Fri January',
  )
  assert.equal(render("%{+xxxx-'W'ww-e}"), '2026-W01-5')
  assert.equal(render("%{{uuuu-MM-dd'T'HH}}"), '2026-01-02T03')
  assert.equal(render('%{{TIME_NOW}}'), '1970-01-01T00:00:00.000Z')
  assert.equal(render('%{+%s}'), '1767323045')
})

test('lists are joined, objects become JSON, unfinished templates stay', () => {
  assert.equal(render('%{[o][k]}'), '1,')
  assert.equal(render('%{o}'), '{"k":[1,null]}')
  assert.equal(render('%{a'), '%{a')
  assert.equal(render('x%{@timestamp}y'), 'x2026-01-02T03:04:05.678Zy')
})

test('mistakes are found when the template is compiled', () => {
  assert.throws(() => compileTemplate('%{[x}', () => 0), FieldReferenceError)
  assert.throws(() => compileTemplate('%{+YYYY.QQ}', () => 0), DatePatternError)
})
