/** The clients of the matrix: how each is started, and what it can. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../../test/platform/chain.ts'
import type { SeenPartition } from '../clients/lines.ts'
import { cache, javaArguments, kafkaLibraries } from '../support/kafka.ts'

export interface MatrixClient {
  readonly name: string
  command(bootstrap: string): readonly string[]
  readonly codecs: readonly string[]
  /** none: it knows no headers. constant: it writes the same ones to all records. */
  readonly headers: 'none' | 'constant' | 'own'
  readonly setsTimestamps: boolean
  readonly hasIdempotence: boolean
}

const oldCodecs = ['none', 'gzip', 'snappy', 'lz4']
const allCodecs = [...oldCodecs, 'zstd']
const whole = {
  codecs: allCodecs,
  headers: 'own',
  setsTimestamps: true,
  hasIdempotence: true,
} as const

const clientsDirectory = join(root, 'interop', 'clients')
const python = join(cache, 'python', 'bin', 'python')

function nodeClient(name: string): MatrixClient {
  const file = join(clientsDirectory, `${name}.ts`)
  return { ...whole, name, command: (bootstrap) => [process.execPath, file, bootstrap] }
}

function pythonClient(name: string): MatrixClient {
  const file = join(clientsDirectory, 'driver.py')
  return { ...whole, name, command: (bootstrap) => [python, file, name, bootstrap] }
}

let classDirectory: string | undefined

/** The driver in Java, compiled against the oldest version and run with all. */
export function driverClasses(): string {
  if (classDirectory !== undefined) return classDirectory
  classDirectory = join(cache, 'driver-classes')
  mkdirSync(classDirectory, { recursive: true })
  const source = join(clientsDirectory, 'java', 'Driver.java')
  const path = ['-cp', `${kafkaLibraries('0.10.1.0')}/*`, '-d', classDirectory]
  execFileSync('javac', ['--release', '8', '-Xlint:-options', ...path, source])
  return classDirectory
}

export function javaClient(version: string): MatrixClient {
  const isOldest = version.startsWith('0.10')
  return {
    ...whole,
    name: `java-${version}`,
    command: (bootstrap) => [
      'java',
      ...javaArguments(version, 'Driver', '256m', driverClasses()),
      bootstrap,
    ],
    codecs: /^[01]\.|^2\.0/.test(version) ? oldCodecs : allCodecs,
    headers: isOldest ? 'none' : 'own',
    hasIdempotence: !isOldest,
  }
}

function franzClient(): MatrixClient {
  const command = (bootstrap: string): string[] => {
    const binary = join(cache, 'franz-driver')
    const directory = join(clientsDirectory, 'franz')
    execFileSync('go', ['build', '-o', binary, '.'], { cwd: directory, stdio: 'inherit' })
    return [binary, bootstrap]
  }
  return { ...whole, name: 'franz-go', command }
}

const kcat: MatrixClient = {
  ...nodeClient('kcat'),
  headers: 'constant',
  setsTimestamps: false,
}

export const quickClients: readonly MatrixClient[] = [
  nodeClient('ours'),
  javaClient('3.9.1'),
  kcat,
  nodeClient('kafkajs'),
  nodeClient('platformatic'),
]

export const allClients: readonly MatrixClient[] = [
  nodeClient('ours'),
  ...['0.10.1.0', '1.1.0', '2.0.0', '3.9.1', '4.1.0'].map(javaClient),
  kcat,
  nodeClient('kafkajs'),
  nodeClient('platformatic'),
  pythonClient('kafka-python'),
  pythonClient('confluent-kafka'),
  franzClient(),
]

export interface Answer {
  readonly ok?: boolean
  readonly error?: string
  readonly partitions?: readonly SeenPartition[]
}

function sorted(answer: Answer): Answer {
  if (answer.partitions === undefined) return answer
  const partitions = [...answer.partitions].sort((one, two) => one.partition - two.partition)
  return { ...answer, partitions }
}

/** A driver that does not answer within this has hung. Its own limits are lower. */
const answerLimitMs = 60_000

/** A running driver. */
export class Driver {
  readonly client: MatrixClient
  readonly #process: ChildProcess
  readonly #waiting: ((line: string | undefined) => void)[] = []
  /** Told each line that is no answer. */
  onLine: ((line: string) => void) | undefined
  #complaints = ''

  constructor(client: MatrixClient, bootstrap: string) {
    this.client = client
    const [command = '', ...args] = client.command(bootstrap)
    const child = spawn(command, args)
    this.#process = child
    const kill = (): void => void child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('close', () => process.off('exit', kill))
    child.stderr.on('data', (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-4000)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#waiting.shift()?.(line)
      else this.onLine?.(line)
    })
    child.on('close', () => {
      for (const answer of this.#waiting.splice(0)) answer(undefined)
    })
  }

  get complaints(): string {
    return this.#complaints
  }

  async ask(
    operation: string,
    options: Readonly<Record<string, string | number>>,
    limitMs = answerLimitMs,
  ): Promise<Answer> {
    const words = Object.entries(options).map(([name, value]) => `${name}=${value}`)
    const answer = new Promise<string | undefined>((resolve) => this.#waiting.push(resolve))
    this.tell([operation, ...words].join(' '))
    const hasHung = (): void => void this.#process.kill('SIGKILL')
    const timer = limitMs === Infinity ? undefined : setTimeout(hasHung, limitMs)
    const line = await answer
    clearTimeout(timer)
    if (line === undefined) throw new Error(`${this.client.name} has ended: ${this.#complaints}`)
    return sorted(JSON.parse(line) as Answer)
  }

  tell(line: string): void {
    this.#process.stdin?.write(`${line}\n`)
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = new Promise((resolve) => this.#process.once('close', resolve))
    this.#process.stdin?.end()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), answerLimitMs)
    await ended
    clearTimeout(timer)
  }
}
