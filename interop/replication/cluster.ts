/** Brokers of ours as their users start them, each with a properties file of its own, on somebody's coordination. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerConnection } from '../../src/client/connection.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { realPorts } from '../../src/node/ports.ts'
import type { AnyApi, RequestInputOf, ResponseOf } from '../../src/wire/schema.ts'
import { root, until } from '../../test/platform/chain.ts'
import { Running } from './running.ts'

export const ports = realPorts({ logStream: process.stderr, logName: 'interop' })

/** One request on a connection of its own. */
export async function ask<A extends AnyApi>(
  port: number,
  api: A,
  version: number,
  body: RequestInputOf<A>,
): Promise<ResponseOf<A>> {
  const connection = new BrokerConnection(ports, {
    ...{ host: '127.0.0.1', port, clientId: 'interop', requestTimeoutMs: 30_000 },
  })
  await connection.connect()
  try {
    return await connection.request(api, version, body)
  } finally {
    connection.close()
  }
}

export interface BrokerPlace {
  readonly id: number
  readonly port: number
  readonly directory: string
  /** All lines of its properties file; a later one wins. */
  readonly properties: readonly string[]
}

/** A broker of ours by its script. */
export class ScriptBroker {
  readonly place: BrokerPlace
  #process: Running | undefined

  constructor(place: BrokerPlace) {
    this.place = place
  }

  get address(): string {
    return `127.0.0.1:${this.place.port}`
  }

  get pid(): number {
    return this.#process?.pid ?? -1
  }

  get said(): string {
    return this.#process?.said ?? ''
  }

  /** Starts it, without a wait. */
  launch(properties: readonly string[] = []): Running {
    const { directory } = this.place
    mkdirSync(directory, { recursive: true })
    const file = join(directory, 'server.properties')
    writeFileSync(file, `${[...this.place.properties, ...properties].join('\n')}\n`)
    this.#process = new Running(join(root, 'bin', 'kafka-server-start.sh'), [file])
    return this.#process
  }

  async start(properties: readonly string[] = []): Promise<void> {
    await this.launch(properties).says('] started (')
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal)
  }
}

export interface PartitionView {
  readonly partition: number
  readonly leader: number
  readonly inSync: readonly number[]
}

/** What a broker says of a topic's partitions. */
export async function partitionsOf(port: number, topic: string): Promise<PartitionView[]> {
  const { topics } = await ask(port, Metadata, 1, { topics: [{ name: topic }] })
  return (topics[0]?.partitions ?? [])
    .map(({ partitionIndex, leaderId, isrNodes }) => {
      return {
        partition: partitionIndex,
        leader: leaderId,
        inSync: [...isrNodes].sort((one, other) => one - other),
      }
    })
    .sort((a, b) => a.partition - b.partition)
}

/** Waits until a broker says so of every partition of a topic that has that many. */
export async function awaitPartitions(
  port: number,
  topic: string,
  wanted: {
    readonly count: number
    readonly what: string
    readonly is: (view: PartitionView) => boolean
  },
  limitMs = 60_000,
): Promise<void> {
  let last = ''
  await until(`${topic}: ${wanted.what}`, limitMs, async () => {
    try {
      const views = await partitionsOf(port, topic)
      last = JSON.stringify(views)
      return views.length === wanted.count && views.every(wanted.is) ? true : undefined
    } catch (error) {
      last = String(error)
      return undefined
    }
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${last}`)
  })
}
