import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { VirtualClock } from '../../src/memory/clock.ts'
import { standardAnalyzer, tokenTexts } from '../../src/search/analysis/analyzer.ts'
import type { JsonObject } from '../../src/search/json/value.ts'
import { runCount, runSearch } from '../../src/search/request/search.ts'
import { parseSearch } from '../../src/search/request/search-request.ts'
import { openAll, type Opened, post, postedRows } from './opened.ts'
import { temporaryDirectory } from './server.ts'

const words = ['alpha', 'alpine', 'beta', 'betas', 'Gamma', '10.0.0.1', "can't", '支付', 'x_y', 'a']
const documents = 400

function messageOf(at: number): string {
  const one = words[at % words.length] ?? ''
  const two = words[(at * 7 + 3) % words.length] ?? ''
  return `${one} ${two} ${two} id${at % 50}`
}

async function write(opened: Opened, from: number, to: number): Promise<void> {
  const index = await opened.indices.forWriting('logs')
  const operations = []
  for (let at = from; at < to; at++) {
    const list = at % 2 === 0 ? [messageOf(at), 'second'] : 'other'
    const source = JSON.stringify({ message: messageOf(at), list, none: '!?' })
    operations.push({ kind: 'index' as const, id: `n${at}`, source })
  }
  await index.write(operations)
}

type Fits = (token: string) => boolean

/** A query on `message`, and which of its tokens it is about. */
function patternsOf(start: string, piece: string): (readonly [JsonObject, Fits])[] {
  return [
    [{ prefix: { message: start } }, (token) => token.startsWith(start)],
    [{ wildcard: { message: `${start}*` } }, (token) => token.startsWith(start)],
    [{ wildcard: { message: `*${piece}*` } }, (token) => token.includes(piece)],
    [
      { wildcard: { message: `${start}?*` } },
      (token) => token.startsWith(start) && token.length > start.length,
    ],
    [{ regexp: { message: `[${start}b].*` } }, (token) => /^[ab]/.test(token)],
    [{ fuzzy: { message: { value: 'btea', fuzziness: 1 } } }, (token) => token === 'beta'],
    [{ fuzzy: { message: { value: 'alhpa', prefix_length: 2 } } }, (token) => token === 'alpha'],
    [{ fuzzy: { message: { value: 'alhpa', prefix_length: 3 } } }, () => false],
  ]
}

const patterns = [...patternsOf('a', 'et'), ...patternsOf('a', '支'), ...patternsOf('a', 'a')]
const broad: readonly JsonObject[] = [
  { wildcard: { message: '*' } },
  { prefix: { message: '' } },
  { wildcard: { none: '*' } },
  { match_phrase_prefix: { message: 'alpha b' } },
  { match_bool_prefix: { message: 'nothing bet' } },
  { query_string: { query: 'al*' } },
  { query_string: { query: 'list:sec* AND message:id1*' } },
  { query_string: { query: '-al* beta' } },
]

async function answers(opened: Opened): Promise<unknown[]> {
  const indices = opened.indices.resolve('logs')
  const found: unknown[] = []
  for (const query of [...patterns.map(([one]) => one), ...broad]) {
    const request = parseSearch(
      { query, size: 2, highlight: { fields: { message: {} } } },
      new Map(),
    )
    const { hits } = (await runSearch(opened.parts, indices, request)) as JsonObject
    found.push([query, hits])
  }
  return found
}

async function count(opened: Opened, query: JsonObject): Promise<unknown> {
  return (await runCount(opened.parts, opened.indices.resolve('logs'), query))['count']
}

function expected(fits: Fits): number {
  let all = 0
  for (let at = 0; at < documents; at++) {
    if (tokenTexts(standardAnalyzer, messageOf(at)).some(fits)) all++
  }
  return all
}

test('patterns find what they fit, alike by postings, by scan and by both', async () => {
  const directory = temporaryDirectory()
  const clock = new VirtualClock()
  try {
    const half = documents / 2
    let opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    await write(opened, 0, half)
    await opened.storage.close()
    await post(directory, clock)
    opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    await write(opened, half, documents)
    assert.equal(postedRows(opened, 'logs'), half)
    const byBoth = await answers(opened)

    await opened.storage.close()
    await post(directory, clock)
    opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    assert.equal(postedRows(opened, 'logs'), documents)
    assert.deepEqual(await answers(opened), byBoth)
    for (const [query, fits] of patterns) {
      assert.equal(await count(opened, query), expected(fits), JSON.stringify(query))
    }
    assert.equal(await count(opened, { wildcard: { message: '*' } }), documents)
    assert.equal(await count(opened, { wildcard: { none: '*' } }), 0)

    const letters = fc.string({
      minLength: 1,
      maxLength: 4,
      unit: fc.constantFrom('a', 'b', 'e', 'l', 't', '1', '.'),
    })
    await fc.assert(
      fc.asyncProperty(letters, async (start) => {
        const found = await count(opened, { prefix: { message: start } })
        assert.equal(
          found,
          expected((token) => token.startsWith(start)),
        )
      }),
      { numRuns: 20 },
    )
    await opened.storage.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('postings of another layout are made anew, and until then rows are scanned', async () => {
  const directory = temporaryDirectory()
  const clock = new VirtualClock()
  try {
    let opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    await write(opened, 0, documents)
    const before = await answers(opened)
    const uuid = opened.indices.find('logs')?.uuid
    await opened.storage.close()
    await post(directory, clock)

    const engine = await DuckDBInstance.create(`${directory}/${uuid}.duckdb`)
    const connection = await engine.connect()
    await connection.run('DROP TABLE term_0')
    await connection.run('UPDATE posted SET probe = 1')
    connection.closeSync()
    engine.closeSync()

    opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    assert.equal(postedRows(opened, 'logs'), 0)
    assert.deepEqual(await answers(opened), before)
    await opened.storage.close()
    await post(directory, clock)
    opened = await openAll(directory, clock, Number.POSITIVE_INFINITY)
    assert.equal(postedRows(opened, 'logs'), documents)
    assert.deepEqual(await answers(opened), before)
    await opened.storage.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
