/** kcat (librdkafka as Debian has it), driven by lines: kcat.ts BOOTSTRAP */
import { spawn } from 'node:child_process'
import { type Asked, drive, limitMs, recordsOf, Seen } from './lines.ts'

const bootstrap = process.argv[2] ?? ''

function kcat(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-b', bootstrap, ...args])
    const timer = setTimeout(() => child.kill(), limitMs)
    let output = ''
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')))
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve(Buffer.from(output, 'latin1').toString())
      else reject(new Error(`exit ${code}: ${complaint.trim()}`))
    })
    child.stdin.end(input)
  })
}

async function produce(asked: Asked): Promise<void> {
  const records = recordsOf(asked)
  const settings = asked.idempotent ? ['-X', 'enable.idempotence=true'] : []
  const header = ['-H', `source=${asked.name}`]
  for (let partition = 0; partition < asked.partitions; partition += 1) {
    const lines = records
      .filter((record) => record.partition === partition)
      .map(({ key, value }) => `${key ?? ''}|${value ?? ''}\n`)
    const to = ['-t', asked.topic, '-p', String(partition), '-z', asked.codec]
    await kcat(['-P', '-K', '|', '-Z', ...to, ...header, ...settings], lines.join(''))
  }
}

interface Envelope {
  readonly partition: number
  readonly offset: number
  readonly ts: number
  readonly key: string | null
  readonly payload: string | null
  readonly headers?: readonly string[]
}

function take(output: string, seen: Seen): Seen {
  for (const line of output.split('\n').filter((each) => each !== '')) {
    const { partition, offset, ts, key, payload, headers: flat = [] } = JSON.parse(line) as Envelope
    const headers = Array.from({ length: flat.length / 2 }, (_, n) => {
      return [flat[2 * n] ?? '', flat[2 * n + 1] ?? ''] as const
    })
    seen.add(offset, { partition, timestampMs: ts, key, value: payload, headers })
  }
  return seen
}

async function read({ topic, partitions }: Asked): Promise<Seen> {
  return take(
    await kcat(['-C', '-t', topic, '-e', '-q', '-J', '-X', 'fetch.wait.max.ms=50']),
    new Seen(partitions),
  )
}

/** What it has printed is what it commits when it leaves. */
async function group({ topic, group: groupId, count }: Asked): Promise<Seen> {
  const limit = ['-c', String(count), '-X', 'auto.offset.reset=earliest']
  return take(await kcat([...limit, '-q', '-J', '-G', groupId, topic]), new Seen())
}

await drive({ produce, read, group })
