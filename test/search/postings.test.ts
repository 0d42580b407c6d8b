import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import { standardAnalyzer, tokenTexts } from '../../src/search/analysis/analyzer.ts'
import { runCount, runSearch } from '../../src/search/request/search.ts'
import { parseSearch } from '../../src/search/request/search-request.ts'
import { IndexFile } from '../../src/search/storage/duckdb/index-file.ts'
import { openAll, type Opened, post, postedRows } from './opened.ts'
import { temporaryDirectory } from './server.ts'

const words = ['alpha', 'beta', 'Gamma', '10.0.0.1', "can't", 'x_y', '支付', 'delta-one']

function textOf(at: number): string {
  const one = words[at % words.length] ?? ''
  const two = words[(at * 7 + 3) % words.length] ?? ''
  return `${one} ${two} id${at} ${at % 3 === 0 ? one : ''}`.trim()
}

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

test('posted rows, scanned rows and both together give the same answers', async () => {
  const directory = temporaryDirectory()
  const clock = new VirtualClock()
  try {
    let opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    await write(opened, 0, 1500)
    assert.equal(postedRows(opened, 'logs'), 0)
    const scanned = await answers(opened)

    await opened.storage.close()
    await post(directory, clock)
    opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    assert.equal(postedRows(opened, 'logs'), 1500)
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
    const before = await answers(opened)
    await opened.storage.close()

    // With the rest, the fresh postings are as many as are merged at once.
    await post(directory, clock)
    opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    const file = opened.indices.find('logs')?.storage
    assert.ok(file instanceof IndexFile)
    assert.deepEqual(
      file.segments.map(({ postedBelow, mergedBelow }) => [postedBelow, mergedBelow]),
      [[2000, 2000]],
    )
    assert.deepEqual(await answers(opened), before)
    await opened.storage.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('what is too little to be posted at once is posted when nothing more comes', async () => {
  const directory = temporaryDirectory()
  const clock = new VirtualClock()
  try {
    const opened = await openAll(directory, clock, 10)
    const posted = async () => {
      const file = opened.indices.find('logs')?.storage
      assert.ok(file instanceof IndexFile)
      await file.posted()
      return postedRows(opened, 'logs')
    }
    await write(opened, 0, 1600)
    assert.equal(await posted(), 1600)
    await write(opened, 1600, 1700)
    assert.equal(await posted(), 1600)
    await clock.advance(999)
    await write(opened, 1700, 1750)
    await clock.advance(999)
    assert.equal(await posted(), 1600)
    await clock.advance(1)
    assert.equal(await posted(), 1750)
    await write(opened, 1750, 1759)
    await clock.advance(10_000)
    assert.equal(await posted(), 1750)
    await opened.storage.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
