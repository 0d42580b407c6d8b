import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import { nodeDisk } from '../../src/node/disk.ts'
import { systemRandom } from '../../src/node/random.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { standardAnalyzer, tokenTexts } from '../../src/search/analysis/analyzer.ts'
import { findCompatibility } from '../../src/search/compatibility.ts'
import { loadDefinition } from '../../src/search/indices/definition.ts'
import { Indices } from '../../src/search/indices/indices.ts'
import { ClusterState } from '../../src/search/indices/templates.ts'
import { runCount, runSearch } from '../../src/search/request/search.ts'
import { parseSearch } from '../../src/search/request/search-request.ts'
import { IndexFile } from '../../src/search/storage/duckdb/index-file.ts'
import { DuckStorage } from '../../src/search/storage/duckdb/storage.ts'
import { temporaryDirectory } from './server.ts'

const words = ['alpha', 'beta', 'Gamma', '10.0.0.1', "can't", 'x_y', '支付', 'delta-one']

function textOf(at: number): string {
  const one = words[at % words.length] ?? ''
  const two = words[(at * 7 + 3) % words.length] ?? ''
  return `${one} ${two} id${at} ${at % 3 === 0 ? one : ''}`.trim()
}

async function openAll(directory: string, clock: VirtualClock) {
  const storage = new DuckStorage(
    { clock, disk: nodeDisk, logger: silentLogger },
    {
      directory,
      memoryBytesMax: 400_000_000,
      threads: 2,
      statementMsMax: 30_000,
      readersMax: 2,
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
  const indices = new Indices({ clock, random: systemRandom, storage, state }, compatibility)
  indices.load(opened)
  const parts = { storage, compatibility, now: 0, monotonicMs: () => 0 }
  return { storage, indices, parts }
}

type Opened = Awaited<ReturnType<typeof openAll>>

async function write(opened: Opened, from: number, to: number): Promise<void> {
  const index = await opened.indices.forWriting('logs')
  const operations = []
  for (let at = from; at < to; at++) {
    const source = JSON.stringify({
      at,
      message: textOf(at),
      list: [textOf(at), `second${at % 5}`],
    })
    operations.push({ kind: 'index' as const, id: `n${at}`, source })
  }
  await index.write(operations)
}

async function answers(opened: Opened): Promise<unknown[]> {
  const indices = opened.indices.resolve('logs')
  const results: unknown[] = []
  for (const word of [...words.slice(3), 'id77']) {
    for (const field of ['message', 'list']) {
      for (const kind of ['match', 'match_phrase']) {
        const query = { [kind]: { [field]: word } }
        results.push((await runCount(opened.parts, indices, query))['count'])
      }
    }
    const scored = parseSearch(
      { query: { match: { message: `${word} beta` } }, size: 3 },
      new Map(),
    )
    results.push((await runSearch(opened.parts, indices, scored))['hits'])
  }
  return results
}

function expectedCount(word: string, documents: number): number {
  const wanted = tokenTexts(standardAnalyzer, word)
  let count = 0
  for (let at = 0; at < documents; at++) {
    const tokens = new Set(tokenTexts(standardAnalyzer, textOf(at)))
    if (wanted.some((token) => tokens.has(token))) count++
  }
  return count
}

function postedRows(opened: Opened): number {
  const file = opened.indices.find('logs')?.storage
  assert.ok(file instanceof IndexFile)
  return file.segments.reduce((sum, one) => sum + one.postedBelow - one.base, 0)
}

test('posted rows, scanned rows and both together give the same answers', async () => {
  const directory = temporaryDirectory()
  const clock = new VirtualClock()
  try {
    let opened = await openAll(directory, clock)
    await write(opened, 0, 1500)
    assert.equal(postedRows(opened), 0)
    const scanned = await answers(opened)

    await clock.advance(2000)
    await opened.storage.close()
    opened = await openAll(directory, clock)
    assert.equal(postedRows(opened), 1500)
    assert.deepEqual(await answers(opened), scanned)

    await write(opened, 1500, 2000)
    const indices = opened.indices.resolve('logs')
    for (const word of words) {
      const { count } = await runCount(opened.parts, indices, { match: { message: word } })
      assert.equal(count, expectedCount(word, 2000), word)
    }

    const half = await opened.indices.forWriting('logs')
    await half.write(Array.from({ length: 1000 }, (_, at) => ({ kind: 'delete', id: `n${at}` })))
    const { count } = await runCount(opened.parts, indices, { match: { message: 'alpha' } })
    assert.equal(count, expectedCount('alpha', 2000) - expectedCount('alpha', 1000))
    await opened.storage.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
