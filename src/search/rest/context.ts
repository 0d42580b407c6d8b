/** What handlers are given, and what they answer. */
import type { Clock } from '../../runtime/clock.ts'
import type { Compatibility } from '../compatibility.ts'
import { illegalArgument, SearchError } from '../errors.ts'
import { isCutOff } from '../indices/broken-document.ts'
import type { Indices } from '../indices/indices.ts'
import type { ClusterState } from '../indices/templates.ts'
import { isObject, type Json, type JsonObject, parseJson } from '../json/value.ts'
import type { SearchParts } from '../request/parts.ts'
import type { SearchStorage } from '../storage/storage.ts'
import type { Method, Route } from './router.ts'

export interface RestContext {
  readonly clock: Clock
  readonly indices: Indices
  readonly state: ClusterState
  readonly storage: SearchStorage
  readonly compatibility: Compatibility
  readonly nodeName: string
  readonly clusterName: string
  readonly httpAddress: () => string
}

export interface RestRequest {
  readonly method: Method
  /** As it was sent, without the query. */
  readonly path: string
  readonly variables: Readonly<Record<string, string>>
  readonly parameters: ReadonlyMap<string, string>
  readonly body: Buffer
  /** Called before so many operations are made of the body. @throws SearchError where that is too many */
  readonly reserveOperations: (count: number) => void
}

export interface RestAnswer {
  readonly status: number
  /** JSON; or text, as `_cat` answers. */
  readonly json?: unknown
  /** Nothing in the JSON is raw: it is rendered the fast way. */
  readonly plain?: boolean
  readonly text?: string
}

export type Handler = (
  context: RestContext,
  request: RestRequest,
) => Promise<RestAnswer> | RestAnswer

export type RestRoute = Route<Handler>

export const ok = (json: unknown, status = 200): RestAnswer => ({ status, json })

export const acknowledged: RestAnswer = ok({ acknowledged: true })

export function searchParts(context: RestContext): SearchParts {
  const { storage, compatibility, clock } = context
  return { storage, compatibility, now: clock.now(), monotonicMs: () => clock.monotonicMs() }
}

const bodyStream = 'org.elasticsearch.transport.netty4.ByteBufStreamInput@0000000'

/** The body as an object; undefined without a body. @throws SearchError as the original's parser does */
export function bodyObject(request: RestRequest): JsonObject | undefined {
  const text = request.body.toString('utf8')
  if (text.trim() === '') return undefined
  return parseObject(text)
}

export function parseObject(text: string): JsonObject {
  let value: Json
  try {
    value = parseJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw brokenBody(text)
  }
  if (isObject(value)) return value
  throw new SearchError(
    400,
    'parsing_exception',
    'Expected [START_OBJECT] but found another token',
    {
      extra: { line: 1, col: 1 },
    },
  )
}

function brokenBody(text: string): SearchError {
  const place = `[Source: ${bodyStream}; line: 1, column: ${2 * text.length + 1}]`
  if (!isCutOff(text)) {
    return new SearchError(400, 'json_parse_exception', `Unexpected character\n at ${place}`)
  }
  const start = `[Source: ${bodyStream}; line: 1, column: 1]`
  return new SearchError(
    500,
    'json_e_o_f_exception',
    'Unexpected end-of-input: expected close marker for Object ' +
      `(start marker at ${start})\n at ${place}`,
  )
}

export function requiredBody(request: RestRequest): JsonObject {
  const body = bodyObject(request)
  if (body !== undefined) return body
  throw new SearchError(400, 'parse_exception', 'request body is required')
}

/** A boolean parameter. @throws SearchError */
export function flagOf(request: RestRequest, name: string, usual = false): boolean {
  const text = request.parameters.get(name)
  if (text === undefined) return usual
  if (text === '' || text === 'true') return true
  if (text === 'false') return false
  throw illegalArgument(`Failed to parse value [${text}] as only [true] or [false] are allowed.`)
}

/** How the request wants missing, closed and unmatched indices treated. */
export function resolveOptions(request: RestRequest): {
  ignoreUnavailable: boolean
  demandSome: boolean
} {
  return {
    ignoreUnavailable: flagOf(request, 'ignore_unavailable'),
    demandSome: !flagOf(request, 'allow_no_indices', true),
  }
}

/** Parameters that the original takes with any search or index expression. */
export const indicesParameters = ['ignore_unavailable', 'allow_no_indices', 'expand_wildcards']
