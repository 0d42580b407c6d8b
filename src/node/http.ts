/** HTTP for clients, on undici. */
import { Agent, request } from 'undici'
import { HttpError } from '../runtime/http.ts'
import type { HttpAnswer, HttpClient, HttpRequest } from '../runtime/http.ts'

const timeoutMsDefault = 60_000
const maxAnswerBytesDefault = 256 * 1024 * 1024

export interface HttpClientOptions {
  readonly connectTimeoutMs?: number
  /** Connections per host. */
  readonly connections?: number
}

/** Keeps connections open between requests. `close` lets requests under way end. */
export function createHttpClient(
  options: HttpClientOptions = {},
): HttpClient & { close(): Promise<void> } {
  const agent = new Agent({
    connections: options.connections ?? 16,
    connect: { timeout: options.connectTimeoutMs ?? 10_000 },
  })
  return {
    send: (outgoing) => send(agent, outgoing),
    close: () => agent.close(),
  }
}

async function send(agent: Agent, outgoing: HttpRequest): Promise<HttpAnswer> {
  const timeoutMs = outgoing.timeoutMs ?? timeoutMsDefault
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), timeoutMs)
  try {
    const answer = await request(outgoing.url, {
      dispatcher: agent,
      method: outgoing.method,
      headers: { ...outgoing.headers },
      body: outgoing.body ?? null,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: timer.signal,
    })
    const limit = outgoing.maxAnswerBytes ?? maxAnswerBytesDefault
    const body = await collect(answer.body, limit)
    return { status: answer.statusCode, headers: plainHeaders(answer.headers), body }
  } catch (error) {
    if (error instanceof HttpError) throw error
    if (timer.signal.aborted) {
      throw new HttpError('ETIMEDOUT', `no answer within ${timeoutMs} ms`, { cause: error })
    }
    throw httpError(error)
  } finally {
    clearTimeout(timeout)
  }
}

async function collect(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let byteCount = 0
  // Leaving the loop by the error destroys the answer's stream.
  for await (const chunk of body) {
    byteCount += chunk.length
    if (byteCount > limit) throw new HttpError('EMSGSIZE', `the answer exceeds ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, byteCount)
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}

function httpError(error: unknown): HttpError {
  if (!(error instanceof Error)) return new HttpError('EIO', String(error), { cause: error })
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
  return new HttpError(code, error.message === '' ? code : error.message, { cause: error })
}
