// Goal: a person with a browser can search logs and read topics. Method: the built pages and the real
// console server with a generated Elasticsearch and topics in memory, driven through Chromium.
// Needs /usr/bin/chromium (or CHROMIUM) and `npm run build`; SCREENSHOTS=DIR keeps pictures.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { registerConsole } from '../src/console/server.ts'
import { systemClock } from '../src/node/clock.ts'
import { nodeDisk } from '../src/node/disk.ts'
import { createHttpClient } from '../src/node/http.ts'
import { createWebServer } from '../src/node/web-server.ts'
import { silentLogger } from '../src/runtime/logger.ts'
import {
  type FakeElasticsearch,
  generateDocuments,
  startFakeElasticsearch,
} from '../test/console/support/fake-elasticsearch.ts'
import { FakeTopics, record } from '../test/console/support/fake-topics.ts'

const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const documents = generateDocuments(6_000, Date.now())
const http = createHttpClient()
const app = createWebServer()
const problems: string[] = []
let elasticsearch: FakeElasticsearch
let browser: Browser
let origin: string

before(async () => {
  await build({
    configFile: fileURLToPath(new URL('../ui/vite.config.ts', import.meta.url)),
    logLevel: 'error',
  })
  elasticsearch = await startFakeElasticsearch(documents)
  await registerConsole(
    app,
    { http, reader: topics(), clock: systemClock, disk: nodeDisk, logger: silentLogger },
    {
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      bootstrapServers: ['broker-0:9092'],
      elasticsearch: {
        urls: [elasticsearch.url],
        authorization: undefined,
        requestTimeoutMs: 5_000,
      },
      pagesDirectory: fileURLToPath(new URL('../dist/ui', import.meta.url)),
    },
  )
  origin = await app.listen({ host: '127.0.0.1', port: 0 })
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: chromiumFlags,
  })
})

after(async () => {
  await browser.close()
  await app.close()
  await http.close()
  await elasticsearch.close()
})

function topics(): FakeTopics {
  const now = Date.now()
  const partitions = [0, 1, 2].map((partition) => ({
    begin: 0,
    end: 120,
    records: Array.from({ length: 120 }, (_, offset) => {
      const source = documents[offset * 3 + partition]?.source
      const value = JSON.stringify({ ...source, sequence: 9_007_199_254 }).replace(
        '9007199254}',
        '9007199254740993123}',
      )
      return record(partition, offset, value, {
        timestampMs: now - (120 - offset) * 1_000 + partition,
        key: offset % 4 === 0 ? null : Buffer.from(`web-${(offset % 3) + 1}`),
        headers: [{ key: 'agent', value: Buffer.from('millrace/0.1.0') }],
      })
    }),
  }))
  const binary = Buffer.from('00000000002a48656c6c6f00ff10200a4d696c6c72616365ffd8', 'hex')
  const records = [record(0, 0, binary, { timestampMs: now })]
  return new FakeTopics([
    { name: '__consumer_offsets', partitions: [{ begin: 0, end: 0, records: [] }], internal: true },
    { name: 'audit', partitions: [{ begin: 0, end: 0, records: [] }] },
    { name: 'nginx-access', partitions },
    { name: 'telemetry', partitions: [{ begin: 0, end: 1, records }] },
  ])
}

async function open(path: string, scheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) problems.push(`asked ${request.url()}`)
  })
  await page.goto(origin + path)
  return page
}

async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS']
  if (directory !== undefined) await page.screenshot({ path: `${directory}/${name}.png` })
}

/** How many hits the page says there are. */
async function hits(page: Page): Promise<number> {
  const text = await page.getByText(/^[\d,]+ hits?$/).textContent()
  return Number((text ?? '').replace(/\D/g, ''))
}

test('Discover shows the newest documents, a histogram and the fields', async () => {
  const page = await open('/', 'light')
  await page.getByRole('row').nth(5).waitFor()
  assert.match(page.url(), /\/discover/)
  const from = Date.now() - 15 * 60_000
  const expected = documents.filter(({ timeMs }) => timeMs >= from).length
  assert.ok(Math.abs((await hits(page)) - expected) < 40, `${await hits(page)} of ${expected}`)
  const first = await page.getByRole('row').nth(1).textContent()
  assert.match(first ?? '', /HTTP\/1\.1/)
  await page.getByRole('img', { name: /Documents over time/ }).waitFor()
  await page.getByTitle('response (long)').waitFor()
  await picture(page, 'discover-light')
  await page.context().close()
})

test('a query narrows the hits, lands in the address, and survives a reload', async () => {
  const page = await open('/discover?from=now-1h', 'dark')
  await page.getByRole('row').nth(5).waitFor()
  const all = await hits(page)
  await page.getByLabel('Query in Lucene syntax').fill('response:500')
  await page.getByLabel('Query in Lucene syntax').press('Enter')
  await page.waitForURL(/q=response/)
  const expected = documents.filter(({ source }) => source['response'] === 500).length
  await page.getByText(`${expected.toLocaleString('en-US')} hits`).waitFor()
  assert.ok(expected < all)
  await page.reload()
  await page.getByText(`${expected.toLocaleString('en-US')} hits`).waitFor()
  await picture(page, 'discover-dark-query')
  await page.context().close()
})

test('a broken query shows the reason at the query bar', async () => {
  const page = await open('/discover', 'light')
  await page.getByLabel('Query in Lucene syntax').fill('"broken')
  await page.getByLabel('Query in Lucene syntax').press('Enter')
  await page.getByText('Failed to parse query ["broken]').first().waitFor()
  await picture(page, 'discover-error')
  await page.context().close()
})

test('an opened document shows all its fields, exact numbers, and filters from them', async () => {
  const page = await open('/discover?from=now-1h', 'light')
  await page.getByRole('button', { name: 'Open the document' }).first().click()
  await page.getByRole('cell', { name: '9007199254740993123' }).waitFor()
  await page.getByTitle('clientip (ip)').click()
  await page.getByText(/In [\d,]+ documents/).waitFor()
  await picture(page, 'discover-document')
  await page.getByRole('button', { name: 'Filter for verb' }).click()
  await page.getByRole('group', { name: 'Filters' }).getByText('verb').waitFor()
  const posts = documents.filter(({ source }) => source['verb'] === 'POST').length
  const gets = documents.length - posts
  await page.getByText(new RegExp(`^(${format(gets)}|${format(posts)}) hits$`)).waitFor()
  await page.getByTitle('Turn around').click()
  await page.getByText('NOT').waitFor()
  await page.getByText(new RegExp(`^(${format(gets)}|${format(posts)}) hits$`)).waitFor()
  await page.getByRole('button', { name: 'Add column host.name' }).first().click()
  await page.getByRole('button', { name: 'Add column response' }).first().click()
  await page.getByRole('columnheader', { name: 'host.name' }).waitFor()
  await page.getByRole('button', { name: 'Time', exact: true }).click()
  await page.waitForURL(/sort=asc/)
  await picture(page, 'discover-columns')
  await page.context().close()
})

test('the time picker takes quick and absolute ranges, and a drag over the histogram zooms', async () => {
  const page = await open('/discover', 'light')
  await page.getByRole('button', { name: /^Time range/ }).click()
  await picture(page, 'discover-time')
  await page.getByLabel('From', { exact: true }).fill('yesterday')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByText(/From is no time/).waitFor()
  await page.getByRole('button', { name: 'Last 1 hour' }).click()
  await page.waitForURL(/from=now-1h/)
  await page.getByText(`${format(documents.length)} hits`).waitFor()
  const box = await page.getByRole('img', { name: /Documents over time/ }).boundingBox()
  assert.ok(box !== null)
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.7, box.y + 45, { steps: 6 })
  await page.mouse.up()
  await page.waitForURL(/from=20\d\d-/)
  await page.getByRole('button', { name: /Time range: 20/ }).waitFor()
  await page.getByText(`${format(documents.length)} hits`).waitFor({ state: 'detached' })
  assert.ok((await hits(page)) > 0)
  await picture(page, 'discover-zoomed')
  await page.context().close()
})

test('Topics lists topics, and a topic shows messages, partitions and settings', async () => {
  const page = await open('/topics', 'light')
  await page.getByRole('link', { name: 'nginx-access' }).waitFor()
  assert.equal(await page.getByText('__consumer_offsets').count(), 0)
  await picture(page, 'topics-light')
  await page.getByRole('link', { name: 'nginx-access' }).click()
  await page.getByRole('row').nth(5).waitFor()
  await page.getByRole('button', { name: 'Open message 119' }).first().click()
  await page.getByText('9007199254740993123').first().waitFor()
  await page.getByText('millrace/0.1.0').waitFor()
  await picture(page, 'topic-message')
  await page.getByLabel('Filter by text').fill('"verb":"POST"')
  await page.getByLabel('Filter by text').press('Enter')
  await page.getByText(/of 360 read/).waitFor()
  await page.getByRole('tab', { name: 'Partitions' }).click()
  await page.getByRole('button', { name: 'Messages of partition 1' }).waitFor()
  await picture(page, 'topic-partitions')
  await page.getByRole('tab', { name: 'Settings' }).click()
  await page.getByText('retention.ms').waitFor()
  await page.context().close()
})

test('binary values show as hex, and an empty topic says so', async () => {
  const page = await open('/topics/telemetry', 'dark')
  await page.getByRole('button', { name: 'Open message 0' }).click()
  await page.getByText(/\*Hello··/).waitFor()
  await picture(page, 'topic-binary-dark')
  await page.goto(`${origin}/topics/audit`)
  await page.getByText('This topic is empty').waitFor()
  await picture(page, 'topic-empty-dark')
  await page.goto(`${origin}/topics`)
  await page.getByRole('link', { name: 'nginx-access' }).click()
  await page.getByRole('row').nth(5).waitFor()
  await picture(page, 'topic-dark')
  await page.context().close()
})

test('pages say what is wrong and what to do when there is nothing to show', async () => {
  const page = await open('/topics', 'light')
  const down = {
    error: { status: 503, message: 'Kafka does not answer at broker-0:9092. Start it.' },
  }
  await page.route('**/api/topics', (route) => route.fulfill({ json: down, status: 503 }))
  await page.route('**/api/search/indices', (route) => route.fulfill({ json: { indices: [] } }))
  await page.reload()
  await page.getByText('Kafka does not answer at broker-0:9092').waitFor()
  await picture(page, 'kafka-down')
  await page.getByRole('link', { name: 'Discover', exact: true }).click()
  await page.getByText('No index yet').waitFor()
  await picture(page, 'no-index')
  await page.unroute('**/api/search/indices')
  // It asks again by itself.
  await page.getByRole('row').nth(5).waitFor()
  await page.getByLabel('Query in Lucene syntax').fill('response:999')
  await page.getByLabel('Query in Lucene syntax').press('Enter')
  await page.getByText('No documents match').waitFor()
  await picture(page, 'no-hits')
  await page.goto(`${origin}/discover?from=2015-05-17T00:00:00.000Z&to=2015-05-18T00:00:00.000Z`)
  await page.getByRole('button', { name: /Go to the newest/ }).click()
  await page.getByRole('row').nth(5).waitFor()
  assert.ok((await hits(page)) > 1_000)
  await page.context().close()
})

test('no page asked another server, broke the content security policy or logged an error', () => {
  // Chromium reports failed requests by itself; these were meant to fail.
  const others = problems.filter((problem) => !/status of (400|503)/.test(problem))
  assert.deepEqual(others, [])
})

function format(count: number): string {
  return count.toLocaleString('en-US')
}
