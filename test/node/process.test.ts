// runMain and lock files, in processes of their own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { nodeDisk } from '../../src/node/disk.ts'
import { DiskError } from '../../src/runtime/disk.ts'

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

interface Running {
  readonly child: ChildProcess
  /** Resolves when standard output contains the text. */
  readonly printed: (text: string) => Promise<void>
  readonly ended: Promise<Ended>
}

function run(fixture: string, ...args: string[]): Running {
  const file = path.join(import.meta.dirname, 'fixtures', fixture)
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let onOutput = (): void => {}
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    onOutput()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      onOutput = () => {
        if (stdout.includes(text)) resolve()
      }
      onOutput()
      child.on('close', () => reject(new Error(`ended without "${text}": ${stdout} ${stderr}`)))
    })
  return { child, printed, ended }
}

describe('runMain', () => {
  test('ends with the code of its main, which it keeps alive', async () => {
    const { code, stderr } = await run('main.ts', 'code').ended
    assert.deepEqual({ code, stderr }, { code: 7, stderr: '' })
  })

  test('prints a mistake of the user as one line, and a bug with its stack', async () => {
    const [user, bug] = await Promise.all([
      run('main.ts', 'user').ended,
      run('main.ts', 'bug').ended,
    ])
    assert.equal(user.code, 1)
    assert.equal(
      user.stderr,
      'millrace: port 9092 is taken; stop the other broker or change listeners\n',
    )
    assert.equal(bug.code, 1)
    assert.match(bug.stderr, /^TypeError: a bug\n {4}at .*main\.ts/)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`lets its main stop on ${signal}`, async () => {
      const { child, printed, ended } = run('main.ts', 'stop')
      await printed('ready')
      child.kill(signal)
      const { code, stdout } = await ended
      assert.deepEqual({ code, stdout }, { code: 0, stdout: `ready\nstopped by ${signal}\n` })
    })
  }

  test('ends at once on the second signal', async () => {
    const { child, printed, ended } = run('main.ts', 'stubborn')
    await printed('ready')
    child.kill('SIGTERM')
    await printed('asked by SIGTERM')
    child.kill('SIGTERM')
    assert.equal((await ended).code, 143)
  })

  test('ends quietly when nobody reads its output any more', async () => {
    const { child, printed, ended } = run('main.ts', 'pour')
    await printed('a line of output')
    child.stdout?.destroy()
    const { code, stderr } = await ended
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  })
})

test('a lock is held against other processes and free once its holder was killed', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-lock-'))
  const file = path.join(directory, '.lock')
  const holder = run('hold-lock.ts', file)
  await holder.printed('held')
  assert.throws(
    () => nodeDisk.lock(file),
    (error) => error instanceof DiskError && error.code === 'ELOCKED',
  )
  holder.child.kill('SIGKILL')
  await holder.ended
  const lock = nodeDisk.lock(file)
  const { stdout } = await run('hold-lock.ts', file).ended
  assert.match(stdout, /DiskError: ELOCKED/)
  lock.release()
  fs.rmSync(directory, { recursive: true })
})
