// Goal: the language and the filters behave as the original does. Method: run every recorded case
// through parser, compiler and filters, and compare with what a real Logstash gave.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type GoldenCase, runCase } from './support/golden.ts'

// The recording was made in UTC, and dates that name no zone are in the machine's.
process.env['TZ'] = 'UTC'

const path = new URL('../golden/logstash/pairs.ndjson', import.meta.url)
const cases = readFileSync(path, 'utf8')
  .trim()
  .split('\n')
  .map((line): GoldenCase => JSON.parse(line))

for (const [index, golden] of cases.entries()) {
  const label = `case ${index}: ${golden.group}, ${golden.name}`
  test(`${label} gives what the original gave`, async () => {
    await runCase(golden)
  })
}

test('all 108 recorded cases are here', () => {
  assert.equal(cases.length, 108)
})
