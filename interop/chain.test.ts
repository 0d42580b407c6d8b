/** The whole chain, looked at by Kafka's own Java tools and in a real browser. */
import assert from 'node:assert/strict'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { startChain, temporaryDirectory } from '../test/platform/chain.ts'
import { runTool, toolClass } from './support/kafka.ts'

const quiet = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const offline = ['--disable-background-networking', '--disable-component-update', '--disable-sync']

test('lines of a file are on the topic for Java, and on the page for a browser', async (t) => {
  const file = join(temporaryDirectory(t), 'some.log')
  const lines = Array.from({ length: 200 }, (_, n) => `the chain carries line ${n}`)
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
  const chain = await startChain(t, [file])
  await chain.awaitDocuments(200, 60000)

  const consumer = await runTool('3.9.1', toolClass('3.9.1', 'consoleConsumer'), [
    ...['--bootstrap-server', `127.0.0.1:${chain.ports.broker}`],
    ...['--topic', 'logs', '--from-beginning', '--max-messages', '200'],
  ])
  assert.equal(consumer.code, 0, consumer.stderr)
  const events = consumer.stdout.split('\n').filter((line) => line.startsWith('{'))
  const messages = events.map((event) => (JSON.parse(event) as { message: string }).message)
  assert.deepEqual(messages, lines)

  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [...quiet, ...offline],
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${chain.ports.console}/`)
  await page.getByText('the chain carries line').first().waitFor({ timeout: 30000 })
  appendFileSync(file, 'an appended line\n')
  await chain.awaitDocuments(201, 30000)
  await page.getByRole('button', { name: 'Refresh' }).click()
  await page.getByText('an appended line').first().waitFor({ timeout: 30000 })
  if (process.env['SCREENSHOTS'] !== undefined)
    await page.screenshot({ path: join(process.env['SCREENSHOTS'], 'chain.png') })
  assert.equal(await chain.stop(), 0)
})
