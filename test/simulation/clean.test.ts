/** Goal: the promises hold. Method: seeds that ran clean before; fresh ones run in CI. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, run } from '../../src/simulation/run.ts'

test('twenty seeds are clean', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { violations } = await run(planOf(seed))
    assert.deepEqual(violations, [], `npm run simulate -- --seed ${seed}`)
  }
})
