import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Chain, startChain, temporaryDirectory, until } from './chain.ts'

// Generous: how fast it is, bench/ tells. Here it only must come.
const limitMs = 60000

function logFile(test: TestContext, lines: number): { path: string; line: (n: number) => string } {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  test.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'some.log')
  const line = (n: number): string =>
    `10.0.0.${n % 250} - - [23/Nov/2026:10:00:00 +0000] "GET /page/${n} HTTP/1.1" 200 ${n} "-" "curl/8"`
  writeFileSync(path, Array.from({ length: lines }, (_, n) => `${line(n)}\n`).join(''))
  return { path, line }
}

test('lines of a file reach the topic, the index and the pages; appended lines follow; a restart repeats none', async (t) => {
  const { path, line } = logFile(t, 500)
  const first = await startChain(t, [path])
  await first.awaitDocuments(500, limitMs)
  const topics = await until('the topic on the pages', limitMs, async () => {
    const answer = await first.get(first.ports.console, '/api/topics')
    return JSON.stringify(answer ?? '').includes('"logs"') ? answer : undefined
  })
  assert.ok(topics)
  await first.awaitPages(limitMs)
  appendFileSync(path, `${line(500)}\n${line(501)}\n`)
  await first.awaitDocuments(502, limitMs)
  assert.equal(await first.stop(), 0)
  assert.match(first.output, /Stopping/)

  const second = await startChain(t, [path], first)
  await until('search answers again', limitMs, () => second.documents())
  appendFileSync(path, `${line(502)}\n`)
  await second.awaitDocuments(503, limitMs)
  const expected = Array.from({ length: 503 }, (_, n) => line(n))
  assert.deepEqual([...(await second.messages())].sort(), expected.sort())
  assert.equal(await second.stop(), 0)
})

test('no line is lost when everything is killed in the middle, nor by a rotation', async (t) => {
  const { path, line } = logFile(t, 20000)
  const first = await startChain(t, [path])
  await until('the first documents', limitMs, async () =>
    ((await first.documents()) ?? 0) > 0 ? true : undefined,
  )
  for (const pid of first.stagePids()) process.kill(pid, 'SIGKILL')
  first.signal('SIGKILL')
  await first.ended()

  const second = await startChain(t, [path], first)
  appendFileSync(path, `${line(20000)}\n`)
  // What the shipper had not yet noted down it sends again, as records of their own: at least once.
  const areThere = (lines: number) =>
    until(`${lines} lines`, limitMs, async () => {
      if (((await second.documents()) ?? 0) < lines) return undefined
      return (await second.messages()).size >= lines ? true : undefined
    })
  await areThere(20001)
  renameSync(path, `${path}.1`)
  writeFileSync(path, `${line(20001)}\n`)
  await areThere(20002)
  const expected = Array.from({ length: 20002 }, (_, n) => line(n))
  assert.deepEqual([...(await second.messages())].sort(), expected.sort())
  assert.equal(await second.stop(), 0)
})

test('a taken port is one line that names it, and exit code 1', async (t) => {
  const { path } = logFile(t, 1)
  const first = await startChain(t, [path])
  await until('the first chain', limitMs, () => first.documents())
  const second = new Chain(temporaryDirectory(t), first.ports, [path])
  assert.equal(await second.ended(), 1)
  const taken = new RegExp(`^millrace: port ${first.ports.broker} of 127.0.0.1 is taken`, 'm')
  assert.match(second.output, taken)
  assert.equal(await first.stop(), 0)
})
