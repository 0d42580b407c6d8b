import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countable, filterOn } from '../../ui/src/discover/filters.ts'
import { flatten, showValues } from '../../ui/src/discover/flatten.ts'
import { defaultPattern, suggestPatterns } from '../../ui/src/discover/patterns.ts'
import {
  documentsBody,
  histogramBody,
  type Question,
  queryClause,
} from '../../ui/src/discover/query.ts'
import { discoverSearch, refreshSecondsOf } from '../../ui/src/discover/state.ts'

const everything: Question = {
  query: '',
  filters: [],
  timeField: undefined,
  range: { fromMs: 1_000, toMs: 2_000 },
}

test('query, time range and chips become one bool query', () => {
  assert.deepEqual(queryClause(everything), { match_all: {} })
  const question: Question = {
    ...everything,
    query: ' status:500 ',
    timeField: '@timestamp',
    filters: [
      { field: 'host', value: 'web-1' },
      { field: 'message', value: 'was refused', phrase: true, negate: true },
      { field: 'user' },
    ],
  }
  assert.deepEqual(queryClause(question), {
    bool: {
      filter: [
        { query_string: { query: 'status:500', analyze_wildcard: true } },
        { range: { '@timestamp': { gte: 1_000, lte: 2_000, format: 'epoch_millis' } } },
        { term: { host: 'web-1' } },
        { exists: { field: 'user' } },
      ],
      must_not: [{ match_phrase: { message: 'was refused' } }],
    },
  })
})

test('documents are sorted by time only where there is a time field', () => {
  assert.equal('sort' in documentsBody(everything, 'desc'), false)
  assert.deepEqual(documentsBody({ ...everything, timeField: 't' }, 'asc')['sort'], [
    { t: { order: 'asc', unmapped_type: 'date' } },
  ])
})

test('the histogram speaks to old and new servers in their own words', () => {
  const question = { ...everything, timeField: 't' }
  const ask = (serverVersion: string): string =>
    JSON.stringify(
      histogramBody(question, { interval: { ms: 1, text: '1m' }, timeZone: 'UTC', serverVersion }),
    )
  for (const old of ['6.4.1', '7.1.0']) assert.match(ask(old), /"interval":"1m"/)
  for (const recent of ['7.2.0', '7.17.28', '8.15.0'])
    assert.match(ask(recent), /"fixed_interval":"1m"/)
})

test('documents flatten to dotted fields, arrays to several values', () => {
  const source = { a: { b: [1, { c: 'x' }, { c: 'y' }] }, d: null, e: [], f: true }
  assert.deepEqual(flatten(source), [
    { name: 'a.b', values: [1] },
    { name: 'a.b.c', values: ['x', 'y'] },
    { name: 'd', values: [null] },
    { name: 'f', values: [true] },
  ])
  assert.equal(showValues(['x', null, 9007199254740993123n]), 'x, null, 9007199254740993123')
})

test('a click on a value means a term, a keyword term or a phrase, by the type of its field', () => {
  const fields = [
    { name: 'host', type: 'keyword' },
    { name: 'message', type: 'text', keyword: 'message.keyword' },
    { name: 'body', type: 'text' },
  ]
  const on = (name: string, value: string) => filterOn(name, value, { fields, negate: false })
  assert.deepEqual(on('host', 'a'), { field: 'host', value: 'a' })
  assert.deepEqual(on('message', 'a b'), { field: 'message.keyword', value: 'a b' })
  const long = 'x'.repeat(257)
  assert.deepEqual(on('message', long), { field: 'message', value: long, phrase: true })
  assert.deepEqual(on('body', 'a b'), { field: 'body', value: 'a b', phrase: true })
  assert.equal(filterOn('host', null, { fields, negate: false }), undefined)
  assert.equal(countable({ name: 'body', type: 'text' }), undefined)
  assert.equal(countable({ name: 'n', type: 'long' }), 'n')
})

test('dated indices and data streams suggest their patterns', () => {
  const names = [
    'logstash-2026.11.22',
    'logstash-2026.11.23',
    'filebeat-6.4.1-2026.11.23',
    'nginx-000001',
    '.ds-logs-app-default-2026.11.23-000001',
    'plain',
  ]
  assert.deepEqual(suggestPatterns(names), [
    'filebeat-6.4.1-*',
    'logs-app-default',
    'logstash-*',
    'nginx-*',
  ])
  const indices = [
    { name: 'plain', documentCount: 15 },
    { name: 'logstash-2026.11.22', documentCount: 10 },
    { name: 'logstash-2026.11.23', documentCount: 10 },
  ]
  assert.equal(defaultPattern(indices), 'logstash-*')
  assert.equal(defaultPattern([]), undefined)
})

test('a mangled address falls back to defaults instead of breaking the page', () => {
  const mangled = {
    q: 404,
    filters: [1, { field: 2 }, { field: 'a', value: {} }],
    columns: 'x',
    refresh: 'z',
  }
  assert.deepEqual(discoverSearch(mangled), { q: '404' })
  const good = {
    index: 'logs-*',
    filters: [{ field: 'a', value: 0, negate: true }],
    sort: 'asc',
    refresh: 5,
  }
  assert.deepEqual(discoverSearch(good), good)
})

test('a range that ends now follows by itself until something else is chosen', () => {
  assert.equal(refreshSecondsOf({}), 1)
  assert.equal(refreshSecondsOf({ from: 'now-1d', to: 'now' }), 1)
  assert.equal(refreshSecondsOf({ to: '2026-11-23T04:00:00.000Z' }), undefined)
  assert.equal(refreshSecondsOf({ to: '2026-11-23T04:00:00.000Z', refresh: 5 }), 5)
  assert.equal(refreshSecondsOf(discoverSearch({ refresh: 0 })), undefined)
})
