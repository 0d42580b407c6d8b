// The smaller real ports: logger, metrics, random, HTTP client and web server.
import assert from 'node:assert/strict'
import net from 'node:net'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import { createHttpClient } from '../../src/node/http.ts'
import { createLogger } from '../../src/node/logger.ts'
import { createMetrics } from '../../src/node/metrics.ts'
import { SlidingQuantiles } from '../../src/node/quantiles.ts'
import { systemRandom } from '../../src/node/random.ts'
import { sharedReceiveWorks } from '../../src/node/shared-receive.ts'
import { createWebServer } from '../../src/node/web-server.ts'
import { HttpError } from '../../src/runtime/http.ts'

function collector(): { stream: Writable; text: () => string } {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  return { stream, text: () => text }
}

test('this Node reads accepted connections into shared memory', async () => {
  assert.equal(await sharedReceiveWorks(), true)
})

describe('the logger', () => {
  test("writes Kafka's layout", () => {
    const { stream, text } = collector()
    const logger = createLogger({ stream })
    logger.named('kafka.server.KafkaServer', 'KafkaServer id=0').info('started')
    assert.match(
      text(),
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] INFO \[KafkaServer id=0\] started \(kafka\.server\.KafkaServer\)\n$/,
    )
  })

  test('leaves out what is below its level and adds stacks with their causes', () => {
    const { stream, text } = collector()
    const logger = createLogger({ stream, level: 'WARN', name: 'a.B' })
    logger.info('not this')
    logger.warn('this', new Error('outer', { cause: new TypeError('inner') }))
    const lines = text().split('\n')
    assert.match(lines[0] ?? '', /WARN this \(a\.B\)$/)
    assert.equal(lines[1], 'Error: outer')
    assert.ok(lines.includes('Caused by: TypeError: inner'))
  })
})

describe('metrics', () => {
  test('are rendered as Prometheus reads them', async () => {
    const metrics = createMetrics({ clock: new VirtualClock(), processMetrics: false })
    const name = 'kafka_server_brokertopicmetrics_messagesin_total'
    metrics.counter(name, 'Messages in').add(3)
    metrics.counter(name, 'Messages in', { topic: 'a"b\\c' }).add(1)
    metrics.counter(name, 'Messages in', { topic: 'a"b\\c' }).add(1)
    metrics.gauge('kafka_server_replicamanager_partitioncount', 'Partitions\nhere', () => 5)
    assert.equal(
      await metrics.render(),
      [
        `# HELP ${name} Messages in`,
        `# TYPE ${name} counter`,
        `${name} 3`,
        `${name}{topic="a\\"b\\\\c"} 2`,
        '# HELP kafka_server_replicamanager_partitioncount Partitions\\nhere',
        '# TYPE kafka_server_replicamanager_partitioncount gauge',
        'kafka_server_replicamanager_partitioncount 5',
        '',
      ].join('\n'),
    )
  })

  test('forget the series that carry all the labels, and no others', async () => {
    const metrics = createMetrics({ clock: new VirtualClock(), processMetrics: false })
    for (const topic of ['a', 'b']) {
      for (const partition of ['0', '1'])
        metrics.gauge('size', 'Size', () => 1, { topic, partition })
    }
    metrics.histogram('time', 'Time', { topic: 'a' }).observe(1)
    metrics.forget({ topic: 'a' })
    metrics.forget({ topic: 'b', partition: '1' })
    metrics.forget({ topic: 'none' })
    assert.equal(
      await metrics.render(),
      '# HELP size Size\n# TYPE size gauge\nsize{topic="b",partition="0"} 1\n',
    )
  })

  test('quantiles are right within 3 %, and forget after six minutes what the count keeps', async () => {
    const clock = new VirtualClock()
    const metrics = createMetrics({ clock, processMetrics: false })
    const histogram = metrics.histogram('time_ms', 'Time', { request: 'Produce' })
    for (let value = 1; value <= 1000; value += 1) histogram.observe(value)
    const at = (text: string, quantile: string): number =>
      Number(text.match(new RegExp(`quantile="${quantile}"} (\\S+)`))?.[1])
    const first = await metrics.render()
    for (const [quantile, wanted] of [
      ['0.5', 500],
      ['0.99', 990],
      ['0.999', 999],
    ] as const) {
      assert.ok(Math.abs(at(first, quantile) - wanted) < 0.03 * wanted)
    }
    assert.ok(first.includes('time_ms_sum{request="Produce"} 500500\n'))
    await clock.advance(5 * 60_000)
    assert.ok(Math.abs(at(await metrics.render(), '0.5') - 500) < 15)
    await clock.advance(60_000)
    const last = await metrics.render()
    assert.ok(Number.isNaN(at(last, '0.5')))
    assert.ok(last.includes('time_ms_count{request="Produce"} 1000\n'))
  })

  test('quantiles take zero, negative, tiny and huge values', () => {
    const quantiles = new SlidingQuantiles()
    for (const value of [0, -5, 1e-9, Number.NaN]) quantiles.observe(value)
    assert.deepEqual(quantiles.quantiles([0.5, 0.99]), [0, 0])
    for (let count = 0; count < 100; count += 1) quantiles.observe(1e30)
    assert.ok((quantiles.quantiles([0.99])[0] ?? 0) > 1e12)
  })

  test('tell about the process when asked', async () => {
    const text = await createMetrics({ clock: new VirtualClock() }).render()
    assert.match(text, /\nnodejs_eventloop_lag_p99_seconds /)
  })
})

test('random numbers stay below their bound, up to the largest', () => {
  for (const bound of [1, 2, 1000, 2 ** 48]) {
    const value = systemRandom.below(bound)
    assert.ok(Number.isInteger(value) && value >= 0 && value < bound)
  }
  assert.equal(systemRandom.bytes(16).length, 16)
})

describe('the web server and the HTTP client', () => {
  test('speak with each other, with bodies on GET and DELETE', async () => {
    const server = createWebServer()
    for (const method of ['GET', 'DELETE', 'POST'] as const) {
      server.route({ method, url: '/echo', handler: async (request) => ({ body: request.body }) })
    }
    const url = await server.listen({ host: '127.0.0.1', port: 0 })
    const client = createHttpClient()
    for (const method of ['GET', 'DELETE', 'POST']) {
      const answer = await client.send({
        method,
        url: `${url}/echo`,
        headers: { 'content-type': 'application/json' },
        body: '{"query":1}',
      })
      assert.equal(answer.status, 200)
      assert.equal(answer.body.toString(), '{"body":{"query":1}}')
      assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
    }
    await client.close()
    await server.close()
  })

  test('refuse a body that is too large, and an answer that is', async () => {
    const server = createWebServer({ bodyLimitBytes: 10 })
    server.post('/', async () => 'x'.repeat(5000))
    const url = await server.listen({ host: '127.0.0.1', port: 0 })
    const client = createHttpClient()
    const headers = { 'content-type': 'text/plain' }
    const large = await client.send({ method: 'POST', url, headers, body: 'y'.repeat(11) })
    assert.equal(large.status, 413)
    await assert.rejects(
      client.send({ method: 'POST', url, headers, body: 'y', maxAnswerBytes: 4999 }),
      (error) => error instanceof HttpError && error.code === 'EMSGSIZE',
    )
    await client.close()
    await server.close()
    await assert.rejects(
      createHttpClient().send({ method: 'GET', url }),
      (error) => error instanceof HttpError && error.code === 'ECONNREFUSED',
    )
  })

  test('give up on an answer that does not come in time', async () => {
    const server = createWebServer()
    server.get('/', () => new Promise(() => {}))
    const url = await server.listen({ host: '127.0.0.1', port: 0 })
    const client = createHttpClient()
    await assert.rejects(
      client.send({ method: 'GET', url, timeoutMs: 50 }),
      (error) => error instanceof HttpError && error.code === 'ETIMEDOUT',
    )
    await client.close()
    await server.close()
  })

  test('close on a client that sends its headers too slowly', async () => {
    const server = createWebServer({ headersTimeoutMs: 50, checkIntervalMs: 20 })
    await server.listen({ host: '127.0.0.1', port: 0 })
    const address = server.server.address()
    assert.ok(address !== null && typeof address === 'object')
    const socket = net.connect(address.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: ')
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString()
    })
    await new Promise((resolve) => socket.on('close', resolve))
    assert.match(answer, /^HTTP\/1\.1 408 /)
    await server.close()
  })
})
