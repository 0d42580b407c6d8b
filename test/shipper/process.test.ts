// The shipper as a process of its own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-shipper-'))
after(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(
  args: readonly string[],
  onOutput: (stdout: string, kill: () => void) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [cli, 'shipper', ...args, '--path.home', folder])
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8')
    onOutput(stdout, () => child.kill('SIGTERM'))
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

function config(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const log = join(folder, 'a.log')
const good = `filebeat.inputs: [{ type: log, paths: [${log}] }]\noutput.console: {}\n`

test('SIGTERM ends it with 0, and the next start goes on behind what was printed', async () => {
  writeFileSync(log, 'one\ntwo\n')
  const file = config('good.yml', good)
  const first = await run(['-e', '-c', file], (stdout, kill) => {
    if (stdout.includes('"two"')) kill()
  })
  assert.equal(first.code, 0, first.stderr)
  assert.equal(first.stdout.trimEnd().split('\n').length, 2)
  writeFileSync(log, 'three\n', { flag: 'a' })
  const second = await run(['-e', '-c', file, '--once'])
  assert.equal(second.code, 0, second.stderr)
  const events = second.stdout.trimEnd().split('\n')
  assert.deepEqual(
    events.map((line) => (JSON.parse(line) as { message: string }).message),
    ['three'],
  )
  const id = (text: string): string => (JSON.parse(text) as { agent: { id: string } }).agent.id
  const meta = JSON.parse(readFileSync(join(folder, 'data/meta.json'), 'utf8')) as { uuid: string }
  assert.deepEqual(
    [id(first.stdout.split('\n')[0] ?? ''), id(events[0] ?? '')],
    [meta.uuid, meta.uuid],
  )
})

test('test config says OK or names the mistake in one line, with exit 1', async () => {
  const ok = await run(['test', 'config', '-c', config('ok.yml', good)])
  assert.deepEqual([ok.code, ok.stdout], [0, 'Config OK\n'])
  const path = config('bad.yml', `${good}queue.mem.events: many\n`)
  const bad = await run(['test', 'config', '-c', path])
  assert.equal(bad.code, 1)
  assert.equal(bad.stderr, `millrace: ${path}:3: queue.mem.events: 'many' is not a whole number\n`)
  const missing = await run(['-c', '/nowhere/filebeat.yml'])
  assert.equal(missing.code, 1)
  assert.match(
    missing.stderr,
    /^millrace: \/nowhere\/filebeat\.yml: the configuration cannot be read: ENOENT\n$/,
  )
})
