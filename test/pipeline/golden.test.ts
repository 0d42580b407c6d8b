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

/** Cases that need plugins which are not built. A case here must fail, and one not here must pass. */
const notBuilt: Readonly<Record<string, readonly string[]>> = {
  dissect: ['nested', 'fail', 'missing field', 'empty field', 'multi char'],
  kv: [
    'default',
    'split chars',
    'trim',
    'recursive',
    'transform',
    'brackets off',
    'whitespace lenient',
    'source',
    'escaped quotes',
  ],
}

function isNotBuilt(golden: GoldenCase): boolean {
  return notBuilt[golden.group]?.includes(golden.name) ?? false
}

for (const [index, golden] of cases.entries()) {
  const label = `case ${index}: ${golden.group}, ${golden.name}`
  if (isNotBuilt(golden)) {
    test(`${label} is not built, and is listed as such`, async () => {
      await assert.rejects(runCase(golden))
    })
  } else {
    test(`${label} gives what the original gave`, async () => {
      await runCase(golden)
    })
  }
}

test('94 of the 108 recorded cases pass, and every listed case exists', () => {
  const listed = Object.entries(notBuilt).flatMap(([group, names]) =>
    names.map((name) => `${group}/${name}`),
  )
  const all = cases.map(({ group, name }) => `${group}/${name}`)
  assert.deepEqual(
    listed.filter((name) => !all.includes(name)),
    [],
  )
  assert.equal(cases.length, 108)
  assert.equal(cases.filter((golden) => !isNotBuilt(golden)).length, 94)
})
