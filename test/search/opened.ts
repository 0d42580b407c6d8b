/** A storage and its indices under a virtual clock, without a server around them. */
import assert from 'node:assert/strict'
import type { VirtualClock } from '../../src/memory/clock.ts'
import { nodeDisk } from '../../src/node/disk.ts'
import { systemRandom } from '../../src/node/random.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { findCompatibility } from '../../src/search/compatibility.ts'
import { loadDefinition } from '../../src/search/indices/definition.ts'
import { Indices } from '../../src/search/indices/indices.ts'
import { ClusterState } from '../../src/search/indices/templates.ts'
import { IndexFile } from '../../src/search/storage/duckdb/index-file.ts'
import { DuckStorage } from '../../src/search/storage/duckdb/storage.ts'

/** `unpostedRows`: from how many rows on postings are written. */
export async function openAll(directory: string, clock: VirtualClock, unpostedRows: number) {
  const storage = new DuckStorage(
    { clock, disk: nodeDisk, logger: silentLogger },
    {
      directory,
      memoryBytesMax: 400_000_000,
      threads: 2,
      statementMsMax: 30_000,
      readersMax: 2,
      postings: { unpostedRows, mergedRows: 1000 },
      describe: (text) => {
        const { name, mapping } = loadDefinition(text)
        return { name, timeColumn: mapping.numbers['@timestamp'] }
      },
    },
  )
  const state = new ClusterState(nodeDisk, `${directory}/state.json`, () => 'c'.repeat(22))
  const compatibility = findCompatibility('6.4.1')
  assert.ok(compatibility !== undefined)
  const opened = await storage.open()
  const indices = new Indices(
    { clock, random: systemRandom, storage, state, shardsMax: 1000 },
    compatibility,
  )
  indices.load(opened)
  const parts = { storage, compatibility, now: 0, monotonicMs: () => 0 }
  return { storage, indices, parts }
}

export type Opened = Awaited<ReturnType<typeof openAll>>

/** Writes the postings of all rows. */
export async function post(directory: string, clock: VirtualClock): Promise<void> {
  const posting = await openAll(directory, clock, 1)
  for (const index of posting.indices.all) {
    const { storage } = index
    assert.ok(storage instanceof IndexFile)
    await storage.posted()
  }
  await posting.storage.close()
}

/** Rows of the index that have postings. */
export function postedRows(opened: Opened, index: string): number {
  const file = opened.indices.find(index)?.storage
  assert.ok(file instanceof IndexFile)
  return file.segments.reduce((sum, one) => sum + one.postedBelow - one.base, 0)
}
