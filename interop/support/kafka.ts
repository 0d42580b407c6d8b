/**
 * The real Kafka and ZooKeeper, from Maven: installed once into a cache, run as processes on loopback.
 * Needs Java 11 or later and Maven.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../test/platform/chain.ts'

export const cache =
  process.env['MILLRACE_INTEROP_CACHE'] ?? join(homedir(), '.cache', 'millrace-interop')

/** The folder of a version's jars, fetched where it is missing. */
export function kafkaLibraries(version: string): string {
  const folder = join(cache, `kafka-${version}`)
  const libraries = join(folder, 'libs')
  if (existsSync(join(folder, 'complete'))) return libraries
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'pom.xml'), pomOf(version))
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${libraries}`]
  execFileSync(
    'mvn',
    ['-q', '-B', '-f', join(folder, 'pom.xml'), ...goal, '-DincludeScope=runtime'],
    {
      stdio: 'inherit',
    },
  )
  writeFileSync(join(folder, 'complete'), '')
  return libraries
}

function dependency(group: string, artifact: string, version: string): string {
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
}

function pomOf(version: string): string {
  const isOld = /^[01]\./.test(version)
  const isBefore24 = /^(1\.|2\.[0-3]\.)/.test(version)
  const scala = version.startsWith('0.') ? '2.11' : isBefore24 ? '2.12' : '2.13'
  const dependencies = [
    dependency('org.apache.kafka', `kafka_${scala}`, version),
    dependency('org.apache.kafka', 'kafka-tools', version),
    // Kafka before 2 uses javax.xml.bind, which later Javas no longer bring.
    ...(isOld ? [dependency('javax.xml.bind', 'jaxb-api', '2.3.1')] : []),
    // ZooKeeper 3.4.13, which it brings, finds no server on Java 14 and later (ZOOKEEPER-3779).
    ...(version === '2.0.0' ? [dependency('org.apache.zookeeper', 'zookeeper', '3.4.12')] : []),
    // Since 3 it brings no logging.
    ...(/^[34]\./.test(version) ? [dependency('org.slf4j', 'slf4j-reload4j', '1.7.36')] : []),
  ]
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>millrace.interop</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`
}

/** What java is called with to run a class of a version's jars, or one beside them. */
export function javaArguments(
  version: string,
  className: string,
  heap = '512m',
  beside = '',
): string[] {
  const opens = ['java.base/java.nio', 'java.base/sun.nio.ch', 'java.base/java.lang']
  const log = join(cache, 'log4j.properties')
  mkdirSync(cache, { recursive: true })
  writeFileSync(
    log,
    [
      'log4j.rootLogger=WARN,err',
      'log4j.appender.err=org.apache.log4j.ConsoleAppender',
      'log4j.appender.err.Target=System.err',
      'log4j.appender.err.layout=org.apache.log4j.PatternLayout',
      'log4j.appender.err.layout.ConversionPattern=[%d] %p %m (%c)%n',
    ].join('\n'),
  )
  return [
    `-Xmx${heap}`,
    ...opens.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
    `-Dlog4j.configuration=file:${log}`,
    '-cp',
    `${kafkaLibraries(version)}/*${beside === '' ? '' : `:${beside}`}`,
    className,
  ]
}

export interface ToolResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one of Kafka's tools by its class, to its end. */
export function runTool(
  version: string,
  className: string,
  args: readonly string[],
  input = '',
  timeoutMs = 60000,
): Promise<ToolResult> {
  return new Promise((resolve) => {
    const child = spawn('java', [...javaArguments(version, className), ...args])
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** Of what a server prints, the end is kept. */
const outputKept = 64 * 1024

/** A Java server that runs until it is stopped. */
export class JavaServer {
  readonly #process: ChildProcess
  output = ''

  constructor(version: string, className: string, args: readonly string[], heap = '1g') {
    this.#process = spawn('java', [...javaArguments(version, className, heap), ...args])
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-outputKept)
      })
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** Resolves when something listens on the port. */
  async listens(port: number): Promise<void> {
    await until(`a server on port ${port}`, 60000, () => {
      if (this.#process.exitCode !== null) throw new Error(this.output)
      return new Promise<true | undefined>((resolve) => {
        const socket = connect(port, '127.0.0.1')
        socket.on('connect', () => {
          socket.destroy()
          resolve(true)
        })
        socket.on('error', () => resolve(undefined))
      })
    })
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill(signal)
    await ended
  }
}

/**
 * A real ZooKeeper (3.8.4 with Kafka 3.9.1, 3.4.8 with 0.10.1.0) on its own directory, or on a dataDir
 * that somebody else has left.
 */
export async function startZooKeeper(
  version: string,
  directory: string,
  port: number,
  dataDir = join(directory, 'data'),
): Promise<JavaServer> {
  const file = join(directory, 'zoo.cfg')
  mkdirSync(dataDir, { recursive: true })
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    file,
    `dataDir=${dataDir}\nclientPort=${port}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n`,
  )
  const server = new JavaServer(
    version,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    [file],
    '256m',
  )
  await server.listens(port)
  return server
}

/** A real broker in ZooKeeper mode, on its own log directory or on one that somebody else has left. */
export async function startKafka(
  version: string,
  directory: string,
  ports: { readonly broker: number; readonly zookeeper: number },
  logDirectory = join(directory, 'logs'),
  properties: readonly string[] = [],
): Promise<JavaServer> {
  const file = join(directory, 'server.properties')
  mkdirSync(directory, { recursive: true })
  const newer = ['transaction.state.log.replication.factor=1', 'group.initial.rebalance.delay.ms=0']
  const lines = [
    'broker.id=0',
    `listeners=PLAINTEXT://127.0.0.1:${ports.broker}`,
    `zookeeper.connect=127.0.0.1:${ports.zookeeper}`,
    `log.dirs=${logDirectory}`,
    'zookeeper.session.timeout.ms=6000',
    'offsets.topic.replication.factor=1',
    'delete.topic.enable=true',
    ...(version.startsWith('0.10') ? [] : newer),
    ...properties,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const server = new JavaServer(version, 'kafka.Kafka', [file])
  await server.listens(ports.broker)
  return server
}

/** A tool's class: in the newest version first, each with the version from which on it is so. */
const classes: Readonly<Record<string, readonly (readonly [since: number, name: string])[]>> = {
  topics: [
    [3, 'org.apache.kafka.tools.TopicCommand'],
    [0, 'kafka.admin.TopicCommand'],
  ],
  consoleProducer: [
    [4, 'org.apache.kafka.tools.ConsoleProducer'],
    [0, 'kafka.tools.ConsoleProducer'],
  ],
  consoleConsumer: [
    [3, 'org.apache.kafka.tools.consumer.ConsoleConsumer'],
    [0, 'kafka.tools.ConsoleConsumer'],
  ],
  consumerGroups: [
    [3, 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'],
    [0, 'kafka.admin.ConsumerGroupCommand'],
  ],
}

/** The class of a tool in a version. */
export function toolClass(version: string, tool: string): string {
  const major = Number(version.split('.')[0])
  return classes[tool]?.find(([since]) => major >= since)?.[1] ?? ''
}
