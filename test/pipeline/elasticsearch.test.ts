// Goal: no document is lost or doubled, whatever the server does. Method: a real HTTP server that
// misbehaves to order, under a clock whose pauses pass at once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineEvent } from '../../src/events/event.ts'
import { Timestamp } from '../../src/events/values.ts'
import { systemClock } from '../../src/node/clock.ts'
import { createHttpClient } from '../../src/node/http.ts'
import { ConfigurationError } from '../../src/pipeline/grammar/parse.ts'
import { defineInput } from '../../src/pipeline/plugin.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { UserError } from '../../src/runtime/service.ts'
import { testPorts } from './support/ports.ts'
import { prepare } from './support/run.ts'
import { type Misbehaviour, SearchServer } from './support/search-server.ts'

/** Pauses are noted and pass at once. */
function hastyClock(pauses: number[]): Clock {
  return {
    ...systemClock,
    schedule(delayMs, action) {
      pauses.push(delayMs)
      return systemClock.schedule(0, action)
    },
  }
}

const time = new Timestamp(Date.UTC(2026, 10, 1))

/** An input of records from a topic. */
function records(count: number, onDone: () => void = () => {}) {
  return defineInput({
    name: 'records',
    options: {},
    build: () => ({
      async run(sink) {
        const events = Array.from({ length: count }, (_, offset) => {
          const event = PipelineEvent.ofData({ n: offset }, time)
          event.origin = { topic: 'c/t', partition: 0, offset, derived: 1 }
          return event
        })
        await sink.offer(events, onDone)
      },
      stop() {},
    }),
  })
}

interface Outcome {
  readonly server: SearchServer
  readonly pauses: number[]
  readonly warnings: string[]
}

async function send(
  options: string,
  count: number,
  behaviours: readonly Misbehaviour[] = [],
  version = '7.17.0',
): Promise<Outcome> {
  const server = new SearchServer()
  server.version = version
  server.next.push(...behaviours)
  const url = await server.start()
  const http = createHttpClient()
  const pauses: number[] = []
  const ports = testPorts({ http, clock: hastyClock(pauses) })
  const config = `input { records {} } output { elasticsearch { hosts => ["${url}"] ${options} } }`
  const table = { input: new Map([['records', records(count)]]) }
  try {
    await prepare(config, ports, { table, settings: { workers: 1 } }).run()
  } finally {
    await http.close()
    await server.stop()
  }
  return { server, pauses, warnings: ports.logger.texts('WARN') }
}

test('documents go to the daily index with an id that is the same each time', async () => {
  const first = await send('', 3)
  const again = await send('', 3)
  const [request] = first.server.requests
  assert.equal(request?.length, 3)
  assert.equal(request[0]?.action, 'index')
  assert.equal(request[0]?.meta['_index'], 'logstash-2026.11.01')
  assert.match(String(request[0]?.meta['_id']), /^[\w-]{22}$/)
  assert.deepEqual([...again.server.documents.keys()], [...first.server.documents.keys()])
  assert.equal(first.server.documents.size, 3)
  assert.deepEqual(request[1]?.document, {
    n: 1,
    '@version': '1',
    '@timestamp': '2026-11-01T00:00:00.000Z',
  })
})

test('a server that is busy, failing or gone is tried again, with pauses that double', async () => {
  const { server, pauses } = await send('', 2, [
    { status: 429 },
    { status: 503 },
    'hang up',
    { status: 500 },
    { status: 401 },
    { status: 502 },
    { status: 502 },
  ])
  assert.equal(server.requests.length, 8)
  assert.equal(server.documents.size, 2)
  assert.deepEqual(
    pauses.filter((ms) => ms >= 2000),
    [2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000],
  )
})

test('only the items that may still succeed are sent again', async () => {
  const statuses = [201, 429, 400, 409, 503, 404]
  const { server, warnings } = await send('action => "create"', 6, [
    { items: (_, index) => statuses[index] ?? 201 },
  ])
  assert.deepEqual(
    server.requests.map((request) =>
      request.map(({ document }) => Reflect.get(Object(document), 'n')),
    ),
    [
      [0, 1, 2, 3, 4, 5],
      [1, 4],
    ],
  )
  assert.equal(server.documents.size, 3)
  assert.equal(warnings.filter((line) => line.includes('it is dropped')).length, 2)
})

test('a request that is too large is halved, down to the one document that is', async () => {
  const tooLarge: Misbehaviour = { status: 413 }
  const { server, warnings } = await send('', 4, [tooLarge, tooLarge, tooLarge])
  assert.deepEqual(
    server.requests.map((request) => request.length),
    [4, 2, 1, 1, 2],
  )
  assert.equal(server.documents.size, 3)
  assert.equal(warnings.filter((line) => line.includes('413')).length, 1)
})

test('servers before 7.0 get a type, later ones none', async () => {
  const old = await send('', 1, [], '6.4.1')
  assert.equal(old.server.requests[0]?.[0]?.meta['_type'], 'doc')
  const later = await send('', 1, [], '8.11.0')
  assert.equal(later.server.requests[0]?.[0]?.meta['_type'], undefined)
})

test('credentials are sent and are never logged', async () => {
  const { server, warnings } = await send('user => "u" password => "geheim"', 1, [{ status: 500 }])
  const authorization = server.headers[1]?.['authorization']
  assert.equal(authorization, `Basic ${Buffer.from('u:geheim').toString('base64')}`)
  assert.equal(warnings.join().includes('geheim'), false)
})

test('options are rendered for each event, and data streams are created into', async () => {
  const { server } = await send(
    'index => "n-%{n}" document_id => "id-%{n}" routing => "r%{n}" action => "update" doc_as_upsert => true',
    2,
  )
  assert.deepEqual(server.requests[0]?.[1], {
    action: 'update',
    meta: { _index: 'n-1', _id: 'id-1', routing: 'r1', retry_on_conflict: 1 },
    document: {
      doc: { n: 1, '@version': '1', '@timestamp': '2026-11-01T00:00:00.000Z' },
      doc_as_upsert: true,
    },
  })
  const stream = await send('data_stream => "true" data_stream_dataset => "web"', 1)
  assert.equal(stream.server.requests[0]?.[0]?.action, 'create')
  assert.equal(stream.server.requests[0]?.[0]?.meta['_index'], 'logs-web-default')
})

test('events are acknowledged only when the server has them', async () => {
  const server = new SearchServer()
  const url = await server.start()
  const http = createHttpClient()
  const done = Promise.withResolvers<number>()
  const input = records(5, () => done.resolve(server.documents.size))
  server.next.push({ status: 503 })
  const ports = testPorts({ http, clock: hastyClock([]) })
  const runner = prepare(
    `input { records {} } output { elasticsearch { hosts => "${url}" } }`,
    ports,
    { table: { input: new Map([['records', input]]) } },
  )
  assert.equal(await runner.run(), 0)
  assert.equal(await done.promise, 5)
  await http.close()
  await server.stop()
})

test('a stopped pipeline gives up what a server that is gone never took, and says how much', async () => {
  let acknowledged = false
  const input = records(7, () => (acknowledged = true))
  const ports = testPorts()
  const runner = prepare('input { records {} } output { elasticsearch {} }', ports, {
    table: { input: new Map([['records', input]]) },
    settings: { drainLimitMs: 1 },
  })
  const running = runner.run()
  runner.stop()
  assert.equal(await running, 7)
  assert.equal(acknowledged, false)
})

test('what is no Elasticsearch, and settings that would be neglected, are refused', async () => {
  await assert.rejects(send('', 1, [], 'none'), UserError)
  for (const option of ['ssl_certificate_verification => false', 'cacert => "/x"', 'moo => 1']) {
    await assert.rejects(send(option, 0), ConfigurationError, option)
  }
})
