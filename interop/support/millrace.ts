/** A broker of ours, with its coordination or on somebody else's, as a process on free ports. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, millrace, until } from '../../test/platform/chain.ts'

export class MillraceBroker {
  readonly directory: string
  readonly port: number
  readonly coordinationPort: number
  /** Whether it brings its coordination. */
  readonly #isWhole: boolean
  #process: ChildProcess | undefined
  output = ''

  constructor(directory: string, port: number, coordinationPort: number, isWhole = true) {
    this.directory = directory
    this.#isWhole = isWhole
    this.port = port
    this.coordinationPort = coordinationPort
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#process?.pid ?? -1
  }

  /** Starts it, again on the same directory; resolves when it says that it has started. */
  async start(properties: readonly string[] = []): Promise<void> {
    mkdirSync(this.directory, { recursive: true })
    const server = join(this.directory, 'server.properties')
    const zookeeper = join(this.directory, 'zookeeper.properties')
    const lines = [
      'broker.id=0',
      `listeners=PLAINTEXT://127.0.0.1:${this.port}`,
      `log.dirs=${this.directory}/kafka`,
      `zookeeper.connect=127.0.0.1:${this.coordinationPort}`,
      'zookeeper.session.timeout.ms=6000',
      'group.initial.rebalance.delay.ms=0',
      ...properties,
    ]
    writeFileSync(server, `${lines.join('\n')}\n`)
    writeFileSync(
      zookeeper,
      `dataDir=${this.directory}/zookeeper\nclientPort=${this.coordinationPort}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n`,
    )
    this.output = ''
    const whole = ['broker-with-coordination', 'kafka.Kafka', server, zookeeper]
    const child = spawn(millrace, this.#isWhole ? whole : ['kafka.Kafka', server])
    this.#process = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    await until('the broker has started', 30000, () => {
      if (child.exitCode !== null) throw new Error(this.output)
      return this.output.includes('] started (') ? true : undefined
    })
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }
}

export async function startMillrace(
  directory: string,
  properties: readonly string[] = [],
): Promise<MillraceBroker> {
  const [port = 0, coordinationPort = 0] = await freePorts(2)
  const broker = new MillraceBroker(directory, port, coordinationPort)
  await broker.start(properties)
  return broker
}
