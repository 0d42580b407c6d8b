/** `_bulk`: many operations in one body of lines. */
import { illegalArgument, SearchError, validationFailed } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import { parseUpdate, type WriteOperation, type WriteResult } from '../indices/operations.ts'
import { isObject, type Json, type JsonObject, parseJson, textOf } from '../json/value.ts'
import { type Handler, ok, type RestRequest, type RestRoute } from './context.ts'
import { failureBody } from './failure.ts'
import { outcomeJson, outcomeStatus } from './outcome.ts'

type Action = 'index' | 'create' | 'update' | 'delete'

interface Item {
  readonly action: Action
  readonly indexName: string
  readonly type: string | undefined
  readonly id: string | undefined
  readonly operation: WriteOperation
}

const bulk: Handler = async (context, request) => {
  const started = context.clock.monotonicMs()
  const items = readItems(request)
  if (items.length === 0) throw validationFailed('no requests added')
  const answers = new Array<Record<string, unknown>>(items.length)
  const groups = new Map<Index, { places: number[]; operations: WriteOperation[] }>()
  const targets = new Map<string, Index | SearchError>()
  for (const [at, item] of items.entries()) {
    let target = targets.get(item.indexName)
    if (target === undefined) {
      target = await targetOf(context, item)
      targets.set(item.indexName, target)
    }
    if (target instanceof SearchError) {
      answers[at] = failedItem(item, item.indexName, target)
      continue
    }
    const group = groups.get(target)
    if (group === undefined) groups.set(target, { places: [at], operations: [item.operation] })
    else {
      group.places.push(at)
      group.operations.push(item.operation)
    }
  }
  const refresh = request.parameters.get('refresh')
  const forcedRefresh = refresh === '' || refresh === 'true'
  await Promise.all(
    [...groups].map(async ([index, { places, operations }]) => {
      const results = await index.write(operations)
      places.forEach((place, at) => {
        const item = items[place]
        const result = results[at]
        if (item !== undefined && result !== undefined) {
          answers[place] = itemAnswer(item, index, result, forcedRefresh)
        }
      })
    }),
  )
  const errors = answers.some((answer) => Object.values(answer).some(hasError))
  const took = Math.round(context.clock.monotonicMs() - started)
  return { ...ok({ took, errors, items: answers }), plain: true }
}

function hasError(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'error' in item
}

async function targetOf(context: Parameters<Handler>[0], item: Item): Promise<Index | SearchError> {
  try {
    return await context.indices.forWriting(item.indexName, item.type)
  } catch (error) {
    if (error instanceof SearchError) return error
    throw error
  }
}

function itemAnswer(
  item: Item,
  index: Index,
  result: WriteResult,
  forcedRefresh: boolean,
): Record<string, unknown> {
  if ('error' in result) return failedItem({ ...item, id: result.id }, index.name, result.error)
  const json = outcomeJson(index, result, { forcedRefresh })
  json['status'] = outcomeStatus(result)
  return { [item.action]: json }
}

function failedItem(item: Item, indexName: string, error: SearchError): Record<string, unknown> {
  const { root_cause: _, ...body } = failureBody(error, '')
  const type = item.type === undefined ? {} : { _type: item.type }
  const id = item.id === '' ? null : (item.id ?? null)
  return {
    [item.action]: { _index: indexName, ...type, _id: id, status: error.status, error: body },
  }
}

function readItems(request: RestRequest): Item[] {
  const { body, variables, parameters } = request
  if (body.length === 0) {
    throw new SearchError(400, 'parse_exception', 'request body is required')
  }
  if (body[body.length - 1] !== 10) {
    throw illegalArgument('The bulk request must be terminated by a newline [\\n]')
  }
  const defaults: Defaults = {
    index: variables['index'],
    type: variables['type'],
    demandCreate: parameters.get('op_type') === 'create',
  }
  request.reserveOperations(operationsIn(body))
  const items: Item[] = []
  // Clients send the same action line for every document: the last one is remembered.
  let known: { text: string; action: ParsedAction } | undefined
  let start = 0
  for (let line = 1; start < body.length; line++) {
    const end = body.indexOf(10, start)
    const text = body.toString('utf8', start, end)
    start = end + 1
    if (text.trim() === '') continue
    if (known?.text !== text) known = { text, action: parseAction(text, line, defaults) }
    const { action } = known
    let source = ''
    if (action.action !== 'delete') {
      const sourceEnd = body.indexOf(10, start)
      if (sourceEnd < 0) throw validationFailed('no source for the last action')
      source = body.toString('utf8', start, sourceEnd)
      start = sourceEnd + 1
      line++
    }
    items.push({ ...action, operation: operationOf(action, source) })
  }
  return items
}

/** Half of the lines: all operations but deletions, which hold little, have two. */
function operationsIn(body: Buffer): number {
  let lines = 0
  for (let at = body.indexOf(10); at >= 0; at = body.indexOf(10, at + 1)) lines++
  return Math.ceil(lines / 2)
}

interface Defaults {
  readonly index: string | undefined
  readonly type: string | undefined
  readonly demandCreate: boolean
}

interface ParsedAction {
  readonly action: Action
  readonly indexName: string
  readonly type: string | undefined
  readonly id: string | undefined
  readonly ifSeqNo: number | undefined
}

function parseAction(text: string, line: number, defaults: Defaults): ParsedAction {
  let parsed: Json
  try {
    parsed = parseJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw malformed(line, 'expected [START_OBJECT] but found [VALUE_STRING]')
  }
  if (!isObject(parsed)) throw malformed(line, 'expected START_OBJECT but found another token')
  const [name] = Object.keys(parsed)
  const options = name === undefined ? undefined : parsed[name]
  if (!isAction(name) || !isObject(options)) {
    throw malformed(
      line,
      `expected field [create], [delete], [index] or [update] but found [${String(name)}]`,
    )
  }
  const indexName = textIn(options, '_index') ?? defaults.index
  if (indexName === undefined) throw validationFailed('index is missing')
  const id = textIn(options, '_id')
  const ifSeqNo = options['if_seq_no']
  if (id === '') throw illegalArgument('if _id is specified it must not be empty')
  const bytes = id === undefined ? 0 : Buffer.byteLength(id)
  if (bytes > 512)
    throw validationFailed(`id is too long, must be no longer than 512 bytes but was: ${bytes}`)
  return {
    action: name === 'index' && defaults.demandCreate ? 'create' : name,
    indexName,
    type: textIn(options, '_type') ?? defaults.type,
    id,
    ifSeqNo: ifSeqNo === undefined ? undefined : Number(ifSeqNo),
  }
}

function isAction(name: string | undefined): name is Action {
  return name === 'index' || name === 'create' || name === 'update' || name === 'delete'
}

function textIn(options: JsonObject, name: string): string | undefined {
  const value = options[name]
  return value === undefined || value === null ? undefined : textOf(value)
}

function malformed(line: number, what: string): SearchError {
  return illegalArgument(`Malformed action/metadata line [${line}], ${what}`)
}

function operationOf(action: ParsedAction, source: string): WriteOperation {
  const { id, ifSeqNo } = action
  switch (action.action) {
    case 'index':
    case 'create':
      return { kind: action.action, id, ifSeqNo, source }
    case 'delete':
      return { kind: 'delete', id, ifSeqNo }
    case 'update': {
      let body: Json
      try {
        body = parseJson(source)
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        throw illegalArgument('failed to parse the update')
      }
      return { kind: 'update', id, ifSeqNo, body: parseUpdate(body) }
    }
  }
}

export const bulkRoutes: readonly RestRoute[] = [
  { methods: ['POST', 'PUT'], path: '/_bulk', handler: bulk },
  { methods: ['POST', 'PUT'], path: '/{index}/_bulk', handler: bulk },
  { methods: ['POST', 'PUT'], path: '/{index}/{type}/_bulk', handler: bulk, until: 7 },
]
