// The few read-only calls the pages make to Elasticsearch, and its answers in a form of ours.
import { type HttpAnswer, type HttpClient, HttpError } from '../runtime/http.ts'
import type { ElasticsearchSettings } from './settings.ts'

export interface SearchIndex {
  readonly name: string
  readonly health: string
  readonly documentCount: number
  readonly sizeBytes: number | undefined
}

export interface SearchField {
  readonly name: string
  readonly type: string
  /** A field of type keyword under the same name that can be counted: `message.keyword`. */
  readonly keyword: string | undefined
}

export interface SearchState {
  readonly state: 'up' | 'down'
  readonly url: string
  readonly version: string | undefined
  readonly clusterName: string | undefined
  /** What is wrong and what to do, where it is down. */
  readonly problem: string | undefined
}

/** Elasticsearch refused or failed; status and a sentence for people. */
export class SearchError extends Error {
  override readonly name = 'SearchError'
  readonly status: number
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

const answerBytesMax = 32 * 1024 * 1024
const statusTimeoutMs = 1_500

/** Index names, wildcards and lists of them; no path separators, nothing that names another API. */
const indexPattern = /^(?![_+-])[^\\/?"<>|#\s%:]{1,1024}$/u

/** Keys of a search body that the pages use; others are refused, so that this is no open proxy. */
const searchKeys = new Set([
  'query',
  'aggs',
  'sort',
  'size',
  'from',
  'search_after',
  'track_total_hits',
  '_source',
  'highlight',
  'timeout',
  'docvalue_fields',
])
const searchSizeMax = 1_000

export class SearchGateway {
  readonly #http: HttpClient
  readonly #settings: ElasticsearchSettings
  /** The host that answered last comes first. */
  #current = 0

  constructor(ports: { readonly http: HttpClient }, settings: ElasticsearchSettings) {
    this.#http = ports.http
    this.#settings = settings
  }

  /** Never rejects: being down is an answer here. */
  async state(): Promise<SearchState> {
    const url = this.#settings.urls[this.#current] ?? ''
    try {
      const root = record(await this.#ask({ path: '/', timeoutMs: statusTimeoutMs }))
      const version = record(root['version'])['number']
      const clusterName = root['cluster_name']
      if (typeof version !== 'string') {
        const problem = `What answers at ${url} is not Elasticsearch: check elasticsearch.hosts.`
        return { state: 'down', url, version: undefined, clusterName: undefined, problem }
      }
      return {
        state: 'up',
        url: this.#settings.urls[this.#current] ?? '',
        version,
        clusterName: typeof clusterName === 'string' ? clusterName : undefined,
        problem: undefined,
      }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      return { state: 'down', url, version: undefined, clusterName: undefined, problem }
    }
  }

  /** All open indices but hidden ones, by name; backing indices of data streams included. @throws SearchError */
  async indices(): Promise<SearchIndex[]> {
    const columns = 'h=health,status,index,docs.count,store.size&bytes=b&format=json'
    const rows = await this.#ask({ path: `/_cat/indices?${columns}` })
    if (!Array.isArray(rows)) throw badAnswer('the list of indices')
    const indices: SearchIndex[] = []
    for (const row of rows.map(record)) {
      const name = row['index']
      if (typeof name !== 'string' || row['status'] === 'close') continue
      if (name.startsWith('.') && !name.startsWith('.ds-')) continue
      indices.push({
        name,
        health: typeof row['health'] === 'string' ? row['health'] : 'unknown',
        documentCount: count(row['docs.count']) ?? 0,
        sizeBytes: count(row['store.size']),
      })
    }
    return indices.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The fields of all indices that match, by name. @throws SearchError */
  async fields(pattern: string): Promise<SearchField[]> {
    const answer = record(await this.#ask({ path: `/${indexPath(pattern)}/_mapping` }))
    const types = new Map<string, string>()
    for (const index of Object.values(answer).map(record)) {
      const mappings = record(index['mappings'])
      // Up to 6.x the properties lie one level deeper, under the type's name.
      const roots =
        'properties' in mappings ? [mappings] : Object.values(mappings).map((type) => record(type))
      for (const root of roots) collectFields(record(root['properties']), '', types)
    }
    const multi = (name: string): boolean => types.get(name) === 'keyword'
    return [...types]
      .filter(([name]) => !isMultiField(name, types))
      .map(([name, type]) => ({
        name,
        type,
        keyword: type === 'text' && multi(`${name}.keyword`) ? `${name}.keyword` : undefined,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Runs a search and hands on its JSON as it came. @throws SearchError */
  async search(pattern: string, body: unknown): Promise<Buffer> {
    const checked = checkSearchBody(body)
    const query = 'ignore_unavailable=true&allow_no_indices=true'
    const answer = await this.#send({
      path: `/${indexPath(pattern)}/_search?${query}`,
      body: JSON.stringify(checked),
    })
    // Parsed for the sake of the page: it must never be told that something broken is an answer.
    parseJson(answer)
    return answer.body
  }

  async #ask(request: { readonly path: string; readonly timeoutMs?: number }): Promise<unknown> {
    return parseJson(await this.#send(request))
  }

  /** Tries the hosts in turn until one answers; an error status is an answer. */
  async #send(request: {
    readonly path: string
    readonly body?: string
    readonly timeoutMs?: number
  }): Promise<HttpAnswer> {
    const { urls, authorization, requestTimeoutMs } = this.#settings
    let failure: unknown
    for (let tried = 0; tried < urls.length; tried++) {
      const url = urls[this.#current] ?? ''
      try {
        const answer = await this.#http.send({
          method: request.body === undefined ? 'GET' : 'POST',
          url: url + request.path,
          headers: {
            accept: 'application/json',
            ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(authorization === undefined ? {} : { authorization }),
          },
          ...(request.body === undefined ? {} : { body: request.body }),
          timeoutMs: request.timeoutMs ?? requestTimeoutMs,
          maxAnswerBytes: answerBytesMax,
        })
        if (answer.status >= 300) throw refusal(answer)
        return answer
      } catch (error) {
        if (!(error instanceof HttpError)) throw error
        failure = error
        this.#current = (this.#current + 1) % urls.length
      }
    }
    const code = failure instanceof HttpError ? failure.code : 'unknown'
    throw new SearchError(
      503,
      `Elasticsearch does not answer at ${urls.join(', ')} (${code}). ` +
        'Start it, or point the console elsewhere with --elasticsearch URL.',
      { cause: failure },
    )
  }
}

function indexPath(pattern: string): string {
  if (!indexPattern.test(pattern)) {
    throw new SearchError(400, `${JSON.stringify(pattern)} cannot be the name of an index.`)
  }
  return encodeURIComponent(pattern)
}

function checkSearchBody(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new SearchError(400, 'A search is a JSON object.')
  }
  for (const key of Object.keys(body)) {
    if (!searchKeys.has(key)) throw new SearchError(400, `A search cannot contain ${key} here.`)
  }
  const size = record(body)['size'] ?? 0
  if (typeof size !== 'number' || size > searchSizeMax) {
    throw new SearchError(400, `size must be a number up to ${searchSizeMax}.`)
  }
  return record(body)
}

function refusal(answer: HttpAnswer): SearchError {
  const status = answer.status
  if (status === 401 || status === 403) {
    return new SearchError(
      502,
      `Elasticsearch refuses this console (${status}). ` +
        'Set elasticsearch.username and elasticsearch.password in console.yml.',
    )
  }
  const reason = reasonIn(answer.body.subarray(0, 1 << 20).toString('utf8'))
  return new SearchError(
    status < 500 && status >= 400 ? status : 502,
    reason ?? `Elasticsearch answers with status ${status}.`,
  )
}

/** The innermost reason of an Elasticsearch error: the one that names the user's mistake. */
function reasonIn(text: string): string | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // A proxy's HTML page, say: the status has to do.
    return undefined
  }
  const error = record(parsed)['error']
  if (typeof error === 'string') return error
  const rootCauses = record(error)['root_cause']
  const rootCause = Array.isArray(rootCauses) ? record(rootCauses[0]) : {}
  const shards = record(error)['failed_shards']
  const shard = Array.isArray(shards) ? record(record(shards[0])['reason']) : {}
  const candidates = [rootCause['reason'], shard['reason'], record(error)['reason']]
  return candidates.find((reason) => typeof reason === 'string' && reason !== '') as
    | string
    | undefined
}

function parseJson(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8'))
  } catch (error) {
    throw badAnswer('JSON', { cause: error })
  }
}

function badAnswer(expected: string, options?: ErrorOptions): SearchError {
  const message = `Elasticsearch's answer is not ${expected}: check elasticsearch.hosts.`
  return new SearchError(502, message, options)
}

function collectFields(
  properties: Readonly<Record<string, unknown>>,
  prefix: string,
  types: Map<string, string>,
): void {
  for (const [name, value] of Object.entries(properties)) {
    const field = record(value)
    const full = prefix + name
    if (typeof field['type'] === 'string' && !('properties' in field)) {
      const before = types.get(full)
      types.set(full, before === undefined || before === field['type'] ? field['type'] : 'conflict')
    }
    collectFields(record(field['properties']), `${full}.`, types)
    collectFields(record(field['fields']), `${full}.`, types)
  }
}

/** `message.keyword` beside a `message` that is itself a field is a view of it, not a field of documents. */
function isMultiField(name: string, types: ReadonlyMap<string, string>): boolean {
  const dot = name.lastIndexOf('.')
  return dot > 0 && types.has(name.slice(0, dot))
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {}
}

function count(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
