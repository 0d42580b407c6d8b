// Sends bulk requests until every document is acknowledged or refused for good.

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { PipelineEvent } from '../../events/event.ts'
import { HttpError } from '../../runtime/http.ts'
import { UserError } from '../../runtime/service.ts'
import type { Output, PipelinePorts } from '../plugin.ts'
import { type BulkItem, type BulkSettings, bulkItem, readBulkAnswer } from './bulk.ts'

export interface BulkSenderSettings {
  readonly urls: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly retryInitialMs: number
  readonly retryMaxMs: number
  readonly compress: boolean
  readonly inOrder: boolean
  readonly bulk: BulkSettings
}

/** A request is cut where it would exceed this, as in the original. */
const BULK_BYTES_MAX = 20 * 1024 * 1024

const compressed = promisify(gzip)

type Ports = Pick<PipelinePorts, 'http' | 'clock' | 'logger'>

export class BulkSender implements Output {
  readonly #ports: Ports
  readonly #settings: BulkSenderSettings
  readonly #closed = Promise.withResolvers<void>()
  #isClosed = false
  #host = 0
  #major: Promise<number> | undefined
  #lastWrite: Promise<void> = Promise.resolve()
  /** Documents that were there already, and that will never be. */
  readonly counts = { duplicate: 0, refused: 0, retried: 0 }

  constructor(ports: Ports, settings: BulkSenderSettings) {
    this.#ports = ports
    this.#settings = settings
  }

  write(events: readonly PipelineEvent[]): Promise<void> {
    if (!this.#settings.inOrder) return this.#send(events)
    const written = this.#lastWrite.then(() => this.#send(events))
    this.#lastWrite = written.catch(() => {})
    return written
  }

  /** Ends waiting for a server that does not answer; what is not acknowledged stays so. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#closed.resolve()
    return Promise.resolve()
  }

  async #send(events: readonly PipelineEvent[]): Promise<void> {
    // Batches that wait for the server ask once, together.
    this.#major ??= this.#findVersion()
    const major = await this.#major
    const items = events.map((event) => bulkItem(event, this.#settings.bulk, major < 7))
    for (const request of requestsOf(items)) await this.#deliver(request)
  }

  /** Tries for ever, with pauses that double, what is neither acknowledged nor refused. */
  async #deliver(items: readonly BulkItem[]): Promise<void> {
    let open = items
    let pauseMs = this.#settings.retryInitialMs
    while (open.length > 0) {
      const rest = await this.#attempt(open)
      if (rest.length === 0) return
      this.counts.retried += rest.length
      if (rest.length < open.length) pauseMs = this.#settings.retryInitialMs
      open = rest
      await this.#pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, this.#settings.retryMaxMs)
    }
  }

  /** Gives the items to try again. */
  async #attempt(items: readonly BulkItem[]): Promise<readonly BulkItem[]> {
    const { logger } = this.#ports
    const text = items.map((item) => item.lines).join('')
    const answer = await this.#request(
      'POST',
      '/_bulk?filter_path=errors,items.*.error,items.*.status',
      text,
    )
    if (answer === undefined) return items
    if (answer.status === 413 && items.length > 1) return this.#halves(items)
    if (answer.status === 413) {
      this.counts.refused += 1
      logger.warn('a document is dropped since it is too large for the server (413)')
      return []
    }
    if (answer.status !== 200) {
      logger.warn(
        `the bulk request was answered with ${answer.status}, trying again: ${startOf(answer.body)}`,
      )
      this.#host += 1
      return items
    }
    const verdicts = readBulkAnswer(jsonOf(answer.body), items.length)
    if (verdicts === undefined) {
      logger.warn(
        `the answer to a bulk request is not understood, trying again: ${startOf(answer.body)}`,
      )
      return items
    }
    return items.filter((item, at) => {
      const verdict = verdicts[at]
      if (verdict?.kind === 'duplicate') this.counts.duplicate += 1
      if (verdict?.kind === 'refused') {
        this.counts.refused += 1
        logger.warn(`could not ${item.action} a document, it is dropped: ${verdict.reason}`)
      }
      return verdict?.kind === 'retry'
    })
  }

  async #halves(items: readonly BulkItem[]): Promise<readonly BulkItem[]> {
    const middle = Math.ceil(items.length / 2)
    await this.#deliver(items.slice(0, middle))
    await this.#deliver(items.slice(middle))
    return []
  }

  /** Undefined where there was no answer. */
  async #request(
    method: string,
    path: string,
    text?: string,
  ): Promise<
    | {
        readonly status: number
        readonly headers: Readonly<Record<string, string>>
        readonly body: Buffer
      }
    | undefined
  > {
    const { urls, headers, timeoutMs, compress } = this.#settings
    const url = urls[this.#host % urls.length] ?? ''
    const body = text !== undefined && compress ? await compressed(text) : text
    try {
      return await this.#ports.http.send({
        method,
        url: url + path,
        headers: {
          ...headers,
          ...(text === undefined ? {} : { 'content-type': 'application/x-ndjson' }),
          ...(compress && text !== undefined ? { 'content-encoding': 'gzip' } : {}),
        },
        timeoutMs,
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      this.#ports.logger.warn(`no answer from ${url}, trying again: ${error.code} ${error.message}`)
      this.#host += 1
      return undefined
    }
  }

  /** The server's major version; it must be one that speaks this protocol. @throws UserError */
  async #findVersion(): Promise<number> {
    let pauseMs = this.#settings.retryInitialMs
    for (;;) {
      const answer = await this.#request('GET', '/')
      if (answer?.status === 200) {
        const version = versionOf(jsonOf(answer.body))
        if (version === undefined) {
          throw new UserError(
            `${this.#settings.urls[this.#host % this.#settings.urls.length]} is no Elasticsearch: ` +
              'its answer to GET / names no version',
          )
        }
        return version
      }
      if (answer !== undefined) {
        this.#ports.logger.warn(`GET / was answered with ${answer.status}, trying again`)
        this.#host += 1
      }
      await this.#pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, this.#settings.retryMaxMs)
    }
  }

  async #pause(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>()
    const timer = this.#ports.clock.schedule(ms, over.resolve)
    await Promise.race([over.promise, this.#closed.promise])
    timer.cancel()
    // A closed output neither acknowledges nor fails what is left.
    if (this.#isClosed) await new Promise<never>(() => {})
  }
}

function* requestsOf(items: readonly BulkItem[]): Generator<readonly BulkItem[]> {
  let request: BulkItem[] = []
  let bytes = 0
  for (const item of items) {
    const size = Buffer.byteLength(item.lines)
    if (bytes + size > BULK_BYTES_MAX && request.length > 0) {
      yield request
      request = []
      bytes = 0
    }
    request.push(item)
    bytes += size
  }
  if (request.length > 0) yield request
}

function versionOf(answer: unknown): number | undefined {
  if (typeof answer !== 'object' || answer === null || !('version' in answer)) return undefined
  const { version } = answer
  if (typeof version !== 'object' || version === null || !('number' in version)) return undefined
  // OpenSearch counts from 1 again and is a 7.10 at heart.
  if ('distribution' in version && version.distribution === 'opensearch') return 7
  const major = Number.parseInt(String(version.number), 10)
  return Number.isNaN(major) ? undefined : major
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function startOf(body: Buffer): string {
  return body.toString('utf8', 0, 500)
}
