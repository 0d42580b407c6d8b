// The pipeline between a real broker and a search server that fails now and then: node
// interop/pipeline-real-kafka.ts --bootstrap HOST:PORT. Produces access log lines, runs the pipeline
// as a process, kills it with SIGKILL in the middle, starts it again, and demands that every record
// is in the server under one id each, and that the group has committed them all.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { KafkaClient } from '../src/client/client.ts'
import { realPorts } from '../src/node/ports.ts'
import { SearchServer } from '../test/pipeline/support/search-server.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    records: { type: 'string', default: '20000' },
  },
})
const count = Number(values.records)
const topic = `pipeline-${Date.now()}`
const ports = realPorts({ logLevel: 'WARN', logStream: process.stderr })
const alive = setInterval(() => undefined, 1000)
const client = new KafkaClient(ports, { bootstrapServers: [values.bootstrap], clientId: 'interop' })
const server = new SearchServer()
const url = await server.start()

await client.admin().createTopics([{ name: topic, partitions: 3, replicationFactor: 1 }])
const producer = client.producer({ lingerMs: 5, compression: 'gzip' })
for (let index = 0; index < count; index += 1) {
  await producer.ready()
  const line = `10.0.0.${index % 250} - - [01/Nov/2026:10:00:00 +0000] "GET /${index} HTTP/1.1" 200 ${index} "-" "curl/8"`
  void producer.send({ topic, value: Buffer.from(line), partition: index % 3 })
}
await producer.flush()
console.log(`ok ${count} records produced to ${topic}`)

const config = `
  input { kafka { bootstrap_servers => "${values.bootstrap}" topics => ["${topic}"] group_id => "${topic}"
    auto_offset_reset => "earliest" auto_commit_interval_ms => 200 decorate_events => "basic" } }
  filter { grok { match => { "message" => "%{COMBINEDAPACHELOG}" } } }
  output { elasticsearch { hosts => ["${url}"] retry_initial_interval => 1 } }`

function start(): { child: ChildProcess; ended: Promise<number | null> } {
  const entry = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    [entry, 'pipeline', '--api.enabled', 'false', '-e', config],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  return { child, ended: new Promise((resolve) => child.on('exit', resolve)) }
}

async function until(what: string, reached: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!reached()) {
    assert.ok(Date.now() < deadline, `timed out: ${what}; ${server.documents.size} documents`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const first = start()
await until('a third is in', () => server.documents.size > count / 3)
server.next.push({ status: 503 }, 'hang up', { items: (_, index) => (index % 7 === 0 ? 429 : 201) })
await until('half is in', () => server.documents.size > count / 2)
first.child.kill('SIGKILL')
await first.ended
const sentBefore = server.requests.reduce((sum, request) => sum + request.length, 0)
console.log(`ok killed with ${server.documents.size} documents acknowledged`)

const startMs = Date.now()
const second = start()
await until('all are in', () => server.documents.size >= count)
await new Promise((resolve) => setTimeout(resolve, 500))
console.log(`ok the rest arrived ${Date.now() - startMs} ms after the restart`)
second.child.kill('SIGTERM')
assert.equal(await second.ended, 0)

assert.equal(server.documents.size, count)
const requests = new Set<unknown>()
for (const document of server.documents.values()) {
  assert.ok(typeof document === 'object' && document !== null && 'request' in document)
  requests.add(document.request)
}
assert.equal(requests.size, count, 'every record is there once')
const sent = server.requests.reduce((sum, request) => sum + request.length, 0)
console.log(`ok ${count} documents, ${sent - sentBefore} sent after the restart, ${sent} in all`)

const committed = await client.admin().groupOffsets(topic)
const total = committed.reduce((sum, { offset }) => sum + offset, 0)
assert.equal(total, count, 'the group has committed everything')
console.log('ok all offsets are committed')
await client.close()
await server.stop()
clearInterval(alive)
