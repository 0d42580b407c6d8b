/** Goal: a seed decides everything. Method: the same seed again, here and in another process. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { planOf, run } from '../../src/simulation/run.ts'

const main = fileURLToPath(new URL('../../src/simulation/main.ts', import.meta.url))

/** The last line and the exit code. */
function simulate(...given: readonly string[]): Promise<{ last: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...given], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ last: text.trimEnd().split('\n').at(-1) ?? '', code }))
  })
}

test('a seed gives the same trace in another process, whatever ran before it', async () => {
  await run(planOf(3))
  const { hash, events, violations } = await run(planOf(4))
  assert.ok(events > 1000)
  const { last, code } = await simulate('--seed', '4')
  assert.equal(last, `hash ${hash}`)
  assert.equal(code, violations.length > 0 ? 1 : 0)
})

test('another seed gives another trace, and so does one fault less', async () => {
  const plan = planOf(5)
  const whole = await run(plan)
  const other = await run(planOf(6))
  const calm = await run({ ...plan, faults: [] })
  assert.equal(new Set([whole.hash, other.hash, calm.hash]).size, 3)
})

test('a seed that is none is refused with one line and exit code 1', async () => {
  const { code } = await simulate('--seed', 'x')
  assert.equal(code, 1)
})
