/** Three real ZooKeepers as an ensemble. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePorts, temporaryDirectory, until } from '../../test/platform/chain.ts'
import { JavaServer } from '../support/kafka.ts'

const className = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'

/** The answer to `srvr`; empty where nobody answers. */
function srvr(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write('srvr'))
    socket.setTimeout(2000, () => socket.destroy())
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

export class Ensemble {
  readonly ports: readonly number[]
  readonly #directory: string
  readonly #peers: readonly number[]
  readonly #version: string
  readonly #servers: (JavaServer | undefined)[] = []

  constructor(version: string, directory: string, given: readonly number[]) {
    this.#version = version
    this.#directory = directory
    this.ports = given.slice(0, 3)
    this.#peers = given.slice(3)
  }

  launch(at: number): void {
    const home = join(this.#directory, `${at}`)
    const data = join(home, 'data')
    mkdirSync(data, { recursive: true })
    writeFileSync(join(data, 'myid'), `${at + 1}`)
    const file = join(home, 'zoo.cfg')
    const members = this.ports.map((_, n) => {
      const [quorum, election] = [this.#peers[2 * n], this.#peers[2 * n + 1]]
      return `server.${n + 1}=127.0.0.1:${quorum}:${election}`
    })
    const client = [`clientPort=${this.ports[at]}`, 'clientPortAddress=127.0.0.1']
    const limits = ['tickTime=2000', 'initLimit=10', 'syncLimit=5', 'maxClientCnxns=0']
    const lines = [`dataDir=${data}`, ...client, ...limits, 'admin.enableServer=false', ...members]
    writeFileSync(file, `${lines.join('\n')}\n`)
    this.#servers[at] = new JavaServer(this.#version, className, [file], '96m')
  }

  /** Waits for a leader and returns its place. */
  async leader(): Promise<number> {
    return await until('a leader of the ensemble', 60_000, async () => {
      for (const [at, port] of this.ports.entries())
        if ((await srvr(port)).includes('Mode: leader')) return at
      return undefined
    })
  }

  async kill(at: number): Promise<void> {
    await this.#servers[at]?.stop('SIGKILL')
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) await server?.stop('SIGKILL')
  }
}

export async function startEnsemble(t: TestContext, version: string): Promise<Ensemble> {
  const ensemble = new Ensemble(version, temporaryDirectory(t), await freePorts(9))
  t.after(() => ensemble.stop())
  for (const at of [0, 1, 2]) ensemble.launch(at)
  await ensemble.leader()
  return ensemble
}
