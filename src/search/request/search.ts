/** Runs one search over some indices and puts its answer together. */
import { evaluateAggregations } from '../aggregations/evaluate.ts'
import type { AggregationContext } from '../aggregations/sources.ts'
import type { AggregationNode } from '../aggregations/tree.ts'
import type { Compatibility } from '../compatibility.ts'
import { type ErrorBody, SearchError, ShardError } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import type { Json, JsonObject } from '../json/value.ts'
import type { QueryContext } from '../query/context.ts'
import { resolveQuery } from '../query/resolve.ts'
import type { Condition, HitsPlan, ShardPlan } from '../storage/plan.ts'
import type { SearchParts } from './parts.ts'
import { renderHits, totalMost } from './hits.ts'
import { typedNames } from './typed-keys.ts'
import { parseSearch, type SearchRequest } from './search-request.ts'
import { planAfter, planSorts, scoreSort, usesScores } from './sorting.ts'

/** Hits that `from` and `size` may reach. */
const windowMax = 10_000

/** The answer of `_search`. Hits' sources are raw JSON. @throws SearchError */
export async function runSearch(
  parts: SearchParts,
  indices: readonly Index[],
  request: SearchRequest,
): Promise<Record<string, unknown>> {
  const started = parts.monotonicMs()
  checkSyntax(parts, request)
  const { ready, failures } = forEachIndex(indices, (index) => prepareIndex(parts, index, request))
  const usable = ready.map((one) => one.index)
  if (ready.length === 0 && failures.length > 0) throw allFailed(failures, parts.compatibility)
  const matching = ready.map(
    (one): ShardPlan => ({
      storage: one.index.storage,
      condition: one.query,
    }),
  )
  const shown = ready.map(
    (one): ShardPlan => ({
      storage: one.index.storage,
      condition: one.shown,
    }),
  )
  try {
    const hits = await runHits(parts, usable, shown, request)
    const aggregations = await runAggregations(parts, usable, matching, request)
    const shards = shardCounts(indices, failures)
    return {
      took: Math.round(parts.monotonicMs() - started),
      timed_out: false,
      ...(request.terminateAfter > 0 ? { terminated_early: hits.terminated } : {}),
      _shards: shards,
      hits: hits.json,
      ...(aggregations === undefined ? {} : { aggregations }),
    }
  } catch (error) {
    if (error instanceof ShardError) {
      throw allFailed(
        usable.map((index) => ({ index, error })),
        parts.compatibility,
      )
    }
    throw error
  }
}

/** `_count`. */
export async function runCount(
  parts: SearchParts,
  indices: readonly Index[],
  query: Json | undefined,
): Promise<Record<string, unknown>> {
  const request = { ...parseSearch({}, new Map()), query, size: 0 }
  checkSyntax(parts, request)
  const { ready, failures } = forEachIndex(indices, (index) => prepareIndex(parts, index, request))
  if (ready.length === 0 && failures.length > 0) throw allFailed(failures, parts.compatibility)
  const shards = ready.map((one) => ({ storage: one.index.storage, condition: one.query }))
  return { count: await parts.storage.count(shards), _shards: shardCounts(indices, failures) }
}

/** Mistakes that need no index to show, even where the search is over none. */
function checkSyntax(parts: SearchParts, request: SearchRequest): void {
  const context: QueryContext = { index: undefined, now: parts.now, scores: false }
  try {
    if (request.query !== undefined) resolveQuery(context, request.query, ['query'])
    if (request.postFilter !== undefined) {
      resolveQuery(context, request.postFilter, ['post_filter'])
    }
  } catch (error) {
    if (!(error instanceof ShardError)) throw error
  }
}

interface PreparedIndex {
  readonly index: Index
  readonly query: Condition
  /** With the post filter: what is shown and counted. */
  readonly shown: Condition
}

function prepareIndex(parts: SearchParts, index: Index, request: SearchRequest): PreparedIndex {
  checkWindow(index, request)
  const scores = usesScores(request)
  const context: QueryContext = { index, now: parts.now, scores }
  const query = resolveOr(context, request.query, 'query')
  planAfter(request, planSorts([index], request))
  if (request.postFilter === undefined) return { index, query, shown: query }
  const filter = [resolveOr(context, request.postFilter, 'post_filter')]
  const rest = { should: [], mustNot: [], minimumShouldMatch: 0, boost: 1 }
  return { index, query, shown: { kind: 'bool', must: [query], filter, ...rest } }
}

function resolveOr(context: QueryContext, query: Json | undefined, name: string): Condition {
  if (query === undefined) return { kind: 'all', boost: 1 }
  return resolveQuery(context, query, [name])
}

function checkWindow(index: Index, request: SearchRequest): void {
  const limit = Number(index.definition.settings['index.max_result_window'] ?? windowMax)
  const reach = request.from + request.size
  if (reach <= limit) return
  const major = index.compatibility.major
  throw new ShardError(
    major >= 7 ? 400 : 500,
    major >= 7 ? 'illegal_argument_exception' : 'query_phase_execution_exception',
    `Result window is too large, from + size must be less than or equal to: [${limit}] but was ` +
      `[${reach}]. See the scroll api for a more efficient way to request large data sets. This ` +
      'limit can be set by changing the [index.max_result_window] index level setting.',
  )
}

export interface ShardFailure {
  readonly index: Index
  readonly error: ShardError
}

function forEachIndex<T>(
  indices: readonly Index[],
  action: (index: Index) => T,
): { ready: T[]; failures: ShardFailure[] } {
  const ready: T[] = []
  const failures: ShardFailure[] = []
  for (const index of indices) {
    try {
      ready.push(action(index))
    } catch (error) {
      if (!(error instanceof ShardError)) throw error
      failures.push({ index, error })
    }
  }
  return { ready, failures }
}

function shardCounts(indices: readonly Index[], failures: readonly ShardFailure[]): JsonObject {
  const total = indices.reduce((sum, index) => sum + index.shardCount, 0)
  const failed = failures.reduce((sum, one) => sum + one.index.shardCount, 0)
  const counts: JsonObject = { total, successful: total - failed, skipped: 0, failed }
  if (failures.length > 0) counts['failures'] = failures.map(failureJson)
  return counts
}

/** The error of a search whose every shard failed: causes once per index, and grouped. */
export function allFailed(
  failures: readonly ShardFailure[],
  compatibility: Compatibility,
): SearchError {
  const status = failures.reduce((max, one) => Math.max(max, one.error.status), 400)
  const first = failures[0]?.error
  const causedBy = first === undefined ? {} : firstCause(first, compatibility)
  return new SearchError(status, 'search_phase_execution_exception', 'all shards failed', {
    extra: {
      phase: 'query',
      grouped: true,
      failed_shards: failures.map(failureJson),
      rootCauses: failures.map(({ index, error }) => shardErrorJson(index, error)),
    },
    ...causedBy,
  })
}

/** Errors that are not the search engine's own are shown once more, as a cause with itself as cause. */
function firstCause(error: ShardError, compatibility: Compatibility): { causedBy?: ErrorBody } {
  const { type, reason, causedBy } = error
  const own: ErrorBody = { type, reason }
  if (type === 'illegal_argument_exception') {
    return { causedBy: { ...own, caused_by: causedBy ?? own } }
  }
  if (compatibility.major < 7) return {}
  return { causedBy: causedBy === undefined ? own : { ...own, caused_by: causedBy } }
}

function shardErrorJson(index: Index, error: ShardError): JsonObject {
  const names = error.namesIndex ? { index_uuid: index.uuid, index: index.name } : {}
  return { type: error.type, reason: error.reason, ...names }
}

/** 22 characters, as node ids have. */
export const nodeId = 'millraceSearchNode0001'

function failureJson({ index, error }: ShardFailure): JsonObject {
  const reason = shardErrorJson(index, error)
  if (error.causedBy !== undefined) reason['caused_by'] = causeJson(error.causedBy)
  return { shard: 0, index: index.name, node: nodeId, reason }
}

interface HitsAnswer {
  readonly json: Record<string, unknown>
  readonly terminated: boolean
}

async function runHits(
  parts: SearchParts,
  indices: readonly Index[],
  shards: readonly ShardPlan[],
  request: SearchRequest,
): Promise<HitsAnswer> {
  const { storage } = parts
  const plan = hitsPlan(indices, shards, request)
  const { from, size, terminateAfter } = request
  let total = await countOf(parts, shards, request)
  const limit = terminateAfter * shards.length
  const terminated = terminateAfter > 0 && total !== undefined && total > limit
  if (terminated) total = limit
  const nothing = total === 0 || size === 0
  const hits = nothing ? [] : await storage.hits(plan)
  const maxScore = await maxScoreOf(parts, { plan, total, from, request }, hits[0]?.score)
  return {
    json: renderHits({ parts, indices, request, plan }, { hits, total, maxScore }),
    terminated,
  }
}

async function countOf(
  parts: SearchParts,
  shards: readonly ShardPlan[],
  request: SearchRequest,
): Promise<number | undefined> {
  if (request.trackTotal === false) return undefined
  const { terminateAfter } = request
  const most = totalMost(parts.compatibility, request)
  return await parts.storage.count(shards, Math.max(most, terminateAfter * shards.length))
}

interface ScoreQuestion {
  readonly plan: HitsPlan
  readonly total: number | undefined
  readonly from: number
  readonly request: SearchRequest
}

async function maxScoreOf(
  parts: SearchParts,
  question: ScoreQuestion,
  first: number | undefined,
): Promise<number | null> {
  const { plan, total, from, request } = question
  if (plan.shards.length === 0 && parts.compatibility.major < 7) return 0
  if (request.size === 0) return parts.compatibility.major >= 7 ? null : 0
  if (!plan.scores || total === 0) return null
  if (request.sort.length === 0 && from === 0) return first ?? null
  if (request.sort.length > 0 && !request.trackScores) return null
  return (await parts.storage.maxScore(plan.shards)) ?? null
}

function hitsPlan(
  indices: readonly Index[],
  shards: readonly ShardPlan[],
  request: SearchRequest,
): HitsPlan {
  const keys = planSorts(indices, request)
  const fieldSpecs = [...request.docvalueFields, ...request.fields]
  return {
    shards,
    sort: keys.length === 0 ? [scoreSort] : keys,
    from: request.from,
    size: request.size,
    scores: usesScores(request),
    after: planAfter(request, keys),
    minScore: request.minScore,
    withSource:
      request.source.include || request.highlight !== undefined || request.fields.length > 0,
    fields: fieldSpecs.map((spec) => indices.map((index) => index.mapping.fields.get(spec.field))),
  }
}

async function runAggregations(
  parts: SearchParts,
  indices: readonly Index[],
  shards: readonly ShardPlan[],
  request: SearchRequest,
): Promise<JsonObject | undefined> {
  if (request.aggregations.length === 0 || indices.length === 0) return undefined
  const context: AggregationContext = {
    indices,
    shards,
    now: parts.now,
    major: parts.compatibility.major,
    resolve: (query, path) =>
      indices.map((index) => resolveQuery({ index, now: parts.now, scores: false }, query, path)),
  }
  const topHits = async (
    node: AggregationNode,
    within: readonly ShardPlan[],
  ): Promise<JsonObject> => {
    const inner = parseSearch({ size: 3, ...node.body }, new Map())
    const answer = await runHits(parts, indices, within, inner)
    return { hits: answer.json as JsonObject }
  }
  const evaluated = await evaluateAggregations(
    { storage: parts.storage, context, topHits },
    request.aggregations,
  )
  return request.typedKeys ? typedNames(context, request.aggregations, evaluated) : evaluated
}

function causeJson(cause: ErrorBody): JsonObject {
  const json: JsonObject = { type: cause.type, reason: cause.reason }
  if (cause.caused_by !== undefined) json['caused_by'] = causeJson(cause.caused_by)
  return json
}
