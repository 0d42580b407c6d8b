/**
 * One generator for every broker: raw produce and fetch requests over one or more connections, prepared
 * beforehand so that the broker is what is measured. Prints one JSON line. Run by bench/broker.ts.
 */
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { encodeRequest } from '../src/kafka/header.ts'
import { CreateTopics } from '../src/kafka/messages/create-topics.ts'
import { Fetch } from '../src/kafka/messages/fetch.ts'
import { Metadata } from '../src/kafka/messages/metadata.ts'
import { Produce } from '../src/kafka/messages/produce.ts'
import { RecordBatchBuilder } from '../src/kafka/records/builder.ts'
import { decodeResponse } from '../src/kafka/header.ts'
import type { AnyApi, RequestInputOf, ResponseOf } from '../src/wire/schema.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '9092' },
    topic: { type: 'string', default: 'bench' },
    size: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '16384' },
    inflight: { type: 'string', default: '5' },
    connections: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    megabytes: { type: 'string', default: '1000' },
  },
})
const port = Number(options.port)
const size = Number(options.size)
const seconds = Number(options.seconds)

/** Whole answers of one socket, in order. */
class Answers {
  readonly socket: Socket
  onAnswer: (frame: Buffer) => void = () => {}
  #pieces: Buffer[] = []
  #have = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  #take(chunk: Buffer): void {
    this.#pieces.push(chunk)
    this.#have += chunk.length
    while (this.#have >= 4) {
      if ((this.#pieces[0]?.length ?? 0) < 4) this.#pieces = [Buffer.concat(this.#pieces)]
      const need = 4 + (this.#pieces[0]?.readInt32BE(0) ?? 0)
      if (this.#have < need) return
      const whole = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces)
      if (whole === undefined) return
      this.#have -= need
      this.#pieces = this.#have === 0 ? [] : [whole.subarray(need)]
      this.onAnswer(whole.subarray(0, need))
    }
  }
}

async function dial(): Promise<Answers> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return new Answers(socket)
}

async function ask<A extends AnyApi>(
  answers: Answers,
  api: A,
  version: number,
  body: RequestInputOf<A>,
): Promise<ResponseOf<A>> {
  answers.socket.write(encodeRequest(api, version, { correlationId: 1, clientId: 'bench' }, body))
  const frame = await new Promise<Buffer>((resolve) => (answers.onAnswer = resolve))
  return decodeResponse(api, version, frame).body
}

async function ensureTopic(): Promise<void> {
  const answers = await dial()
  const topics = [{ name: options.topic, numPartitions: 1, replicationFactor: 1 }]
  await ask(answers, CreateTopics, 4, { topics, timeoutMs: 30000 })
  for (;;) {
    const { topics: found } = await ask(answers, Metadata, 4, { topics: [{ name: options.topic }] })
    if (found[0]?.partitions[0]?.leaderId !== undefined && found[0].errorCode === 0) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  answers.socket.destroy()
}

function batches(): { frame: Buffer; records: number }[] {
  return Array.from({ length: 16 }, (_, n) => {
    const builder = new RecordBatchBuilder()
    let records = 0
    do {
      const value = Buffer.alloc(size, `record ${n} ${records} of the generator; `)
      builder.add(Date.now(), null, value, [])
      records += 1
    } while ((records + 1) * (size + 10) < Number(options.batch))
    const partitionData = [{ index: 0, records: builder.build({}) }]
    const body = { acks: 1, timeoutMs: 30000, topicData: [{ name: options.topic, partitionData }] }
    const identity = { correlationId: n, clientId: 'bench' }
    return { frame: encodeRequest(Produce, 7, identity, body), records }
  })
}

async function produce(): Promise<Record<string, number>> {
  const ready = batches()
  const delays: number[] = []
  let records = 0
  const start = performance.now()
  const end = start + seconds * 1000
  const one = async (): Promise<void> => {
    const answers = await dial()
    const sent: number[] = []
    let next = 0
    await new Promise<void>((resolve) => {
      const send = (): void => {
        const { frame } = ready[next % ready.length] ?? { frame: Buffer.alloc(0) }
        sent.push(performance.now())
        next += 1
        answers.socket.write(frame)
      }
      let answered = 0
      answers.onAnswer = (frame) => {
        const now = performance.now()
        delays.push(now - (sent[answered] ?? now))
        // Size, correlation id, one topic with its name, one partition, its index: then the error.
        const at = 8 + 4 + 2 + Buffer.byteLength(options.topic) + 4 + 4
        if (frame.readInt16BE(at) !== 0) throw new Error(`error ${frame.readInt16BE(at)}`)
        records += ready[answered % ready.length]?.records ?? 0
        answered += 1
        if (now < end) send()
        else if (answered === next) resolve()
      }
      for (let n = 0; n < Number(options.inflight); n += 1) send()
    })
    answers.socket.destroy()
  }
  await Promise.all(Array.from({ length: Number(options.connections) }, one))
  const took = (performance.now() - start) / 1000
  delays.sort((a, b) => a - b)
  const bytes = records * size
  return {
    bytes,
    seconds: took,
    megabytesPerSecond: bytes / took / 1e6,
    recordsPerSecond: records / took,
    p50Ms: delays[Math.floor(delays.length * 0.5)] ?? 0,
    p99Ms: delays[Math.floor(delays.length * 0.99)] ?? 0,
  }
}

async function fetch(): Promise<Record<string, number>> {
  const limit = Number(options.megabytes) * 1e6
  const start = performance.now()
  let bytes = 0
  const one = async (): Promise<void> => {
    const answers = await dial()
    let offset = 0
    let read = 0
    while (read < limit) {
      const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }]
      const { responses } = await ask(answers, Fetch, 4, {
        maxWaitMs: 100,
        minBytes: 1,
        maxBytes: 50 << 20,
        topics: [{ topic: options.topic, partitions }],
      })
      const records = responses[0]?.partitions[0]?.records
      if (records === null || records === undefined || records.length < 61) break
      let at = 0
      while (at + 61 <= records.length && at + 12 + records.readInt32BE(at + 8) <= records.length) {
        offset = Number(records.readBigInt64BE(at)) + records.readInt32BE(at + 23) + 1
        at += 12 + records.readInt32BE(at + 8)
      }
      read += at
    }
    bytes += read
    answers.socket.destroy()
  }
  await Promise.all(Array.from({ length: Number(options.connections) }, one))
  const took = (performance.now() - start) / 1000
  return { bytes, seconds: took, megabytesPerSecond: bytes / took / 1e6 }
}

await ensureTopic()
const result = positionals[0] === 'fetch' ? await fetch() : await produce()
console.log(JSON.stringify(result))
process.exit(0)
