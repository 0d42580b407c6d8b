import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import type { JsonObject } from '../../src/search/json/value.ts'
import { parseSearch } from '../../src/search/request/search-request.ts'
import { runSearch } from '../../src/search/request/search.ts'
import { openAll, type Opened, post, postedRows } from './opened.ts'
import { temporaryDirectory } from './server.ts'

const agents = ['curl/8.5.0', 'Mozilla/5.0 Firefox/121.0', 'Mozilla/5.0 Chrome/120.0', 'wget']
const paths = ['/', '/index.html', '/login', '/static/app.js', '/api/items']

/** A line of an access log as a chain delivers it, with 20 fields that say the same in all documents. */
function documentOf(at: number): JsonObject {
  const agent = agents[at % agents.length] ?? ''
  const path = paths[at % paths.length] ?? ''
  const code = [200, 304, 404, 500][(at * 7) % 3] ?? 200
  const labels = Array.from({ length: 20 }, (_, n) => [`label${n}`, `value ${n} of the host web-1`])
  return {
    '@timestamp': 1_700_000_000_000 + at * 1000,
    message: `10.0.${at % 7}.${at % 250} "GET ${path} HTTP/1.1" ${code} "${agent}"`,
    agent,
    path,
    code,
    ...Object.fromEntries(labels),
  }
}

async function write(opened: Opened, from: number, to: number): Promise<void> {
  const index = await opened.indices.forWriting('logs')
  const operations = []
  for (let at = from; at < to; at++) {
    const source = JSON.stringify(documentOf(at))
    operations.push({ kind: 'index' as const, id: `n${at}`, source })
  }
  await index.write(operations)
}

const text = (query: string): JsonObject => ({ query_string: { query } })
const match = (query: string, more: JsonObject = {}): JsonObject => ({
  multi_match: { query, fields: ['*'], ...more },
})

/** Searches over all fields, and how many of 1500 documents each finds. */
const searches: readonly (readonly [JsonObject, number])[] = [
  [text('curl'), 375],
  [text('curl chrome firefox 404'), 1250],
  [text('curl AND 404'), 125],
  [text('NOT curl'), 1125],
  [text('"GET index.html"'), 300],
  [text('"GET html"~5'), 0],
  [text('cur*'), 375],
  [text('*irefo*'), 375],
  [text('crul~'), 375],
  [text('/fire.*/'), 375],
  [text('nowhere'), 0],
  [text('value -curl'), 1125],
  [match('curl chrome'), 750],
  [match('GET /ind', { type: 'phrase_prefix' }), 300],
  [match('crome', { fuzziness: 'AUTO' }), 375],
  [match('curl login', { type: 'most_fields' }), 600],
  [match('curl login', { tie_breaker: 0.3 }), 600],
  [
    {
      bool: {
        must: [text('curl')],
        should: [{ bool: { must: [text('login')], filter: [text('500')] } }, text('404')],
        must_not: [text('"GET static"')],
        filter: [{ range: { code: { gte: 300 } } }],
      },
    },
    200,
  ],
]

async function answers(opened: Opened): Promise<JsonObject[]> {
  const indices = opened.indices.resolve('logs')
  const found: JsonObject[] = []
  for (const [at, [query]] of searches.entries()) {
    const aggs = {
      codes: { terms: { field: 'code' }, aggs: { top: { top_hits: { size: 1 } } } },
      agents: { filters: { filters: { curl: text('curl'), phrase: text('"GET login"') } } },
    }
    const sorted = { size: 2, sort: ['@timestamp'], track_scores: true }
    // Aggregations run the same conditions once more for every level: some searches are enough.
    for (const more of [{ size: 3 }, at % 6 === 0 ? { ...sorted, aggs } : sorted]) {
      const answer = await runSearch(
        opened.parts,
        indices,
        parseSearch({ query, ...more }, new Map()),
      )
      const { hits, aggregations = {} } = answer as JsonObject
      found.push({ hits: hits ?? {}, aggregations })
    }
  }
  return found
}

// The limit stands for the engine's own: statements with a lookup per field and place never end.
test('searches over all of many fields end, alike by postings and by scan', {
  timeout: 120_000,
}, async () => {
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
    const posted = await answers(opened)
    for (const [at, answer] of posted.entries()) {
      const name = JSON.stringify(searches[Math.floor(at / 2)]?.[0])
      assert.deepEqual(answer, scanned[at], name)
    }
    const totals = posted
      .filter((_, at) => at % 2 === 0)
      .map(({ hits }) => (hits as JsonObject)['total'])
    assert.deepEqual(
      totals,
      searches.map(([, total]) => total),
    )
    await opened.storage.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
