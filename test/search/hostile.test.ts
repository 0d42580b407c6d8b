// Goal: no request costs more than its size is worth, and none ends the server. Method: the requests
// that once did, against a server within the test's process.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { UserError } from '../../src/runtime/service.ts'
import { filterPaths } from '../../src/search/json/paths.ts'
import { parseJson } from '../../src/search/json/value.ts'
import { regexPattern } from '../../src/search/query/patterns.ts'
import { startSearch, temporaryDirectory, type TestServer } from './server.ts'

const bodyBytesMax = 1_000_000
let server: TestServer
before(async () => {
  server = await startSearch({ bodyBytesMax })
  const documents = ['first line here', 'second line', '?=a'].map((message) => ({ message }))
  for (const one of documents) await server.call('POST', '/lines/_doc?refresh', one)
})
after(() => server.stop())

interface ErrorAnswer {
  readonly error: { readonly type: string; readonly root_cause: readonly { reason: string }[] }
}

async function search(query: unknown): Promise<{ status: number; reason: string; text: string }> {
  const { status, json, text } = await server.call('POST', '/lines/_search', { query })
  const reason = status === 200 ? '' : ((json as ErrorAnswer).error.root_cause[0]?.reason ?? '')
  return { status, reason, text }
}

const words = (count: number): string[] => Array.from({ length: count }, (_, at) => `w${at}`)

test('more than 1024 clauses of one boolean query are refused, however they are written', async () => {
  const should = words(1025).map((word) => ({ term: { message: word } }))
  const reason = 'failed to create query: maxClauseCount is set to 1024'
  for (const query of [
    { bool: { should } },
    { bool: { must: should.slice(0, 600), filter: should.slice(600) } },
    { match: { message: words(1025).join(' ') } },
    { match_phrase: { message: words(1025).join(' ') } },
    { query_string: { query: words(1025).join(' OR ') } },
    { dis_max: { queries: should } },
  ]) {
    const answer = await search(query)
    assert.equal(answer.status, 400, answer.text.slice(0, 300))
    assert.equal(answer.reason, reason)
  }
  assert.equal((await search({ bool: { should: should.slice(0, 60) } })).status, 200)
})

test('the clauses of a whole query are limited too', async () => {
  const should = words(1000).map((word) => ({ term: { message: word } }))
  const query = { bool: { must: Array.from({ length: 5 }, () => ({ bool: { should } })) } }
  const answer = await search(query)
  assert.equal(answer.status, 400)
  assert.equal(answer.reason, 'failed to create query: the query has more than 4096 clauses')
})

test('a terms query takes 65,536 values and not one more', async () => {
  const terms = (count: number) => ({ terms: { 'message.keyword': words(count) } })
  assert.equal((await search(terms(65_536))).status, 200)
  const answer = await search(terms(65_537))
  assert.equal(answer.status, 400)
  assert.match(answer.reason, /number of terms \[65537\] used .* maximum of \[65536\]/)
})

test('many ids are one condition', async () => {
  assert.equal((await search({ terms: { _id: words(10_000) } })).status, 200)
})

test('dis_max in dis_max with a tie breaker grows with its depth, not with a power of it', async () => {
  let query: unknown = { match: { message: 'line' } }
  for (let depth = 0; depth < 12; depth++) {
    const other = { match: { message: `other${depth}` } }
    query = { dis_max: { tie_breaker: 0.5, queries: [query, other] } }
  }
  const answer = await search(query)
  assert.equal(answer.status, 200)
  const found = JSON.parse(answer.text) as { hits: { hits: { _score: number }[] } }
  const plain = JSON.parse((await search({ match: { message: 'line' } })).text) as typeof found
  const scores = (one: typeof found): number[] => one.hits.hits.map((hit) => hit._score)
  assert.deepEqual(scores(found), scores(plain))
})

test('dis_max adds the tie breaker’s share of what is not the best', async () => {
  const scoreOf = async (query: unknown): Promise<number> => {
    const found = JSON.parse((await search(query)).text) as {
      hits: { hits: { _score: number; _source: { message: string } }[] }
    }
    const hit = found.hits.hits.find(({ _source }) => _source.message === 'first line here')
    return hit?._score ?? 0
  }
  const queries = ['first', 'line', 'here'].map((word) => ({ match: { message: word } }))
  const [first = 0, line = 0, here = 0] = await Promise.all(queries.map(scoreOf))
  const best = Math.max(first, line, here)
  const expected = best + 0.3 * (first + line + here - best)
  const score = await scoreOf({ dis_max: { queries, tie_breaker: 0.3 } })
  assert.ok(Math.abs(score - expected) < 1e-6, `${score} instead of ${expected}`)
})

test('filter_path with many ** is answered, and keeps what it kept', () => {
  const value = { a: { b: { c: { d: 1, x: 2 } } }, x: 3 }
  const nested = JSON.parse(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`) as typeof value
  assert.deepEqual(filterPaths(nested, `${'**.a.'.repeat(15)}x`), {})
  assert.deepEqual(filterPaths(value, '**.**.**.x'), { a: { b: { c: { x: 2 } } }, x: 3 })
  assert.deepEqual(filterPaths(value, '-**.x'), { a: { b: { c: { d: 1 } } } })
})

test('JSON nested deeper than 1000 is refused, document by document in a bulk', async () => {
  const deep = '{"a":'.repeat(20_000) + '1' + '}'.repeat(20_000)
  assert.throws(() => parseJson(deep), SyntaxError)
  assert.deepEqual(parseJson(`["${'\\\\\\"['.repeat(2000)}"]`), ['\\"['.repeat(2000)])
  const put = await server.call('PUT', '/deep/_doc/1', deep)
  assert.equal(put.status, 400)
  const bulk = await server.call(
    'POST',
    '/deep/_bulk',
    `{"index":{}}\n${deep}\n{"index":{}}\n{"ok":1}\n`,
    'application/x-ndjson',
  )
  const items = (bulk.json as { items: { index: { status: number } }[] }).items
  assert.deepEqual(
    items.map((item) => item.index.status),
    [400, 201],
  )
})

test('regular expressions that the engine refuses are the client’s mistake', async () => {
  for (const pattern of ['a{99999}', '((a{100}){100}){100}', 'a\\']) {
    const answer = await search({ regexp: { 'message.keyword': pattern } })
    assert.equal(answer.status, 400, pattern)
  }
  // As in Lucene: no lookahead, no references; a backslash makes any character itself.
  assert.deepEqual(regexPattern('(?=a)\\1\\u\\d').kind, 'regex')
  const found = await search({ regexp: { 'message.keyword': '(?=a)' } })
  assert.equal(found.status, 200)
  assert.match(found.text, /"message":"\?=a"/)
})

test('date math that leaves the calendar is refused', async () => {
  await server.call('PUT', '/dated/_doc/1', { at: '2026-11-01T00:00:00Z' })
  const body = { query: { range: { at: { gte: 'now-99999999999999999y' } } } }
  assert.equal((await server.call('POST', '/dated/_search', body)).status, 400)
})

/** A request whose body stops one byte short, once the server has asked for the body. */
function unfinished(port: number, bytes: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('data', () => socket.write(Buffer.alloc(bytes - 1, 32), () => resolve(socket)))
    socket.write(
      'POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        `Expect: 100-continue\r\nContent-Length: ${bytes}\r\n\r\n`,
    )
  })
}

test('bodies count against one limit while they come in, and give it back when they break off', async () => {
  const port = Number(new URL(server.url).port)
  const held: net.Socket[] = []
  for (let at = 0; at < 4; at++) held.push(await unfinished(port, bodyBytesMax))
  const body = `{"index":{"_index":"late"}}\n{"a":"${'x'.repeat(900_000)}"}\n`
  const send = async (): Promise<number> =>
    (await server.call('POST', '/_bulk', body, 'application/x-ndjson').catch(() => ({ status: 0 })))
      .status
  const refused = await send()
  // The refusal may overtake the end of the body, which shows as a broken connection.
  assert.ok(refused === 429 || refused === 0, `answered ${refused}`)
  const gone = held.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
  for (const socket of held) socket.destroy()
  await Promise.all(gone)
  let status = 0
  for (let round = 0; round < 100 && status !== 200; round++) {
    await server.call('GET', '/')
    status = await send()
  }
  assert.equal(status, 200)
})

test('a bulk of more operations than memory is meant for is refused before any is written', async () => {
  const roomy = await startSearch({ bodyBytesMax: 10_000_000 })
  try {
    const body = '{"index":{}}\n{}\n'.repeat(200_001)
    const answer = await roomy.call('POST', '/tiny/_bulk', body, 'application/x-ndjson')
    assert.equal(answer.status, 413)
    assert.equal((await roomy.call('GET', '/tiny/_count')).status, 404)
  } finally {
    await roomy.stop()
  }
})

test('damaged files are named when the server starts', async () => {
  const damage: readonly [string, (directory: string) => void][] = [
    ['cluster-state.json', (at) => writeFileSync(`${at}/cluster-state.json`, 'garbage')],
    [
      'AAAAAAAAAAAAAAAAAAAAAA.duckdb',
      (at) => writeFileSync(`${at}/indices/AAAAAAAAAAAAAAAAAAAAAA.duckdb`, 'x'.repeat(5000)),
    ],
  ]
  for (const [name, spoil] of damage) {
    const directory = temporaryDirectory()
    await (await startSearch({ directory })).stop()
    spoil(directory)
    await assert.rejects(startSearch({ directory }), (error) => {
      assert.ok(error instanceof UserError, String(error))
      assert.ok(error.message.includes(name), error.message)
      assert.ok(!error.message.includes('\n'))
      return true
    })
  }
})
