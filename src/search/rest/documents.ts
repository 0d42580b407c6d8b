/** Single documents: index, create, get, update, delete, and `_mget`. */
import { illegalArgument, indexNotFound, SearchError, validationFailed } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import { parseUpdate, type WriteOperation } from '../indices/operations.ts'
import { asArray, isObject, type Json, textOf } from '../json/value.ts'
import { renderSource } from '../request/hits.ts'
import { parseSource, type SourceSpec } from '../request/search-request.ts'
import {
  bodyObject,
  type Handler,
  ok,
  requiredBody,
  type RestAnswer,
  type RestContext,
  type RestRequest,
  type RestRoute,
} from './context.ts'
import { failureBody } from './failure.ts'
import { outcomeJson, outcomeStatus, typeOf } from './outcome.ts'

const put: Handler = (context, request) => {
  const create = request.parameters.get('op_type') === 'create'
  return write(context, request, create ? 'create' : 'index')
}

const create: Handler = (context, request) => write(context, request, 'create')

async function write(
  context: RestContext,
  request: RestRequest,
  kind: 'index' | 'create',
): Promise<RestAnswer> {
  const source = request.body.toString('utf8')
  if (source.trim() === '') {
    throw new SearchError(400, 'parse_exception', 'request body is required')
  }
  const { index, type, id } = request.variables
  checkType(type)
  const target = await context.indices.forWriting(index ?? '', type)
  const ifSeqNo = request.parameters.get('if_seq_no')
  return await run(target, request, {
    kind,
    id,
    source,
    ifSeqNo: ifSeqNo === undefined ? undefined : Number(ifSeqNo),
  })
}

/** `/{index}/_something` that is no route of ours is not a type either. */
function checkType(type: string | undefined): void {
  if (type === undefined || type === '_doc' || !type.startsWith('_')) return
  throw new SearchError(
    400,
    'invalid_type_name_exception',
    `Document mapping type name can't start with '_', found: [${type}]`,
  )
}

async function run(
  index: Index,
  request: RestRequest,
  operation: WriteOperation,
): Promise<RestAnswer> {
  const [result] = await index.write([operation])
  if (result === undefined) throw new Error('an operation without a result')
  if ('error' in result) throw result.error
  const refresh = request.parameters.get('refresh')
  const forcedRefresh = refresh === '' || refresh === 'true'
  return ok(outcomeJson(index, result, { forcedRefresh }), outcomeStatus(result))
}

const remove: Handler = async (context, request) => {
  const { index, id } = request.variables
  const target = await context.indices.forWriting(index ?? '')
  return await run(target, request, { kind: 'delete', id })
}

const update: Handler = async (context, request) => {
  const { index, type, id } = request.variables
  const body = parseUpdate(requiredBody(request))
  const target = await context.indices.forWriting(index ?? '', type)
  return await run(target, request, { kind: 'update', id, body })
}

const get: Handler = async (context, request) => {
  const { index, id } = request.variables
  const target = singleIndex(context, index ?? '')
  const answer = await getJson(target, id ?? '', parseSource(request.parameters, undefined))
  return ok(answer, answer['found'] === true ? 200 : 404)
}

const getSource: Handler = async (context, request) => {
  const { index, id } = request.variables
  const target = singleIndex(context, index ?? '')
  const answer = await getJson(target, id ?? '', parseSource(request.parameters, undefined))
  if (answer['found'] === true) return ok(answer['_source'])
  if (context.compatibility.major < 7) return { status: 404, text: '' }
  throw new SearchError(
    404,
    'resource_not_found_exception',
    `Document not found [${index}]/[_doc]/[${id}]`,
  )
}

function singleIndex(context: RestContext, expression: string): Index {
  const found = context.indices.resolve(expression, {
    missingKind: 'index_expression',
    openOnly: true,
  })
  const [only] = found
  if (only === undefined) throw indexNotFound(expression, 'index_expression')
  if (found.length === 1) return only
  throw illegalArgument(
    `Alias [${expression}] has more than one indices associated with it ` +
      `[[${found.map((one) => one.name).join(', ')}]], can't execute a single index op`,
  )
}

async function getJson(
  index: Index,
  id: string,
  source: SourceSpec,
): Promise<Record<string, unknown>> {
  const head = { _index: index.name, ...typeOf(index), _id: id }
  const found = (await index.storage.lookup([id])).get(id)
  if (found === undefined) return { ...head, found: false }
  const sources = await index.storage.sources([found.seq])
  const text = sources.get(found.seq) ?? '{}'
  const modern = index.compatibility.major >= 7 ? { _seq_no: found.seq, _primary_term: 1 } : {}
  return {
    ...head,
    _version: found.version,
    ...modern,
    found: true,
    ...(source.include ? { _source: renderSource(text, source) } : {}),
  }
}

const multiGet: Handler = async (context, request) => {
  const body = bodyObject(request) ?? {}
  const wanted = wantedDocuments(request, body)
  if (wanted.length === 0) throw validationFailed('no documents to get')
  const docs: unknown[] = []
  for (const one of wanted) docs.push(await getOne(context, one))
  return ok({ docs })
}

interface Wanted {
  readonly index: string
  readonly type: string | undefined
  readonly id: string
  readonly source: SourceSpec
}

function wantedDocuments(request: RestRequest, body: Record<string, Json>): Wanted[] {
  const { index, type } = request.variables
  const usual = parseSource(request.parameters, undefined)
  const ids = asArray(body['ids']).map((id) => ({
    index: index ?? '',
    type,
    id: textOf(id),
    source: usual,
  }))
  const docs = asArray(body['docs']).map((one): Wanted => {
    const doc = isObject(one) ? one : { _id: one }
    const source = doc['_source'] === undefined ? usual : parseSource(new Map(), doc['_source'])
    const typeName = doc['_type'] ?? type
    return {
      index: textOf(doc['_index'] ?? index ?? ''),
      type: typeName === undefined ? undefined : textOf(typeName),
      id: textOf(doc['_id']),
      source,
    }
  })
  return [...docs, ...ids]
}

async function getOne(context: RestContext, wanted: Wanted): Promise<unknown> {
  try {
    return await getJson(singleIndex(context, wanted.index), wanted.id, wanted.source)
  } catch (error) {
    if (!(error instanceof SearchError)) throw error
    const type = wanted.type === undefined ? {} : { _type: wanted.type }
    return { _index: wanted.index, ...type, _id: wanted.id, error: failureBody(error, '') }
  }
}

export const documentRoutes: readonly RestRoute[] = [
  { methods: ['POST', 'PUT'], path: '/{index}/_create/{id}', handler: create, since: 7 },
  { methods: ['POST'], path: '/{index}/_update/{id}', handler: update, since: 7 },
  { methods: ['GET'], path: '/{index}/_source/{id}', handler: getSource, since: 7 },
  { methods: ['POST', 'GET'], path: '/_mget', handler: multiGet },
  { methods: ['POST', 'GET'], path: '/{index}/_mget', handler: multiGet },
  { methods: ['POST', 'GET'], path: '/{index}/{type}/_mget', handler: multiGet, until: 7 },
  { methods: ['POST'], path: '/{index}/_doc', handler: put, since: 8 },
  { methods: ['POST', 'PUT'], path: '/{index}/_doc/{id}', handler: put, since: 8 },
  { methods: ['GET'], path: '/{index}/_doc/{id}', handler: get, since: 8 },
  { methods: ['DELETE'], path: '/{index}/_doc/{id}', handler: remove, since: 8 },
  { methods: ['POST'], path: '/{index}/{type}', handler: put, until: 7 },
  { methods: ['POST', 'PUT'], path: '/{index}/{type}/{id}', handler: put, until: 7 },
  { methods: ['GET'], path: '/{index}/{type}/{id}', handler: get, until: 7 },
  { methods: ['DELETE'], path: '/{index}/{type}/{id}', handler: remove, until: 7 },
  { methods: ['POST', 'PUT'], path: '/{index}/{type}/{id}/_create', handler: create, until: 7 },
  { methods: ['POST'], path: '/{index}/{type}/{id}/_update', handler: update, until: 7 },
  { methods: ['GET'], path: '/{index}/{type}/{id}/_source', handler: getSource, until: 7 },
]
