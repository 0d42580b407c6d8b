import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Client } from '@elastic/elasticsearch'
import { lines, startSearch, temporaryDirectory, type TestServer } from './server.ts'

let server: TestServer
before(async () => {
  server = await startSearch({ bodyBytesMax: 1_000_000 })
})
after(() => server.stop())

const ndjson = 'application/x-ndjson'

async function total(index: string, query: unknown): Promise<unknown> {
  const answer = await server.call('POST', `/${index}/_count`, { query })
  assert.equal(answer.status, 200, answer.text)
  return (answer.json as { count: number }).count
}

test('the official client indexes, bulks and searches', async () => {
  const client = new Client({ node: server.url })
  try {
    await client.index({ index: 'official', id: '1', body: { message: 'hello world', n: 1 } })
    const bulk = await client.bulk({
      body: [{ index: { _index: 'official' } }, { message: 'hello again', n: 2 }],
    })
    assert.equal(bulk.body['errors'], false)
    const found = await client.search({
      index: 'official',
      body: { query: { match: { message: 'hello' } }, sort: [{ n: 'desc' }] },
    })
    assert.deepEqual(found.body['hits'].total, { value: 2, relation: 'eq' })
    assert.equal(found.body['hits'].hits[0]._source.message, 'hello again')
    const one = await client.get({ index: 'official', id: '1' })
    assert.deepEqual(one.body['_source'], { message: 'hello world', n: 1 })
  } finally {
    await client.close()
  }
})

test('from 7.17 a value that does not fit is kept in the source and named in _ignored', async () => {
  await server.call('PUT', '/misfit/_doc/1', { n: 1, o: { a: 1 } })
  const second = await server.call('PUT', '/misfit/_doc/2', { n: 'many', o: 'text', m: 'kept' })
  assert.equal(second.status, 201, second.text)
  const found = await server.call('POST', '/misfit/_search', { query: { match: { m: 'kept' } } })
  const [hit] = (found.json as { hits: { hits: Record<string, unknown>[] } }).hits.hits
  assert.deepEqual(hit?.['_source'], { n: 'many', o: 'text', m: 'kept' })
  assert.deepEqual(hit?.['_ignored'], ['n', 'o'])
  assert.equal(await total('misfit', { exists: { field: 'n' } }), 1)
})

test('fields beyond the limit are ignored, not their documents', async () => {
  const settings = { 'index.mapping.total_fields.limit': 3 }
  await server.call('PUT', '/narrow', { settings })
  const answer = await server.call('PUT', '/narrow/_doc/1', { a: 1, b: 2, c: 3, d: 4, e: 5 })
  assert.equal(answer.status, 201, answer.text)
  assert.equal(await total('narrow', { term: { a: 1 } }), 1)
  assert.equal(await total('narrow', { exists: { field: 'e' } }), 0)
})

test('arrays are found and aggregated by each of their values', async () => {
  const body = lines(
    { index: { _id: '1' } },
    { tags: ['a', 'b'], n: [1, 5] },
    { index: { _id: '2' } },
    { tags: 'a', n: 3 },
    { index: { _id: '3' } },
    { tags: [], n: null },
  )
  await server.call('POST', '/lists/_bulk', body, ndjson)
  assert.equal(await total('lists', { term: { 'tags.keyword': 'b' } }), 1)
  assert.equal(await total('lists', { match: { tags: 'a' } }), 2)
  assert.equal(await total('lists', { range: { n: { gt: 4 } } }), 1)
  assert.equal(await total('lists', { exists: { field: 'tags' } }), 2)
  const answer = await server.call('POST', '/lists/_search?size=0', {
    aggs: { t: { terms: { field: 'tags.keyword' } }, s: { stats: { field: 'n' } } },
  })
  const { aggregations } = answer.json as { aggregations: Record<string, unknown> }
  assert.deepEqual(aggregations['s'], { count: 3, min: 1, max: 5, avg: 3, sum: 9 })
  assert.deepEqual((aggregations['t'] as { buckets: unknown }).buckets, [
    { key: 'a', doc_count: 2 },
    { key: 'b', doc_count: 1 },
  ])
})

test('a document that is replaced or deleted is found no more, and its new form is', async () => {
  await server.call('PUT', '/change/_doc/1', { w: 'old' })
  const second = await server.call('PUT', '/change/_doc/1', { w: 'new' })
  assert.equal((second.json as { _version: number })._version, 2)
  assert.equal(await total('change', { match: { w: 'old' } }), 0)
  assert.equal(await total('change', { match: { w: 'new' } }), 1)
  assert.equal((await server.call('DELETE', '/change/_doc/1')).status, 200)
  assert.equal(await total('change', { match_all: {} }), 0)
  assert.equal((await server.call('GET', '/change/_doc/1')).status, 404)
})

test('a document without an id is found under the id that it was given', async () => {
  const made = await server.call('POST', '/given/_doc', { a: 1 })
  const id = (made.json as { _id: string })._id
  const got = await server.call('GET', `/given/_doc/${id}`)
  assert.deepEqual((got.json as { _source: unknown })._source, { a: 1 })
  assert.equal(await total('given', { ids: { values: [id] } }), 1)
  await server.call('PUT', `/given/_doc/${id}`, { a: 2 })
  const again = await server.call('GET', `/given/_doc/${id}`)
  assert.deepEqual((again.json as { _source: unknown })._source, { a: 2 })
  assert.equal(await total('given', { match_all: {} }), 1)
})

test('a bulk names the failures of single documents and keeps the rest', async () => {
  const body = `${lines({ index: { _id: '1' } }, { a: 1 }, { index: { _id: '2' } })}{"a":\n`
  const answer = await server.call('POST', '/partly/_bulk', body, ndjson)
  const json = answer.json as { errors: boolean; items: { index: { status: number } }[] }
  assert.equal(json.errors, true)
  assert.deepEqual(
    json.items.map((item) => item.index.status),
    [201, 400],
  )
  assert.equal(await total('partly', { match_all: {} }), 1)
})

test('filter_path leaves what shippers ask for', async () => {
  const body = lines({ create: { _id: '1' } }, { a: 1 })
  const path = '/filtered/_bulk?filter_path=errors,items.*.error,items.*.status'
  const first = await server.call('POST', path, body, ndjson)
  assert.deepEqual(first.json, { errors: false, items: [{ create: { status: 201 } }] })
})

test('gzip bodies are unpacked, and refused where they unpack to more than is allowed', async () => {
  const send = async (text: string): Promise<number> => {
    const answer = await fetch(`${server.url}/packed/_bulk`, {
      method: 'POST',
      body: gzipSync(text),
      headers: { 'content-type': ndjson, 'content-encoding': 'gzip' },
    })
    await answer.text()
    return answer.status
  }
  assert.equal(await send(lines({ index: {} }, { a: 1 })), 200)
  assert.equal(await send(' '.repeat(5_000_000)), 413)
  assert.equal(await total('packed', { match_all: {} }), 1)
})

test('a body above the limit is refused with 413', async () => {
  const answer = await server.call('POST', '/_bulk', 'x'.repeat(1_100_000), ndjson)
  assert.equal(answer.status, 413)
})

test('every answer carries the product header and the media type that was asked for', async () => {
  const type = 'application/vnd.elasticsearch+json;compatible-with=8'
  const answer = await fetch(`${server.url}/`, { headers: { accept: type } })
  assert.equal(answer.headers.get('x-elastic-product'), 'Elasticsearch')
  assert.equal(answer.headers.get('content-type'), type)
  const missing = await fetch(`${server.url}/nothing/_search`)
  assert.equal(missing.headers.get('x-elastic-product'), 'Elasticsearch')
  assert.equal(missing.status, 404)
})

test('names and values with quotes and semicolons are only ever values', async () => {
  const evil = `x"; DROP TABLE meta; --'`
  const stored = await server.call('PUT', '/evil/_doc/1', { [evil]: evil, plain: evil })
  assert.equal(stored.status, 201, stored.text)
  assert.equal(await total('evil', { term: { 'plain.keyword': evil } }), 1)
  assert.equal(await total('evil', { term: { [`${evil}.keyword`]: evil } }), 1)
  assert.equal(await total('evil', { wildcard: { 'plain.keyword': `*'; --*` } }), 0)
  assert.equal(await total('evil', { ids: { values: ["1'"] } }), 0)
})

test('names that differ only in case are different fields', async () => {
  await server.call('PUT', '/cases/_doc/1', { Level: 'upper', level: 'lower' })
  assert.equal(await total('cases', { term: { 'Level.keyword': 'upper' } }), 1)
  assert.equal(await total('cases', { term: { 'level.keyword': 'upper' } }), 0)
})

test('templates of both kinds give new indices their mappings', async () => {
  await server.call('PUT', '/_index_template/comp', {
    index_patterns: ['comp-*'],
    template: { mappings: { properties: { code: { type: 'keyword' } } } },
  })
  await server.call('PUT', '/_template/old', {
    index_patterns: ['old-*'],
    mappings: { properties: { code: { type: 'keyword' } } },
  })
  for (const index of ['comp-1', 'old-1']) {
    await server.call('PUT', `/${index}/_doc/1`, { code: 7 })
    const mapping = await server.call('GET', `/${index}/_mapping`)
    assert.deepEqual(mapping.json, {
      [index]: { mappings: { properties: { code: { type: 'keyword' } } } },
    })
  }
})

test('histograms in a named zone follow its change to winter time', async () => {
  const at = (time: string): string => lines({ index: {} }, { '@timestamp': time })
  const body = ['2026-10-24T22:30:00Z', '2026-10-25T22:30:00Z', '2026-10-25T23:30:00Z'].map(at)
  await server.call('POST', '/zones/_bulk', body.join(''), ndjson)
  const answer = await server.call('POST', '/zones/_search?size=0', {
    aggs: {
      d: {
        date_histogram: {
          field: '@timestamp',
          calendar_interval: 'day',
          time_zone: 'Europe/Berlin',
        },
      },
    },
  })
  const { aggregations } = answer.json as { aggregations: { d: { buckets: unknown } } }
  assert.deepEqual(aggregations.d.buckets, [
    {
      key_as_string: '2026-10-25T00:00:00.000+02:00',
      key: Date.UTC(2026, 9, 24, 22),
      doc_count: 2,
    },
    {
      key_as_string: '2026-10-26T00:00:00.000+01:00',
      key: Date.UTC(2026, 9, 25, 23),
      doc_count: 1,
    },
  ])
})

test('totals stop at 10,000 unless all are asked for', async () => {
  const body = lines({ index: {} }, { a: 1 }).repeat(10_001)
  await server.call('POST', '/many/_bulk', body, ndjson)
  const short = await server.call('POST', '/many/_search', { size: 0 })
  const full = await server.call('POST', '/many/_search', { size: 0, track_total_hits: true })
  const totalOf = (json: unknown): unknown => (json as { hits: { total: unknown } }).hits.total
  assert.deepEqual(totalOf(short.json), { value: 10_000, relation: 'gte' })
  assert.deepEqual(totalOf(full.json), { value: 10_001, relation: 'eq' })
})

test('search_after walks through all documents exactly once', async () => {
  const body = Array.from({ length: 50 }, (_, at) => lines({ index: {} }, { k: at % 7, n: at }))
  await server.call('POST', '/walk/_bulk', body.join(''), ndjson)
  const seen: unknown[] = []
  let after: unknown[] | undefined
  for (;;) {
    const answer = await server.call('POST', '/walk/_search', {
      size: 8,
      sort: [{ k: 'desc' }, { n: 'asc' }],
      ...(after === undefined ? {} : { search_after: after }),
    })
    const { hits } = (answer.json as { hits: { hits: { sort: number[] }[] } }).hits
    if (hits.length === 0) break
    seen.push(...hits.map((hit) => hit.sort[1]))
    after = hits.at(-1)?.sort
  }
  assert.equal(seen.length, 50)
  assert.equal(new Set(seen).size, 50)
})

test('an index too many is refused as the original refuses it, and costs a bulk one item', async () => {
  const small = await startSearch({ shardsMax: 3 })
  try {
    assert.equal((await small.call('PUT', '/one')).status, 200)
    const refused = await small.call('PUT', '/two')
    const reason =
      'Validation Failed: 1: this action would add [2] shards, but this cluster currently has ' +
      '[2]/[3] maximum normal shards open;'
    assert.equal(refused.status, 400)
    const error = { type: 'validation_exception', reason }
    assert.deepEqual(refused.json, { error: { root_cause: [error], ...error }, status: 400 })
    const settings = { number_of_replicas: 0 }
    assert.equal((await small.call('PUT', '/three', { settings })).status, 200)
    const body = lines(
      { index: { _index: 'one' } },
      { a: 1 },
      { index: { _index: 'two' } },
      { a: 1 },
    )
    const bulk = await small.call('POST', '/_bulk', body, ndjson)
    const { items } = bulk.json as { items: { index: { status: number } }[] }
    assert.deepEqual(
      items.map((item) => item.index.status),
      [201, 400],
    )
  } finally {
    await small.stop()
  }
})

test('how many shards there may be is changed while the server runs, and kept', async () => {
  const directory = temporaryDirectory()
  const shards = 'cluster.max_shards_per_node'
  let small = await startSearch({ shardsMax: 1, directory })
  const put = (body: unknown) => small.call('PUT', '/_cluster/settings', body)
  const nested = (value: string) => ({ cluster: { max_shards_per_node: value } })
  try {
    assert.equal((await small.call('PUT', '/one')).status, 400)
    const raised = await put({ persistent: { [shards]: 2 } })
    const answer = { acknowledged: true, persistent: nested('2'), transient: {} }
    assert.deepEqual(raised.json, answer)
    assert.equal((await small.call('PUT', '/one')).status, 200)
    const passing = await put({ transient: { cluster: { max_shards_per_node: '4' } } })
    const set = { acknowledged: true, persistent: {}, transient: nested('4') }
    assert.deepEqual(passing.json, set)
    assert.equal((await small.call('PUT', '/two')).status, 200)
    assert.equal((await small.call('PUT', '/three')).status, 400)
    const flat = await small.call('GET', '/_cluster/settings?flat_settings=true')
    assert.deepEqual(flat.json, { persistent: { [shards]: '2' }, transient: { [shards]: '4' } })

    const refusals: readonly (readonly [unknown, string])[] = [
      [
        { persistent: { [shards]: 0 } },
        `Failed to parse value [0] for setting [${shards}] must be >= 1`,
      ],
      [{ transient: { [shards]: 'x' } }, `Failed to parse value [x] for setting [${shards}]`],
      [{ transient: { 'no.such': 1 } }, 'transient setting [no.such], not recognized'],
      [{}, 'Validation Failed: 1: no settings to update;'],
    ]
    for (const [body, reason] of refusals) {
      const refused = await put(body)
      assert.equal(refused.status, 400)
      assert.equal((refused.json as { error: { reason: string } }).error.reason, reason)
    }

    await small.stop()
    small = await startSearch({ shardsMax: 1, directory })
    const kept = await small.call('GET', '/_cluster/settings')
    assert.deepEqual(kept.json, { persistent: nested('2'), transient: {} })
    assert.deepEqual((await put({ persistent: { [shards]: null } })).json, {
      acknowledged: true,
      persistent: {},
      transient: {},
    })
  } finally {
    await small.stop()
    rmSync(directory, { recursive: true, force: true })
  }
})
