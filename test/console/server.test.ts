import assert from 'node:assert/strict'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { KafkaDownError, type TopicReader } from '../../src/console/kafka.ts'
import { registerConsole } from '../../src/console/server.ts'
import { systemClock } from '../../src/node/clock.ts'
import { nodeDisk } from '../../src/node/disk.ts'
import { createHttpClient } from '../../src/node/http.ts'
import { createWebServer } from '../../src/node/web-server.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import {
  type FakeElasticsearch,
  fakeIndex,
  generateDocuments,
  startFakeElasticsearch,
} from './support/fake-elasticsearch.ts'
import { FakeTopics, record } from './support/fake-topics.ts'

const nowMs = 1_795_000_000_000

interface Console {
  readonly app: FastifyInstance
  readonly elasticsearch: FakeElasticsearch
  readonly pagesDirectory: string
  readonly get: (path: string, headers?: Record<string, string>) => ReturnType<typeof ask>
  readonly search: (body: unknown, index?: string) => ReturnType<typeof ask>
}

async function ask(
  app: FastifyInstance,
  options: {
    method: 'GET' | 'POST'
    url: string
    headers?: Record<string, string>
    payload?: string
  },
) {
  const answer = await app.inject({
    ...options,
    headers: { host: '127.0.0.1:5601', ...options.headers },
  })
  const type = String(answer.headers['content-type'])
  const body: Record<string, unknown> = type.includes('json') ? answer.json() : {}
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, body }
}

function errorOf(body: Record<string, unknown>): string {
  const error = body['error']
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : ''
}

async function start(
  context: TestContext,
  options: {
    reader?: TopicReader | undefined
    elasticsearchUrls?: readonly string[]
    clock?: Clock
  } = {},
): Promise<Console> {
  const elasticsearch = await startFakeElasticsearch(generateDocuments(50, nowMs))
  const pagesDirectory = mkdtempSync(join(tmpdir(), 'console-pages-'))
  const http = createHttpClient()
  const app = createWebServer()
  const records = Array.from({ length: 20 }, (_, offset) => record(0, offset, `{"n":${offset}}`))
  const topics = new FakeTopics([{ name: 'orders', partitions: [{ begin: 0, end: 20, records }] }])
  await registerConsole(
    app,
    {
      http,
      clock: options.clock ?? systemClock,
      disk: nodeDisk,
      logger: silentLogger,
      reader: 'reader' in options ? options.reader : topics,
    },
    {
      host: '127.0.0.1',
      port: 5601,
      allowedHosts: [],
      bootstrapServers: ['broker-0:9092'],
      elasticsearch: {
        urls: options.elasticsearchUrls ?? [elasticsearch.url],
        authorization: 'Basic c2VjcmV0',
        requestTimeoutMs: 2_000,
      },
      pagesDirectory,
    },
  )
  context.after(async () => {
    await app.close()
    await http.close()
    await elasticsearch.close()
    rmSync(pagesDirectory, { recursive: true })
  })
  return {
    app,
    elasticsearch,
    pagesDirectory,
    get: (url, headers) => ask(app, { method: 'GET', url, ...(headers ? { headers } : {}) }),
    search: (body, index = 'logs-*') =>
      ask(app, {
        method: 'POST',
        url: `/api/search/query?index=${encodeURIComponent(index)}`,
        headers: { 'content-type': 'application/json' },
        payload: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}

test('status names both servers and never shows credentials', async (context) => {
  const { get, elasticsearch } = await start(context)
  const { status, body, text } = await get('/api/status')
  assert.equal(status, 200)
  assert.deepEqual(body['search'], {
    state: 'up',
    url: elasticsearch.url,
    version: '7.17.28',
    clusterName: 'fake',
  })
  assert.deepEqual(body['kafka'], {
    state: 'up',
    bootstrapServers: ['broker-0:9092'],
    clusterId: 'fakeClusterId',
    controllerId: 0,
    brokers: [{ id: 0, host: 'broker-0', port: 9092 }],
  })
  assert.equal(text.includes('c2VjcmV0'), false)
})

test('with search and Kafka down, status says what is wrong and what to do', async (context) => {
  const down = new FakeTopics([])
  down.cluster = () => Promise.reject(new KafkaDownError('Kafka does not answer at x:1.'))
  const { get } = await start(context, { reader: down, elasticsearchUrls: ['http://127.0.0.1:1'] })
  const { status, text } = await get('/api/status')
  assert.equal(status, 200)
  assert.match(text, /Elasticsearch does not answer at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\)/)
  assert.match(text, /--elasticsearch URL/)
  assert.match(text, /Kafka does not answer at x:1/)
  const indices = await get('/api/search/indices')
  assert.equal(indices.status, 503)
  assert.match(errorOf(indices.body), /does not answer/)
})

test('a Kafka that is silent does not hold the status back, and is asked only once at a time', async (context) => {
  const silent = new FakeTopics([])
  let asked = 0
  silent.cluster = () => {
    asked++
    return new Promise(() => {})
  }
  const schedule: Clock['schedule'] = (_delayMs, action) => {
    setImmediate(action)
    return { cancel() {} }
  }
  const { get } = await start(context, { reader: silent, clock: { ...systemClock, schedule } })
  for (let time = 0; time < 3; time++) {
    const { text } = await get('/api/status')
    assert.match(text, /Kafka has not answered yet at broker-0:9092/)
  }
  assert.equal(asked, 1)
})

test('without Kafka configured the search still works and topics say how to configure it', async (context) => {
  const { get } = await start(context, { reader: undefined })
  assert.equal((await get('/api/search/indices')).status, 200)
  const topics = await get('/api/topics')
  assert.equal(topics.status, 503)
  assert.match(errorOf(topics.body), /--bootstrap-server/)
})

test('a second Elasticsearch host is asked when the first is gone', async (context) => {
  const other = await startFakeElasticsearch([])
  context.after(() => other.close())
  const { get } = await start(context, { elasticsearchUrls: ['http://127.0.0.1:1', other.url] })
  assert.equal((await get('/api/search/indices')).status, 200)
  assert.equal((await get('/api/search/indices')).status, 200)
  assert.equal(other.requests.length, 2)
})

test('indices and fields come in one form, keyword views folded into their text field', async (context) => {
  const { get } = await start(context)
  const indices = await get('/api/search/indices')
  assert.deepEqual(indices.body['indices'], [
    { name: fakeIndex, health: 'green', documentCount: 50, sizeBytes: 1_048_576 },
  ])
  const { body } = await get('/api/search/fields?index=logs-*')
  const fields = body['fields']
  assert.ok(Array.isArray(fields))
  assert.deepEqual(fields.slice(0, 2), [
    { name: '@timestamp', type: 'date' },
    { name: 'bytes', type: 'long' },
  ])
  const message = { name: 'message', type: 'text', keyword: 'message.keyword' }
  assert.deepEqual(
    fields.find(({ name }) => name === 'message'),
    message,
  )
  assert.equal(
    fields.some(({ name }) => name === 'message.keyword'),
    false,
  )
})

test('typed mappings of 6.x and conflicting types are understood', async (context) => {
  const { get, elasticsearch } = await start(context)
  const typed = (type: string) => ({ mappings: { doc: { properties: { status: { type } } } } })
  const mappings = { a: typed('long'), b: typed('keyword') }
  elasticsearch.answerNext({ status: 200, body: JSON.stringify(mappings) })
  const { body } = await get('/api/search/fields?index=logs-*')
  assert.deepEqual(body['fields'], [{ name: 'status', type: 'conflict' }])
})

test('a search goes through with its answer untouched', async (context) => {
  const { search, elasticsearch } = await start(context)
  const { status, text } = await search({ size: 1, query: { match_all: {} } }, 'logs-*,other')
  assert.equal(status, 200)
  assert.match(text, /"trace":9007199254740993123/)
  assert.match(
    elasticsearch.requests.at(-1) ?? '',
    /^POST \/logs-\*%2Cother\/_search\?.*\{"size":1,"query":\{"match_all":\{\}\}\}$/,
  )
})

test('searches that the pages never make are refused before Elasticsearch sees them', async (context) => {
  const { search, elasticsearch } = await start(context)
  const cases: [unknown, string][] = [
    [{ script_fields: {} }, 'logs-*'],
    [{ size: 100_000 }, 'logs-*'],
    [{ size: 'many' }, 'logs-*'],
    [[], 'logs-*'],
    ['"text"', 'logs-*'],
    ['{broken', 'logs-*'],
    [{}, '_cluster'],
    [{}, '../_cluster/settings'],
    [{}, 'a/b'],
    [{}, 'remote:index'],
    [{}, ''],
  ]
  for (const [body, index] of cases) {
    const answer = await search(body, index)
    assert.equal(answer.status, 400, `${JSON.stringify(body)} on ${index}`)
    assert.notEqual(errorOf(answer.body), '')
  }
  assert.deepEqual(elasticsearch.requests, [])
})

test("Elasticsearch's own refusal keeps its status and its innermost reason", async (context) => {
  const { search, elasticsearch } = await start(context)
  const filter = [{ query_string: { query: '"broken' } }]
  const refused = await search({ query: { bool: { filter } } })
  assert.equal(refused.status, 400)
  assert.equal(errorOf(refused.body), 'Failed to parse query ["broken]')
  elasticsearch.answerNext({ status: 401, body: '{"error":"x","status":401}' })
  const unauthorized = await search({})
  assert.equal(unauthorized.status, 502)
  assert.match(errorOf(unauthorized.body), /elasticsearch\.username/)
})

test('an answer that is not JSON becomes one sentence', async (context) => {
  const { search, get, elasticsearch } = await start(context)
  const html = { status: 200, body: '<html>proxy</html>' }
  elasticsearch.answerNext(html)
  const answer = await search({})
  assert.equal(answer.status, 502)
  assert.match(errorOf(answer.body), /is not JSON/)
  elasticsearch.answerNext(html)
  assert.equal((await get('/api/search/indices')).status, 502)
  elasticsearch.answerNext({ status: 502, body: '<html>bad gateway</html>' })
  assert.equal(errorOf((await search({})).body), 'Elasticsearch answers with status 502.')
})

test('topics, one topic and its messages', async (context) => {
  const { get } = await start(context)
  const list = await get('/api/topics')
  assert.match(list.text, /"name":"orders".*"messageCount":20/)
  const topic = await get('/api/topics/orders')
  assert.match(
    topic.text,
    /"partition":0,"leader":0,"replicas":\[0\],"inSync":\[0\],"begin":0,"end":20/,
  )
  const { body } = await get('/api/topics/orders/messages?from=newest&limit=2')
  assert.deepEqual(body['next'], 'older~0.18')
  const messages = body['messages']
  assert.ok(Array.isArray(messages))
  assert.deepEqual(messages[0], {
    partition: 0,
    offset: 19,
    timestampMs: 1_000_190,
    key: { kind: 'null', text: '', sizeBytes: 0, truncated: false },
    value: { kind: 'json', text: '{"n":19}', sizeBytes: 8, truncated: false },
    headers: [],
  })
  const more = await get('/api/topics/orders/messages?from=cursor&cursor=older~0.18&limit=1')
  assert.match(more.text, /"offset":17/)
})

test('an unknown or impossible topic is a 404 that names it', async (context) => {
  const { get } = await start(context)
  for (const path of ['/api/topics/none', '/api/topics/none/messages', '/api/topics/a%2Fb']) {
    const answer = await get(path)
    assert.equal(answer.status, 404, path)
    assert.match(errorOf(answer.body), /There is no topic/)
  }
})

test('a malformed message query is a 400 that says what is allowed', async (context) => {
  const { get } = await start(context)
  const cases: [string, RegExp][] = [
    ['limit=1001', /from 0 to 1000/],
    ['limit=0', /from 1 to 1000/],
    ['limit=-1', /whole number/],
    ['limit=1&limit=2', /more than once/],
    ['partition=x', /partition must be/],
    ['from=middle', /newest, oldest/],
    ['from=offset', /offset=NUMBER/],
    ['from=offset&offset=1e3', /whole number/],
    ['from=timestamp', /MILLISECONDS/],
    ['from=cursor&cursor=older~1', /malformed/],
    [`filter=${'x'.repeat(501)}`, /at most 500/],
  ]
  for (const [query, expected] of cases) {
    const answer = await get(`/api/topics/orders/messages?${query}`)
    assert.equal(answer.status, 400, query)
    assert.match(errorOf(answer.body), expected)
  }
})

test('only a few message searches run at a time', async (context) => {
  const waiting: (() => void)[] = []
  const slow = new FakeTopics([{ name: 't', partitions: [{ begin: 0, end: 0, records: [] }] }])
  const answer = slow.offsets.bind(slow)
  slow.offsets = async (name) => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    return answer(name)
  }
  const { get, app } = await start(context, { reader: slow })
  await app.ready()
  const running = [1, 2, 3, 4].map(() => get('/api/topics/t/messages'))
  while (waiting.length < 4) await new Promise((resolve) => setImmediate(resolve))
  const refused = await get('/api/topics/t/messages')
  assert.equal(refused.status, 429)
  for (const resolve of waiting) resolve()
  for (const done of await Promise.all(running)) assert.equal(done.status, 200)
  const again = get('/api/topics/t/messages')
  while (waiting.length < 5) await new Promise((resolve) => setImmediate(resolve))
  waiting[4]?.()
  assert.equal((await again).status, 200)
})

test('foreign hosts and origins get nothing, and every answer carries the security headers', async (context) => {
  const { get } = await start(context)
  const rebound = await get('/api/topics', { host: 'evil.example' })
  assert.equal(rebound.status, 403)
  assert.match(errorOf(rebound.body), /does not answer to the host name evil\.example/)
  assert.equal((await get('/', { host: 'evil.example' })).status, 403)
  assert.equal((await get('/api/topics', { origin: 'https://evil.example' })).status, 403)
  assert.equal((await get('/api/topics', { 'sec-fetch-site': 'cross-site' })).status, 403)
  const { headers } = await get('/api/topics')
  assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self'/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['cache-control'], 'no-store')
})

test('a form of another kind than JSON cannot search', async (context) => {
  const { app } = await start(context)
  const answer = await ask(app, {
    method: 'POST',
    url: '/api/search/query?index=logs',
    headers: { 'content-type': 'text/plain' },
    payload: '{"size":1}',
  })
  assert.equal(answer.status, 400)
})

test('before the pages are built a waiting page comes, afterwards the pages, without a restart', async (context) => {
  const { get, pagesDirectory } = await start(context)
  const waiting = await get('/discover')
  assert.equal(waiting.status, 503)
  assert.match(waiting.text, /http-equiv="refresh"/)
  mkdirSync(join(pagesDirectory, 'assets'))
  writeFileSync(join(pagesDirectory, 'assets/index-abc123.js'), 'export {}')
  writeFileSync(join(pagesDirectory, 'index.html'), '<title>pages</title>')
  for (const path of ['/', '/discover?q=a.b', '/topics/a.b']) {
    const page = await get(path)
    assert.equal(page.status, 200, path)
    assert.equal(page.text, '<title>pages</title>')
    assert.equal(page.headers['cache-control'], 'no-cache')
  }
  const script = await get('/assets/index-abc123.js')
  assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.match(String(script.headers['content-type']), /javascript/)
  const missing = await get('/assets/missing.js')
  assert.equal(missing.status, 404)
  assert.equal(missing.headers['cache-control'], undefined)
  assert.equal((await get('/api/nothing')).status, 404)
  const outside = await get('/assets/..%2f..%2f..%2fetc%2fpasswd')
  assert.notEqual(outside.status, 200)
})
