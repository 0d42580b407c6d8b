// An Elasticsearch for tests: generated nginx lines, and just enough of the API for the console.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeElasticsearch {
  readonly url: string
  /** Requests as `METHOD path body`. */
  readonly requests: string[]
  /** Answers the next request with this instead. */
  answerNext(answer: { status: number; body: string }): void
  close(): Promise<void>
}

export interface FakeDocument {
  readonly id: string
  readonly timeMs: number
  readonly source: Readonly<Record<string, unknown>>
}

export const fakeIndex = 'logs-nginx-2026.11.23'

const mapping = {
  properties: {
    '@timestamp': { type: 'date' },
    message: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
    level: { type: 'keyword' },
    clientip: { type: 'ip' },
    verb: { type: 'keyword' },
    request: { type: 'text', fields: { keyword: { type: 'keyword' } } },
    response: { type: 'long' },
    bytes: { type: 'long' },
    trace: { type: 'long' },
    host: { properties: { name: { type: 'keyword' } } },
    kafka: { properties: { topic: { type: 'keyword' }, offset: { type: 'long' } } },
    unused: { type: 'keyword' },
  },
}

export function generateDocuments(count: number, nowMs: number): FakeDocument[] {
  const paths = [
    '/',
    '/login',
    '/api/orders',
    '/api/orders/4711',
    '/static/app.css',
    '/search?q=mill',
  ]
  const codes = [200, 200, 200, 200, 304, 404, 500, 201]
  const verbs = ['GET', 'GET', 'GET', 'POST']
  const documents: FakeDocument[] = []
  for (let number = 0; number < count; number++) {
    const seed = (number * 2_654_435_761) % 4_294_967_296
    const pick = <T>(list: readonly T[], shift: number): T | undefined =>
      list[Math.floor(seed / 2 ** shift) % list.length]
    const wave = 1 + Math.sin(number / 90)
    const timeMs = Math.floor(nowMs - (count - number) * 420 - wave * 9_000 - (seed % 400))
    const time = new Date(timeMs).toISOString()
    const ip = `10.${seed % 4}.${(seed >> 4) & 7}.${(seed >> 8) & 63}`
    const response = pick(codes, 7) ?? 200
    const bytes = 200 + (seed % 40_000)
    const verb = pick(verbs, 11) ?? 'GET'
    const request = pick(paths, 13) ?? '/'
    const source = {
      '@timestamp': time,
      message: `${ip} - - [${time}] "${verb} ${request} HTTP/1.1" ${response} ${bytes} "-" "curl/8.14"`,
      level: response >= 500 ? 'error' : response >= 400 ? 'warn' : 'info',
      clientip: ip,
      verb,
      request,
      response,
      bytes,
      host: { name: `web-${(seed % 3) + 1}` },
      kafka: { topic: 'nginx', offset: number },
      tags: ['nginx', 'access'],
    }
    documents.push({ id: `doc-${number}`, timeMs, source })
  }
  return documents
}

export async function startFakeElasticsearch(
  documents: readonly FakeDocument[],
): Promise<FakeElasticsearch> {
  const requests: string[] = []
  let next: { status: number; body: string } | undefined
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      requests.push(`${request.method} ${request.url} ${body}`)
      const answer = next ?? answerTo(request.url ?? '/', body, documents)
      next = undefined
      response.writeHead(answer.status, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch',
      })
      response.end(answer.body)
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answerNext: (answer) => {
      next = answer
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function answerTo(
  url: string,
  body: string,
  documents: readonly FakeDocument[],
): { status: number; body: string } {
  const path = url.split('?')[0] ?? ''
  const ok = (value: unknown): { status: number; body: string } => ({
    status: 200,
    body: JSON.stringify(value),
  })
  if (path === '/') return ok({ cluster_name: 'fake', version: { number: '7.17.28' } })
  if (path === '/_cat/indices') {
    const count = String(documents.length)
    const row = { health: 'green', status: 'open', 'docs.count': count, 'store.size': '1048576' }
    return ok(documents.length === 0 ? [] : [{ ...row, index: fakeIndex }])
  }
  if (path.endsWith('/_mapping')) return ok({ [fakeIndex]: { mappings: mapping } })
  if (path.endsWith('/_search')) return search(JSON.parse(body), documents)
  return { status: 404, body: JSON.stringify({ error: 'no handler', status: 404 }) }
}

interface SearchBody {
  readonly size?: number
  readonly sort?: readonly Record<string, { order: string }>[]
  readonly query: {
    readonly bool?: { readonly filter: readonly Clause[]; readonly must_not?: readonly Clause[] }
  }
  readonly aggs?: {
    readonly time?: { date_histogram: { fixed_interval: string } }
    readonly values?: { terms: { field: string; size: number } }
  }
}

interface Clause {
  readonly query_string?: { readonly query: string }
  readonly range?: Record<string, { readonly gte: number; readonly lte: number }>
  readonly term?: Record<string, unknown>
  readonly exists?: { readonly field: string }
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }

function search(
  body: SearchBody,
  documents: readonly FakeDocument[],
): { status: number; body: string } {
  const filters = body.query.bool?.filter ?? []
  const broken = filters.find(({ query_string: text }) => text?.query.includes('"broken'))
  if (broken !== undefined) {
    const reason = `Failed to parse query [${broken.query_string?.query}]`
    const cause = { type: 'query_shard_exception', reason }
    const error = {
      root_cause: [cause],
      type: 'search_phase_execution_exception',
      reason: 'all shards failed',
    }
    return { status: 400, body: JSON.stringify({ error, status: 400 }) }
  }
  const excluded = body.query.bool?.must_not ?? []
  const matching = documents
    .filter((document) => filters.every((clause) => matches(document, clause)))
    .filter((document) => !excluded.some((clause) => matches(document, clause)))
    .toSorted((a, b) => b.timeMs - a.timeMs)
  if (body.sort?.[0]?.['@timestamp']?.order === 'asc') matching.reverse()
  const hits = matching.slice(0, body.size ?? 10).map(({ id, source }) => ({
    _index: fakeIndex,
    _type: '_doc',
    _id: id,
    _source: source,
  }))
  const answer = {
    took: 3,
    timed_out: false,
    _shards: { total: 1, successful: 1, failed: 0 },
    hits: { total: { value: matching.length, relation: 'eq' }, hits },
    aggregations: aggregate(body, matching),
  }
  // A number no double can hold, as a producer in Java would write it.
  const text = JSON.stringify(answer).replaceAll('"tags"', '"trace":9007199254740993123,"tags"')
  return { status: 200, body: text }
}

function matches(document: FakeDocument, clause: Clause): boolean {
  const range = clause.range?.['@timestamp']
  if (range !== undefined) return document.timeMs >= range.gte && document.timeMs <= range.lte
  if (clause.term !== undefined) {
    return Object.entries(clause.term).every(([field, value]) => valueOf(document, field) === value)
  }
  if (clause.exists !== undefined) return valueOf(document, clause.exists.field) !== undefined
  const text = clause.query_string?.query
  if (text === undefined) return true
  const [field, value] = text.split(':')
  if (value === undefined) return String(document.source['message']).includes(text)
  return String(valueOf(document, field ?? '')) === value
}

function valueOf(document: FakeDocument, field: string): unknown {
  let value: unknown = document.source
  for (const part of field.replace(/\.keyword$/, '').split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined
  }
  return value
}

function aggregate(body: SearchBody, matching: readonly FakeDocument[]): object | undefined {
  const terms = body.aggs?.values?.terms
  if (terms !== undefined) {
    const present = matching.map((document) => valueOf(document, terms.field))
    const buckets = bucketsOf(present.filter((value) => value !== undefined))
    buckets.sort((a, b) => b.doc_count - a.doc_count)
    return { values: { buckets: buckets.slice(0, terms.size) } }
  }
  const interval = body.aggs?.time?.date_histogram.fixed_interval
  const [, amount, unit] = /^(\d+)(\D+)$/.exec(interval ?? '') ?? []
  if (amount === undefined || unit === undefined) return undefined
  const step = Number(amount) * (unitMs[unit] ?? 1)
  return {
    time: { buckets: bucketsOf(matching.map(({ timeMs }) => Math.floor(timeMs / step) * step)) },
  }
}

function bucketsOf(values: readonly unknown[]): { key: unknown; doc_count: number }[] {
  const counts = new Map<unknown, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].map(([key, count]) => ({ key, doc_count: count }))
}
