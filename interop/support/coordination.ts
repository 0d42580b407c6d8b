/** Our coordination server alone, as a process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, root, until } from '../../test/platform/chain.ts'

export class CoordinationOnly {
  readonly directory: string
  port = 0
  #process: ChildProcess | undefined
  output = ''

  constructor(directory: string) {
    this.directory = directory
  }

  /** Starts it, again on the same directory and port. */
  async start(): Promise<void> {
    if (this.port === 0) this.port = (await freePorts(1))[0] ?? 0
    this.output = ''
    mkdirSync(this.directory, { recursive: true })
    const file = join(this.directory, 'zoo.cfg')
    writeFileSync(
      file,
      `dataDir=${this.directory}/data\nclientPort=${this.port}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n`,
    )
    const child = spawn(join(root, 'bin', 'zookeeper-server-start.sh'), [file])
    this.#process = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    await until('the coordination server listens', 30000, () => {
      if (child.exitCode !== null) throw new Error(this.output)
      return this.output.includes('binding to port') ? true : undefined
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
