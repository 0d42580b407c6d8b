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
  [1_075_042_046, 'with a flush per message, nobody sees what a power loss may still take'],
  [1_083_341_045, 'with a flush per message, that holds for a leader that was started again, too'],
]

/** With as many brokers as the seed has. */
const clusters: readonly (readonly [number, string])[] = [
  [5_000_115, 'a leader that lost its disk and was back before anybody looked leads nothing'],
  [6_000_034, 'a leader epoch is not gone on with by a broker that lost what it wrote in it'],
  [8_000_206, 'a broker that starts while a topic is being deleted is not told that it is there'],
  [7_000_063, 'a notice of an in-sync set does not bring back a topic that is being deleted'],
  [
    13_000_901,
    'a group stays with its coordinator while some partitions of its topic have no leader',
  ],
  [8_000_531, 'a consumer reads a topic that was made anew in lower leader epochs'],
]

for (const [seed, promise] of clusters)
  test(promise, async () => {
    const { violations } = await run(planOf(seed))
    assert.deepEqual(violations, [], `npm run simulate -- --seed ${seed}`)
  })

for (const [seed, promise] of history)
  test(promise, async () => {
    const { violations } = await run(planOf(seed, 1))
    assert.deepEqual(violations, [], `npm run simulate -- --seed ${seed} --brokers 1`)
  })
