import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCodesOf } from '../../src/broker/metrics/error-codes.ts'
import { httpAddress, serveMetrics } from '../../src/broker/metrics/endpoint.ts'
import { Traffic } from '../../src/broker/metrics/traffic.ts'
import { Errors } from '../../src/kafka/errors.ts'
import { LeaveGroup } from '../../src/kafka/messages/leave-group.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { createMetrics } from '../../src/node/metrics.ts'
import { createWebServer } from '../../src/node/web-server.ts'
import { noMetrics } from '../../src/runtime/metrics.ts'
import { World } from './world.ts'

test('a produce and a fetch show in the counts of their topic and of all topics', async () => {
  const world = new World()
  world.metrics = createMetrics({ clock: world.clock, processMetrics: false })
  await world.start()
  const client = await world.connect()
  await client.createTopic('t', 1)
  await client.produce('t', ['a', 'b'], 1)
  await client.produce('t', ['c'], 2)
  await client.values('t')
  const lines = (await world.metrics.render()).split('\n')
  const has = (line: string): void => assert.ok(lines.includes(line), line)
  has('kafka_server_brokertopicmetrics_messagesin_total{topic="t"} 2')
  has('kafka_server_brokertopicmetrics_messagesin_total 2')
  has('kafka_server_brokertopicmetrics_totalproducerequests_total{topic="t"} 2')
  has('kafka_server_brokertopicmetrics_failedproducerequests_total{topic="t"} 1')
  has('kafka_network_requestmetrics_errors_total{request="Produce",error="NONE"} 1')
  has(
    'kafka_network_requestmetrics_errors_total{request="Produce",error="INVALID_REQUIRED_ACKS"} 1',
  )
  has('kafka_network_requestmetrics_totaltimems_count{request="Produce"} 2')
  has('kafka_server_replicamanager_partitioncount 1')
  has('kafka_server_replicamanager_leadercount 1')
  has('kafka_server_replicamanager_underreplicatedpartitions 0')
  has('kafka_log_log_logendoffset{topic="t",partition="0"} 2')
  has('kafka_controller_kafkacontroller_activecontrollercount 1')
  has('kafka_server_kafkaserver_brokerstate 3')
  has('kafka_server_sessionexpirelistener_sessionstate{state="connected"} 1')
})

test('a topic that goes keeps its part of the total', () => {
  const clock = new World().clock
  const metrics = createMetrics({ clock, processMetrics: false })
  const traffic = new Traffic()
  const topics = new Set(['a', 'b'])
  traffic.register(metrics, (topic) => topics.has(topic))
  traffic.of('a').bytesIn += 5
  traffic.of('b').bytesIn += 7
  topics.delete('a')
  return metrics.render().then((text) => {
    const lines = text
      .split('\n')
      .filter((line) => line.includes('bytesin_total') && !line.startsWith('#'))
    assert.deepEqual(lines.slice(0, 2), [
      'kafka_server_brokertopicmetrics_bytesin_total{topic="b"} 7',
      'kafka_server_brokertopicmetrics_bytesin_total 12',
    ])
  })
})

test('every error code of an answer is found, however deep, and a missing one is NONE', () => {
  const codes: number[] = []
  const note = (code: number): void => void codes.push(code)
  errorCodesOf(Produce)(
    { responses: [{ partitionResponses: [{ errorCode: 6 }, { errorCode: 0 }] }] },
    note,
  )
  errorCodesOf(LeaveGroup)({ members: [{ errorCode: Errors.FENCED_INSTANCE_ID }] }, note)
  assert.deepEqual(codes, [6, 0, 0, Errors.FENCED_INSTANCE_ID])
})

test('the address is that of the setting, else that of the JMX exporter in KAFKA_OPTS', () => {
  assert.deepEqual(httpAddress('0.0.0.0:9404'), { host: '0.0.0.0', port: 9404 })
  assert.deepEqual(httpAddress('9404'), { host: '127.0.0.1', port: 9404 })
  const agent = '-Xmx1g -javaagent:/opt/jmx_prometheus_javaagent-1.0.1.jar='
  assert.deepEqual(httpAddress(null, `${agent}7071:/etc/kafka.yml`), {
    host: '0.0.0.0',
    port: 7071,
  })
  assert.deepEqual(httpAddress(null, `${agent}127.0.0.1:7071:/etc/kafka.yml`), {
    host: '127.0.0.1',
    port: 7071,
  })
  assert.equal(httpAddress(null, '-Xmx1g'), undefined)
  assert.throws(() => httpAddress('nowhere'), {
    message: 'millrace.http.address: nowhere is not HOST:PORT',
  })
})

test('a broker that lost its session is healthy but not ready, and says why', async () => {
  const web = createWebServer()
  let reason: string | undefined = 'the session with ZooKeeper is connecting'
  serveMetrics(web, { renderMetrics: () => noMetrics.render(), unreadyBecause: () => reason })
  const ask = async (url: string) => {
    const { statusCode, body } = await web.inject({ url })
    return [statusCode, body]
  }
  assert.deepEqual(await ask('/healthz'), [200, '{"status":"ok"}'])
  assert.deepEqual(await ask('/readyz'), [
    503,
    '{"status":"the session with ZooKeeper is connecting"}',
  ])
  reason = undefined
  assert.deepEqual(await ask('/readyz'), [200, '{"status":"ok"}'])
})
