/** `_delete_by_query`, `_update_by_query`, `_reindex`: a search whose hits are written back. */
import { illegalArgument, validationFailed } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import { parseScript, runScript, type Script, type WriteOperation } from '../indices/operations.ts'
import { asArray, isObject, type Json, type JsonObject, parseJson, textOf } from '../json/value.ts'
import { resolveQuery } from '../query/resolve.ts'
import type { StoredHit } from '../storage/plan.ts'
import {
  bodyObject,
  type Handler,
  ok,
  requiredBody,
  resolveOptions,
  type RestContext,
  type RestRequest,
  type RestRoute,
} from './context.ts'

/** Hits that are worked on at a time. */
const batchSize = 1000

interface Tally {
  total: number
  updated: number
  created: number
  deleted: number
  batches: number
  conflicts: number
}

/** All hits of one index in batches, in the order of writing; what is written meanwhile is left out. */
async function forEachBatch(
  context: RestContext,
  index: Index,
  query: Json | undefined,
  action: (hits: readonly StoredHit[]) => Promise<void>,
): Promise<void> {
  const now = context.clock.now()
  const given = query ?? { match_all: {} }
  const condition = resolveQuery({ index, now, scores: false }, given, ['query'])
  const end = index.storage.nextSeq
  let after = -1
  for (;;) {
    const hits = await context.storage.hits({
      shards: [{ storage: index.storage, condition }],
      sort: [{ kind: 'doc', descending: false }],
      from: 0,
      size: batchSize,
      scores: false,
      after: after < 0 ? undefined : [after],
      minScore: undefined,
      withSource: true,
      fields: [],
    })
    const own = hits.filter((hit) => hit.seq < end)
    if (own.length > 0) await action(own)
    const last = hits.at(-1)
    if (last === undefined || own.length < batchSize) return
    after = last.seq
  }
}

const emptyTally = (): Tally => ({
  total: 0,
  updated: 0,
  created: 0,
  deleted: 0,
  batches: 0,
  conflicts: 0,
})

async function writeAll(
  index: Index,
  operations: readonly WriteOperation[],
  tally: Tally,
): Promise<void> {
  const results = await index.write(operations)
  tally.total += results.length
  tally.batches++
  for (const result of results) {
    if ('error' in result) {
      if (result.error.status !== 409) throw result.error
      tally.conflicts++
    } else if (result.result === 'deleted') tally.deleted++
    else if (result.result === 'created') tally.created++
    else tally.updated++
  }
}

function tallyJson(started: number, context: RestContext, tally: Tally, kind: string): JsonObject {
  const changes: JsonObject = {}
  if (kind !== 'delete') changes['updated'] = tally.updated
  if (kind === 'reindex') changes['created'] = tally.created
  return {
    took: Math.round(context.clock.monotonicMs() - started),
    timed_out: false,
    total: tally.total,
    ...changes,
    deleted: tally.deleted,
    batches: tally.batches,
    version_conflicts: tally.conflicts,
    noops: 0,
    retries: { bulk: 0, search: 0 },
    throttled_millis: 0,
    requests_per_second: -1,
    throttled_until_millis: 0,
    failures: [],
  }
}

function targets(context: RestContext, request: RestRequest): Index[] {
  return context.indices.resolve(request.variables['index'] ?? '', {
    ...resolveOptions(request),
    openOnly: true,
  })
}

const deleteByQuery: Handler = async (context, request) => {
  const body = bodyObject(request) ?? {}
  if (body['query'] === undefined) throw validationFailed('query is missing')
  const started = context.clock.monotonicMs()
  const tally = emptyTally()
  for (const index of targets(context, request)) {
    await forEachBatch(context, index, body['query'], (hits) =>
      writeAll(
        index,
        hits.map((hit) => ({ kind: 'delete', id: hit.id, ifSeqNo: hit.seq })),
        tally,
      ),
    )
  }
  return ok(tallyJson(started, context, tally, 'delete'))
}

const updateByQuery: Handler = async (context, request) => {
  const body = bodyObject(request) ?? {}
  const script = body['script'] === undefined ? undefined : parseScript(body['script'])
  const started = context.clock.monotonicMs()
  const tally = emptyTally()
  for (const index of targets(context, request)) {
    await forEachBatch(context, index, body['query'], (hits) =>
      writeAll(
        index,
        hits.map((hit) => ({
          kind: 'index',
          id: hit.id,
          ifSeqNo: hit.seq,
          source: rewritten(hit, script),
        })),
        tally,
      ),
    )
  }
  return ok(tallyJson(started, context, tally, 'update'))
}

function rewritten(hit: StoredHit, script: Script | undefined): string {
  const text = hit.source ?? '{}'
  if (script === undefined) return text
  const source = parseJson(text)
  if (!isObject(source)) throw illegalArgument('failed to execute script')
  runScript(script, source)
  return JSON.stringify(source)
}

const reindex: Handler = async (context, request) => {
  const body = requiredBody(request)
  const source = isObject(body['source']) ? body['source'] : {}
  const dest = isObject(body['dest']) ? body['dest'] : {}
  if (source['remote'] !== undefined) throw validationFailed('[remote] is not supported')
  const names = asArray(source['index']).map(String)
  if (names.length === 0)
    throw validationFailed('use _all if you really want to copy from all existing indexes')
  const script = body['script'] === undefined ? undefined : parseScript(body['script'])
  const target = await context.indices.forWriting(textOf(dest['index'] ?? ''))
  const kind = dest['op_type'] === 'create' ? 'create' : 'index'
  const started = context.clock.monotonicMs()
  const tally = emptyTally()
  for (const index of context.indices.resolve(names.join(','), { openOnly: true })) {
    await forEachBatch(context, index, source['query'], (hits) =>
      writeAll(
        target,
        hits.map((hit) => ({ kind, id: hit.id, source: rewritten(hit, script) })),
        tally,
      ),
    )
  }
  return ok(tallyJson(started, context, tally, 'reindex'))
}

export const byQueryRoutes: readonly RestRoute[] = [
  { methods: ['POST'], path: '/{index}/_delete_by_query', handler: deleteByQuery },
  { methods: ['POST'], path: '/{index}/_update_by_query', handler: updateByQuery },
  { methods: ['POST'], path: '/_reindex', handler: reindex },
]
