/** Between the web server and the handlers: bodies, headers, errors, `filter_path` and `pretty`. */
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../../runtime/logger.ts'
import { illegalArgument, SearchError } from '../errors.ts'
import { invalidName } from '../indices/names.ts'
import { filterPaths } from '../json/paths.ts'
import { type Json, parseOwnJson, renderJson } from '../json/value.ts'
import { nearest } from './nearest.ts'
import type { Handler, RestAnswer, RestContext, RestRequest } from './context.ts'
import { SearchTimeoutError } from '../storage/storage.ts'
import { failureAnswer } from './failure.ts'
import { type Method, type RouteMatch, Router } from './router.ts'
import { routes } from './routes.ts'

export interface RestLimits {
  /** Of a body, also after it was unpacked. */
  readonly bodyBytesMax: number
  /** Of all bodies that are being worked on. */
  readonly bodiesBytesMax: number
}

export class RestServer {
  readonly #context: RestContext
  readonly #router: Router<Handler>
  readonly #logger: Logger
  readonly #limits: RestLimits
  readonly #bodies: Budget
  readonly #operations: Budget = { of: 'operations', limit: 2 * operationsMax, used: 0 }
  /** Requests answered, for the progress line. */
  requests = 0

  constructor(context: RestContext, logger: Logger, limits: RestLimits) {
    this.#context = context
    this.#logger = logger
    this.#limits = limits
    this.#bodies = { of: 'bytes', limit: limits.bodiesBytesMax, used: 0 }
    this.#router = new Router(routes, context.compatibility.major)
  }

  /** Takes every path of the server: index names and lists do not fit its own routing. */
  register(server: FastifyInstance): void {
    server.removeAllContentTypeParsers()
    // Bodies are received by us, so that they count while they come in: a thousand connections that
    // each hold back the end of a large one would otherwise fill the memory.
    server.addContentTypeParser('*', (_, payload, done) => done(null, new Body(payload)))
    const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'] as const
    for (const url of ['/', '/*']) {
      server.route({
        method: [...methods],
        url,
        exposeHeadRoute: false,
        handler: (request, reply) => this.#serve(request, reply),
      })
    }
    server.setErrorHandler((error, request, reply) => {
      const status = errorStatus(error)
      if (status >= 500) this.#logger.error(`${request.method} ${request.url} failed`, error)
      const reason = error instanceof Error ? error.message : 'request failed'
      const failure = new SearchError(status, 'http_exception', reason)
      return this.#send(request, reply, failureAnswer(failure, ''))
    })
  }

  async #serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    this.requests++
    const share = new Share(this.#bodies)
    const operations = new Share(this.#operations)
    let text = ''
    try {
      const body = await this.#receive(request, share)
      if (body.length < 100_000) text = body.toString('utf8')
      return await this.#send(request, reply, await this.#answer(request, body, operations))
    } catch (error) {
      if (error instanceof UnreadBody) reply.header('connection', 'close')
      const cause = error instanceof UnreadBody ? error.cause : error
      return await this.#send(request, reply, this.#failure(request, cause, text))
    } finally {
      share.giveBack()
      operations.giveBack()
    }
  }

  #failure(request: FastifyRequest, error: unknown, text: string): RestAnswer {
    if (error instanceof SearchError) return failureAnswer(error, text)
    if (error instanceof SearchTimeoutError) {
      const why = `search ${error.message}`
      return failureAnswer(new SearchError(503, 'es_rejected_execution_exception', why), text)
    }
    this.#logger.error(`${request.method} ${request.url} failed`, error)
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    return failureAnswer(new SearchError(500, 'exception', reason ?? 'failed'), text)
  }

  /** The whole body, unpacked. @throws UnreadBody where the rest of it is not wanted, SearchError */
  async #receive(request: FastifyRequest, share: Share): Promise<Buffer> {
    const { body, headers } = request
    if (!(body instanceof Body)) return Buffer.alloc(0)
    const limit = this.#limits.bodyBytesMax
    let raw: Buffer
    try {
      if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge('the body is too large')
      raw = await collect(body.stream, share, { limit, excess: 'the body is too large' })
    } catch (error) {
      const early = new SearchError(400, 'http_exception', 'the body ended early')
      const cause = error instanceof SearchError ? error : early
      throw new UnreadBody('refused while it came in', { cause })
    }
    const encoding = headers['content-encoding']
    if (encoding === undefined || encoding === 'identity' || raw.length === 0) return raw
    if (encoding !== 'gzip') {
      const reason = `Content-Encoding [${encoding}] is not supported`
      throw new SearchError(415, 'http_exception', reason)
    }
    const unpacking = createGunzip({ chunkSize: 64 * 1024 })
    unpacking.end(raw)
    try {
      const excess = 'the unpacked body is too large'
      return await collect(unpacking, share, { limit, excess })
    } catch (error) {
      if (error instanceof SearchError) throw error
      throw new SearchError(400, 'zip_exception', 'the body is not gzip')
    } finally {
      unpacking.destroy()
    }
  }

  async #answer(request: FastifyRequest, body: Buffer, operations: Share): Promise<RestAnswer> {
    const question = request.url.indexOf('?')
    const path = question < 0 ? request.url : request.url.slice(0, question)
    const parts = path
      .split('/')
      .filter((part) => part !== '')
      .map(decode)
    const method = request.method as Method
    const type = request.headers['content-type']
    if (body.length > 0 && (type === undefined || !isJsonType(type))) {
      return {
        status: 406,
        json: { error: `Content-Type header [${type ?? ''}] is not supported`, status: 406 },
      }
    }
    const match = this.#router.find(method, parts)
    if (match.kind !== 'found') return noRoute(match, method, request.url, parts)
    const parameters = parametersOf(question < 0 ? '' : request.url.slice(question + 1))
    checkParameters(match.route.parameters, parameters, path)
    const rest: RestRequest = {
      method,
      path,
      variables: match.variables,
      parameters,
      body,
      reserveOperations(count) {
        if (count > operationsMax) {
          throw tooLarge(`a bulk of more than ${operationsMax} operations is too large`)
        }
        operations.take(count)
      },
    }
    const answer = await match.route.handler(this.#context, rest)
    return finished(answer, parameters)
  }

  async #send(
    request: FastifyRequest,
    reply: FastifyReply,
    answer: RestAnswer,
  ): Promise<FastifyReply> {
    const { compatibility } = this.#context
    reply.code(answer.status)
    if (compatibility.productHeader) reply.header('X-Elastic-Product', 'Elasticsearch')
    if (answer.text !== undefined) {
      reply.header('content-type', 'text/plain; charset=UTF-8')
      return await reply.send(answer.text)
    }
    const accept = request.headers.accept
    const versioned = /application\/vnd\.elasticsearch\+json\s*;\s*compatible-with=\d+/.exec(
      accept ?? '',
    )
    reply.header('content-type', versioned?.[0] ?? 'application/json; charset=UTF-8')
    const pretty = /[?&]pretty(?:=true)?(?:&|$)/.test(request.url)
    const text = answer.plain === true ? JSON.stringify(answer.json) : renderJson(answer.json)
    const shown = pretty ? `${JSON.stringify(parseOwnJson(text), null, 2)}\n` : text
    // As bytes: with a text the web server would add a character set to the media type.
    return await reply.send(Buffer.from(shown))
  }
}

/** A body that has not been read yet. */
class Body {
  readonly stream: Readable
  constructor(stream: Readable) {
    this.stream = stream
  }
}

/** The connection cannot serve another request: it is still full of this one's body. */
class UnreadBody extends Error {
  override readonly name = 'UnreadBody'
}

/** What all requests under way may have together. */
interface Budget {
  readonly of: 'bytes' | 'operations'
  readonly limit: number
  used: number
}

/** What one request takes of a budget. */
class Share {
  readonly #all: Budget
  #taken = 0

  constructor(all: Budget) {
    this.#all = all
  }

  /** @throws SearchError 429 */
  take(count: number): void {
    const all = this.#all
    if (all.used + count > all.limit) {
      const reason = `too many ${all.of} in requests under way: ${all.used}`
      throw new SearchError(429, 'es_rejected_execution_exception', reason)
    }
    all.used += count
    this.#taken += count
  }

  giveBack(): void {
    this.#all.used -= this.#taken
    this.#taken = 0
  }
}

/**
 * An operation of a bulk holds 2 to 3 KB while it is written, however few bytes it has in the body:
 * 48 MB of the smallest would be three million, and more than any heap.
 */
const operationsMax = 200_000

interface CollectLimit {
  readonly limit: number
  /** What is said of a stream that has more. */
  readonly excess: string
}

/** @throws SearchError, and what the stream fails with */
async function collect(stream: Readable, share: Share, bounds: CollectLimit): Promise<Buffer> {
  const chunks: Buffer[] = []
  let byteCount = 0
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue
    byteCount += chunk.length
    if (byteCount > bounds.limit) throw tooLarge(bounds.excess)
    share.take(chunk.length)
    chunks.push(chunk)
  }
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, byteCount)
}

function tooLarge(reason: string): SearchError {
  return new SearchError(413, 'http_exception', reason)
}

function errorStatus(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500
  return typeof error.statusCode === 'number' ? error.statusCode : 500
}

function isJsonType(type: string): boolean {
  return /^(application|text)\/(vnd\.elasticsearch\+)?(x-)?(nd)?json\b|^text\/plain\b/.test(type)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw illegalArgument(`malformed path part [${part}]`)
  }
}

function parametersOf(query: string): Map<string, string> {
  return new Map(new URLSearchParams(query))
}

const commonParameters = new Set(['pretty', 'human', 'error_trace', 'filter_path', 'format'])

function checkParameters(
  known: readonly string[] | undefined,
  given: ReadonlyMap<string, string>,
  path: string,
): void {
  if (known === undefined) return
  for (const name of given.keys()) {
    if (known.includes(name) || commonParameters.has(name)) continue
    const close = nearest(name, known)
    const hint = close === undefined ? '' : ` -> did you mean [${close}]?`
    throw illegalArgument(`request [${path}] contains unrecognized parameter: [${name}]${hint}`)
  }
}

/** What the original answers to paths it does not have. */
function noRoute(
  match: Exclude<RouteMatch<Handler>, { kind: 'found' }>,
  method: Method,
  url: string,
  parts: readonly string[],
): RestAnswer {
  if (match.kind === 'wrongMethod') {
    const error =
      `Incorrect HTTP method for uri [${url}] and method [${method}], ` +
      `allowed: [${match.allowed.join(', ')}]`
    return { status: 405, json: { error, status: 405 } }
  }
  const [first] = parts
  if (parts.length === 1 && first?.startsWith('_') === true) {
    throw invalidName(first, "must not start with '_'.")
  }
  const error = `no handler found for uri [${url}] and method [${method}]`
  return { status: 400, json: { error } }
}

function finished(answer: RestAnswer, parameters: ReadonlyMap<string, string>): RestAnswer {
  const filter = parameters.get('filter_path')
  if (filter === undefined || filter === '' || answer.json === undefined) return answer
  const plain: Json = parseOwnJson(renderJson(answer.json))
  return { status: answer.status, json: filterPaths(plain, filter) }
}
