/** Goal: what a seed once found stays mended. Method: the seeds of SPEC.md's history, run again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, run } from '../../src/simulation/run.ts'

const history: readonly (readonly [number, string])[] = [
  [100_185, 'retention after a power loss deletes nothing by a stale time index'],
  [100_364, 'rebuilt indexes are durable before a clean marker vouches for them'],
  [1_073_761_997, 'coordination serves no transaction that an earlier life left unsynced'],
  [1_073_741_846, 'a session that was lost and regained leaves the cluster its controller'],
  [700_337, 'a batch behind one whose time ran out keeps its number, since it may be written'],
  [
    1_074_442_699,
    'a batch that a restarted leader does not remember is asked for, not numbered anew',
  ],
]

for (const [seed, promise] of history)
  test(promise, async () => {
    const { violations } = await run(planOf(seed))
    assert.deepEqual(violations, [], `npm run simulate -- --seed ${seed}`)
  })
