/** Goal: the simulator notices what breaks a promise. Method: mistakes made on purpose. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Mutant, mutants } from '../../src/simulation/mutants.ts'
import { planOf, run } from '../../src/simulation/run.ts'

const seedsMax = 500

/**
 * The number of the first invariant that a mutant violates, in the first seed that does; seeds that are
 * known to find it come first, since a search takes its time where there are many brokers.
 */
async function firstViolation(mutant: Mutant): Promise<string | undefined> {
  const takeBack = mutant.apply()
  const seeds = Array.from({ length: seedsMax }, (_, index) => index + 1)
  try {
    for (const seed of [...(known[mutant.name] ?? []), ...seeds]) {
      const plan = planOf(seed, mutant.brokers)
      if (!mutant.isNoticeable(plan)) continue
      const [violation] = (await run(plan, mutant.options)).violations
      if (violation !== undefined) return violation.number
    }
    return undefined
  } finally {
    takeBack()
  }
}

const known: Readonly<Record<string, readonly number[]>> = {
  'acknowledge-before-replicated': [61, 76],
  'truncate-to-watermark': [3, 64],
  'skip-epoch-check': [71, 85],
  'commit-before-replicated': [303],
}

const expected: Readonly<Record<string, readonly string[]>> = {
  'acknowledge-before-written': ['I1', 'I3', 'I13', 'I14', 'I15'],
  'acknowledge-before-synced': ['I1', 'I3', 'I13', 'I14', 'I15'],
  'coordination-without-sync': ['I9', 'I10', 'I18'],
  'forget-watches': ['I18'],
  'commit-before-append': ['I13'],
  'skip-sequence-check': ['I6'],
  'immortal-sessions': ['I10'],
  'acknowledge-before-replicated': ['I1', 'I3', 'I6', 'I13', 'I14', 'I15', 'I21'],
  'truncate-to-watermark': ['I1', 'I3', 'I14', 'I15', 'I21'],
  'skip-epoch-check': ['I19', 'I20'],
  'commit-before-replicated': ['I13'],
}

for (const mutant of mutants)
  test(`it is noticed when ${mutant.about}`, async () => {
    const number = await firstViolation(mutant)
    assert.ok(number !== undefined, `not found within ${seedsMax} seeds`)
    assert.ok(expected[mutant.name]?.includes(number), `found by ${number}`)
  })
