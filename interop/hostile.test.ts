/** Idle connections and hostile frames on a real process: it lives, answers others, and stays small. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { KafkaClient } from '../src/client/client.ts'
import { SeededRandom } from '../src/memory/random.ts'
import { realPorts } from '../src/node/ports.ts'
import { temporaryDirectory, until } from '../test/platform/chain.ts'
import { hostileFrames } from './support/hostile-frames.ts'
import { type MillraceBroker, startMillrace } from './support/millrace.ts'

const idleConnections = 2000
const frames = 10_000
const framesPerConnection = 20
/** What all of it together may cost: most of it is the heap of a busy broker. */
const budgetBytes = 64 * 1024 * 1024

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
    // What the broker answers is of no interest, but it must be able to send it.
    socket.resume()
  })
}

/** Sends the frames and ends; resolves when the connection is over, whoever ended it. */
async function send(port: number, some: readonly Buffer[]): Promise<void> {
  const socket = await open(port)
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  // The broker may close at any of them.
  socket.on('error', () => {})
  for (const frame of some) socket.write(frame)
  socket.end()
  // A frame that is never whole keeps the broker waiting for the rest: nobody waits with it.
  const timer = setTimeout(() => socket.destroy(), 500)
  await closed
  clearTimeout(timer)
}

async function attack(broker: MillraceBroker): Promise<void> {
  const random = new SeededRandom(4)
  let some: Buffer[] = []
  let under: Promise<void>[] = []
  for (const frame of hostileFrames(frames, random)) {
    some.push(frame)
    if (some.length < framesPerConnection) continue
    under.push(send(broker.port, some))
    some = []
    if (under.length < 50) continue
    await Promise.all(under)
    under = []
  }
  await Promise.all(under)
}

async function worksAsEver(client: KafkaClient, text: string): Promise<void> {
  const producer = client.producer()
  const { offset } = await producer.send({ topic: 'kept', value: Buffer.from(text), partition: 0 })
  await producer.close()
  const consumer = client.consumer()
  consumer.assign([{ topic: 'kept', partition: 0 }])
  consumer.seek('kept', 0, offset)
  const [record] = await until('the record is read', 20_000, async () => {
    const records = await consumer.poll(1000)
    return records.length > 0 ? records : undefined
  })
  assert.equal(record?.value?.toString(), text)
  await consumer.close()
}

test(`${idleConnections} idle connections and ${frames} hostile frames stay within a budget`, async (t) => {
  const broker = await startMillrace(join(temporaryDirectory(t), 'broker'))
  t.after(() => broker.stop())
  const ports = realPorts({ logLevel: 'ERROR', logStream: process.stderr })
  const client = new KafkaClient(ports, { bootstrapServers: [broker.address] })
  t.after(() => client.close())
  await worksAsEver(client, 'before')
  const before = residentBytes(broker.pid)
  const filesBefore = openFiles(broker.pid)

  const idle: Socket[] = []
  for (let n = 0; n < idleConnections; n += 1) {
    const socket = await open(broker.port)
    // Every second one has begun a frame that is said to be large.
    if (n % 2 === 1) socket.write(Buffer.from([0, 0x60, 0, 0, 0, 3]))
    idle.push(socket)
  }
  const withIdle = residentBytes(broker.pid) - before
  await attack(broker)
  await worksAsEver(client, 'after')
  const growth = residentBytes(broker.pid) - before
  t.diagnostic(`grew by ${withIdle >> 20} MiB with the idle ones, by ${growth >> 20} MiB in all`)
  assert.ok(growth < budgetBytes, `grew by ${growth} bytes`)
  assert.doesNotMatch(broker.output, /TypeError|RangeError|ERR_|Unexpected error/)

  for (const socket of idle) socket.destroy()
  // A topic may have been made by a hostile request; connections leave nothing behind.
  await until('connections are gone', 20_000, () => {
    return openFiles(broker.pid) < filesBefore + 200 ? true : undefined
  })
  await worksAsEver(client, 'at the end')
})
