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

  async start(): Promise<void> {
    const [port = 0] = await freePorts(1)
    this.port = port
    mkdirSync(this.directory, { recursive: true })
    const file = join(this.directory, 'zoo.cfg')
    writeFileSync(
      file,
      `dataDir=${this.directory}/data\nclientPort=${port}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n`,
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

  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
}
