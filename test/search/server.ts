/** A search server within the test's process, on a free port and an empty directory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/node/clock.ts'
import { nodeDisk } from '../../src/node/disk.ts'
import { systemRandom } from '../../src/node/random.ts'
import { createWebServer } from '../../src/node/web-server.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { findCompatibility } from '../../src/search/compatibility.ts'
import { SearchService } from '../../src/search/service.ts'

export interface TestAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
}

export interface TestServer {
  readonly url: string
  call(method: string, path: string, body?: unknown, type?: string): Promise<TestAnswer>
  stop(): Promise<void>
}

export interface TestServerOptions {
  readonly version?: string
  /** Kept when the server stops. Default: a directory of its own, removed. */
  readonly directory?: string
  readonly bodyBytesMax?: number
  readonly shardsMax?: number
}

export async function startSearch(options: TestServerOptions = {}): Promise<TestServer> {
  const compatibility = findCompatibility(options.version ?? '7.17')
  if (compatibility === undefined) throw new Error('no such version')
  const directory = options.directory ?? temporaryDirectory()
  const bodyBytesMax = options.bodyBytesMax ?? 10_000_000
  const webServer = createWebServer({ bodyLimitBytes: bodyBytesMax })
  const service = new SearchService(
    { clock: systemClock, disk: nodeDisk, random: systemRandom, logger: silentLogger, webServer },
    {
      host: '127.0.0.1',
      port: 0,
      dataDirectory: directory,
      compatibility,
      clusterName: 'elasticsearch',
      nodeName: 'node-1',
      memoryBytesMax: 400_000_000,
      threads: 2,
      statementMsMax: 30_000,
      bodyBytesMax,
      shardsMax: options.shardsMax ?? 1000,
    },
  )
  await service.start()
  const url = `http://${service.address}`
  return {
    url,
    call: (method, path, body, type) => call(url + path, method, body, type),
    async stop() {
      await service.stop()
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-search-'))
}

/** GET with a body is sent as POST: the client of the platform refuses it, the paths answer both. */
async function call(
  url: string,
  method: string,
  body: unknown,
  type = 'application/json',
): Promise<TestAnswer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(url, {
    method,
    ...(text === undefined ? {} : { body: text, headers: { 'content-type': type } }),
  })
  const received = await answer.text()
  let json: unknown
  try {
    json = JSON.parse(received)
  } catch {
    json = received
  }
  return { status: answer.status, headers: answer.headers, text: received, json }
}

/** Lines of a bulk body. */
export function lines(...values: unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}
