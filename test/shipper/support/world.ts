// A shipper in a world of its own: files in memory, virtual time, a topic that remembers its
// records, and a process that can be killed.
import { SeededRandom } from '../../../src/memory/random.ts'
import { MemoryDisk } from '../../../src/memory/disk.ts'
import { VirtualClock } from '../../../src/memory/clock.ts'
import { MemoryLogger } from '../../../src/memory/logger.ts'
import type { ProducerRecord, RecordMetadata } from '../../../src/client/producer/types.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { KafkaOutput } from '../../../src/shipper/outputs/kafka.ts'
import { parseArguments } from '../../../src/shipper/arguments.ts'
import { readSettings, type ReadSettings } from '../../../src/shipper/settings/read.ts'
import { Shipper } from '../../../src/shipper/shipper.ts'

export function settingsOf(
  text: string,
  flags: readonly string[] = [],
  environment: Record<string, string> = {},
): ReadSettings {
  return readSettings({
    files: [{ name: 'filebeat.yml', text }],
    arguments: parseArguments(['--path.home', '/home', ...flags]),
    environment,
    hostname: 'host-1',
    workingDirectory: '/work',
    matchingFiles: () => [],
  })
}

export interface Kept {
  readonly topic: string
  readonly key: string | undefined
  readonly message: string
  readonly offset: number
  readonly path: string
  readonly json: string
  readonly timestamp: number | undefined
}

interface Unanswered {
  readonly record: ProducerRecord
  readonly resolve: (metadata: RecordMetadata) => void
  readonly reject: (error: Error) => void
}

/**
 * A producer in front of one partition. `appends`: whether records are kept as soon as they are
 * sent.
 */
export class FakeProducer {
  readonly kept: Kept[]
  answers: 'at once' | 'when told' = 'at once'
  /** Fails the next sends with these. */
  readonly failures: Error[] = []
  #waiting: Unanswered[] = []
  isDead = false

  constructor(kept: Kept[]) {
    this.kept = kept
  }

  get waiting(): number {
    return this.#waiting.length
  }

  send(record: ProducerRecord): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      const failure = this.failures.shift()
      if (failure !== undefined) {
        reject(failure)
        return
      }
      this.#waiting.push({ record, resolve, reject })
      if (this.answers === 'at once') this.keep(1)
    })
  }

  /**
   * The broker keeps the first `count` records; they are acknowledged unless the answer is lost.
   */
  keep(count: number, isAnswered = true): void {
    for (const { record, resolve } of this.#waiting.splice(0, count)) {
      const json = (record.value ?? Buffer.alloc(0)).toString('utf8')
      const event = JSON.parse(json) as {
        message: string
        log: { offset: number; file: { path: string } }
      }
      this.kept.push({
        topic: record.topic,
        key: record.key?.toString('utf8'),
        message: event.message,
        offset: event.log.offset,
        path: event.log.file.path,
        json,
        timestamp: record.timestamp,
      })
      if (!isAnswered || this.isDead) continue
      resolve({ topic: record.topic, partition: 0, offset: this.kept.length - 1, timestamp: 0 })
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

interface Life {
  readonly shipper: Shipper
  readonly producer: FakeProducer
  isOver: boolean
}

export class World {
  readonly clock = new VirtualClock()
  readonly disk = new MemoryDisk({ clock: this.clock })
  /** Of the process that runs, or ran last. */
  logger = new MemoryLogger()
  readonly kept: Kept[] = []
  #life: Life | undefined

  constructor() {
    this.disk.makeDirectory('/logs')
    this.disk.makeDirectory('/home/data')
    this.disk.syncAll()
  }

  get producer(): FakeProducer {
    if (this.#life === undefined) throw new Error('no shipper runs')
    return this.#life.producer
  }

  get shipper(): Shipper {
    if (this.#life === undefined) throw new Error('no shipper runs')
    return this.#life.shipper
  }

  get messages(): string[] {
    return this.kept.map(({ message }) => message)
  }

  append(path: string, text: string): void {
    const file = this.disk.open(path, 'readWrite')
    const bytes = Buffer.from(text)
    file.write(bytes, 0, bytes.length, file.size())
    file.close()
  }

  truncate(path: string): void {
    const file = this.disk.open(path, 'readWrite')
    file.truncate(0)
    file.close()
  }

  /** Starts a process with this configuration; output.kafka is added unless the text has one. */
  async start(
    config: string,
    options: { readonly answers?: FakeProducer['answers']; readonly chunkBytes?: number } = {},
  ): Promise<void> {
    const output = 'output.kafka: { hosts: [localhost], topic: logs }\n'
    const { settings } = settingsOf(config.includes('output.') ? config : config + output)
    const producer = new FakeProducer(this.kept)
    producer.answers = options.answers ?? 'at once'
    this.logger = new MemoryLogger()
    const life: { isOver: boolean } = { isOver: false }
    const clock = mortalClock(this.clock, life)
    if (settings.output.kind !== 'kafka') throw new Error('output.kafka is expected')
    const ports = { clock, disk: this.disk, logger: this.logger }
    const kafka = new KafkaOutput({ clock, logger: this.logger, producer }, settings.output)
    const agent = { name: settings.name, hostname: 'host-1', id: 'id-1', ephemeralId: 'e-1' }
    const { chunkBytes } = options
    const parts = { agent, output: kafka, ...(chunkBytes === undefined ? {} : { chunkBytes }) }
    const shipper = new Shipper(ports, parts, settings)
    this.#life = Object.assign(life, { shipper, producer })
    await shipper.start()
  }

  async run(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  /** SIGKILL: nothing of the process happens any more. */
  kill(): void {
    if (this.#life === undefined) return
    this.#life.isOver = true
    this.#life.producer.isDead = true
    this.#life = undefined
    this.disk.killProcess()
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    await this.clock.until(this.shipper.stop())
    this.kill()
  }

  /** Names of the files in the registry. */
  registrySources(): string[] {
    return Object.values(this.#registryStates()).map((state) => state.source ?? '')
  }

  /** The registry: key to offset. */
  registry(): Record<string, number> {
    const states = Object.entries(this.#registryStates())
    return Object.fromEntries(
      states.map(([key, state]) => [key, state.offset ?? state.cursor?.offset ?? -1]),
    )
  }

  #registryStates(): Record<string, RecordedState> {
    const path = '/home/data/registry/filebeat/log.json'
    const file = this.disk.open(path, 'read')
    const bytes = Buffer.alloc(file.size())
    file.readNow(bytes, 0, bytes.length, 0)
    file.close()
    const states: Record<string, RecordedState> = {}
    let op = ''
    for (const line of bytes.toString('utf8').split('\n')) {
      if (line === '') continue
      const record = JSON.parse(line) as { op?: string; k: string; v?: RecordedState }
      if (record.op !== undefined) op = record.op
      else if (op === 'remove') delete states[record.k]
      else states[record.k] = record.v ?? {}
    }
    return states
  }
}

interface RecordedState {
  readonly source?: string
  readonly offset?: number
  readonly cursor?: { readonly offset: number }
}

function mortalClock(clock: Clock, life: { isOver: boolean }): Clock {
  const ifAlive = (action: () => void) => (): void => {
    if (!life.isOver) action()
  }
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    schedule: (delayMs, action) => clock.schedule(delayMs, ifAlive(action)),
    atEndOfTurn: (action) => clock.atEndOfTurn(ifAlive(action)),
  }
}

export function seeded(seed: number): SeededRandom {
  return new SeededRandom(seed)
}
