/**
 * Millrace beside the real Kafka 3.9.1, in turn, in one run: raw produce and fetch, with the CPU and the
 * memory that each broker took. `node bench/broker.ts [--rounds 3] [--seconds 3]`; needs Java and Maven.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { startKafka, startZooKeeper } from '../interop/support/kafka.ts'
import { startMillrace } from '../interop/support/millrace.ts'
import { freePorts, root } from '../test/platform/chain.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
  },
})
const run = promisify(execFile)

interface Case {
  readonly name: string
  readonly arguments: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'produce 1 KB, 16 KB batches', arguments: ['produce'] },
  { name: 'fetch of it, 1 reader', arguments: ['fetch'] },
  { name: 'produce 100 B, 16 KB batches', arguments: ['produce', '--size', '100'] },
  { name: 'produce 1 KB, 0.9 MB batches', arguments: ['produce', '--batch', '900000'] },
  {
    name: 'produce 1 KB, one a request, 1 in flight',
    arguments: ['produce', '--batch', '1', '--inflight', '1'],
  },
  { name: 'produce 1 KB, 16 connections', arguments: ['produce', '--connections', '16'] },
]

/** User and system time of a process in seconds, and its resident and greatest memory in MB. */
function usage(pid: number): { cpu: number; memory: number; peak: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return {
    cpu: (Number(stat[11]) + Number(stat[12])) / 100,
    memory: kilobytes('VmRSS') / 1024,
    peak: kilobytes('VmHWM') / 1024,
  }
}

interface Figures {
  readonly megabytesPerSecond: number
  readonly cpuPerGigabyte: number
  readonly p99Ms: number
}

async function measure(pid: number, port: number, topic: string, one: Case): Promise<Figures> {
  const before = usage(pid)
  const args = [
    ...one.arguments,
    '--port',
    String(port),
    '--topic',
    topic,
    '--seconds',
    options.seconds,
  ]
  const { stdout } = await run(process.execPath, [join(root, 'bench', 'load.ts'), ...args])
  const { bytes, megabytesPerSecond, p99Ms = 0 } = JSON.parse(stdout) as Record<string, number>
  const cpu = usage(pid).cpu - before.cpu
  return {
    megabytesPerSecond: megabytesPerSecond ?? 0,
    cpuPerGigabyte: cpu / ((bytes ?? 0) / 1e9),
    p99Ms,
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const [kafkaPort = 0, zookeeperPort = 0] = await freePorts(2)
const zookeeper = await startZooKeeper('3.9.1', join(directory, 'zookeeper'), zookeeperPort)
const kafkaPorts = { broker: kafkaPort, zookeeper: zookeeperPort }
const kafka = await startKafka('3.9.1', join(directory, 'kafka'), kafkaPorts)
const millrace = await startMillrace(join(directory, 'millrace'))
await new Promise((resolve) => setTimeout(resolve, 3000))
const idle = { ours: usage(millrace.pid).memory, theirs: usage(kafka.pid).memory }
try {
  console.log('| case | Kafka 3.9.1 | Millrace | ratio | CPU s/GB | ratio | p99 ms |')
  console.log('|---|---|---|---|---|---|---|')
  // The first round of a JVM is its warm-up and is not counted.
  const all = new Map<string, { theirs: Figures[]; ours: Figures[] }>()
  for (let round = 0; round <= Number(options.rounds); round += 1) {
    let topic = ''
    for (const one of cases) {
      if (one.arguments[0] === 'produce') topic = `t${cases.indexOf(one)}-${round}`
      const theirs = await measure(kafka.pid, kafkaPort, topic, one)
      const ours = await measure(millrace.pid, millrace.port, topic, one)
      const kept = all.get(one.name) ?? { theirs: [], ours: [] }
      all.set(one.name, kept)
      if (round === 0) continue
      kept.theirs.push(theirs)
      kept.ours.push(ours)
    }
  }
  for (const [name, { theirs, ours }] of all) {
    const of = (list: Figures[], key: keyof Figures): number => median(list.map((one) => one[key]))
    const [t, o] = [of(theirs, 'megabytesPerSecond'), of(ours, 'megabytesPerSecond')]
    const [tc, oc] = [of(theirs, 'cpuPerGigabyte'), of(ours, 'cpuPerGigabyte')]
    const delays = `${of(theirs, 'p99Ms').toFixed(2)} / ${of(ours, 'p99Ms').toFixed(2)}`
    console.log(
      `| ${name} | ${t.toFixed(0)} MB/s | ${o.toFixed(0)} MB/s | ${(o / t).toFixed(2)}x | ${tc.toFixed(2)} / ${oc.toFixed(2)} | ${(oc / tc).toFixed(2)}x | ${delays} |`,
    )
  }
  const [theirs, ours] = [usage(kafka.pid), usage(millrace.pid)]
  console.log(
    `\nMemory, MB: idle ${idle.theirs.toFixed(0)} / ${idle.ours.toFixed(0)}, peak ${theirs.peak.toFixed(0)} / ${ours.peak.toFixed(0)} (Kafka without its ZooKeeper / Millrace with its coordination)`,
  )
} finally {
  await millrace.stop()
  await kafka.stop('SIGKILL')
  await zookeeper.stop('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
}
