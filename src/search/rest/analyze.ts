/** `_analyze`: the tokens of a text. */
import {
  type Analyzer,
  type AnalyzedToken,
  analyze,
  findAnalyzer,
  standardAnalyzer,
  tokenizers,
} from '../analysis/analyzer.ts'
import { illegalArgument, validationFailed } from '../errors.ts'
import type { Index } from '../indices/index.ts'
import { asArray, isObject, type JsonObject, textOf } from '../json/value.ts'
import { bodyObject, type Handler, ok, type RestRoute } from './context.ts'

const handler: Handler = (context, request) => {
  const body: JsonObject = bodyObject(request) ?? {}
  for (const name of ['analyzer', 'text', 'field', 'tokenizer']) {
    const value = request.parameters.get(name)
    if (value !== undefined && body[name] === undefined) body[name] = value
  }
  const texts = asArray(body['text']).map(String)
  if (body['text'] === undefined || texts.length === 0) throw validationFailed('text is missing')
  const expression = request.variables['index']
  const index = expression === undefined ? undefined : context.indices.resolve(expression)[0]
  const analyzer = analyzerOf(body, index)
  const tokens = texts.flatMap((text) => analyze(analyzer, text))
  return ok({ tokens: tokens.map(tokenJson) })
}

function tokenJson(token: AnalyzedToken): JsonObject {
  return {
    token: token.text,
    start_offset: token.start,
    end_offset: token.end,
    type: token.type,
    position: token.position,
  }
}

function analyzerOf(body: JsonObject, index: Index | undefined): Analyzer {
  const field = body['field']
  if (typeof field === 'string') {
    const found = index?.mapping.fields.get(field)
    if (found?.type === 'text') return found.analyzer
    return findAnalyzer(found === undefined ? 'standard' : 'keyword') ?? standardAnalyzer
  }
  const tokenizer = body['tokenizer']
  if (tokenizer !== undefined) return chainOf(textOf(tokenizer), body)
  const name = body['analyzer']
  if (name === undefined) return standardAnalyzer
  const found = index?.analyzers.get(textOf(name)) ?? findAnalyzer(textOf(name))
  if (found !== undefined) return found
  throw illegalArgument(`failed to find global analyzer [${textOf(name)}]`)
}

function chainOf(tokenizer: string, body: JsonObject): Analyzer {
  if (!Object.hasOwn(tokenizers, tokenizer)) {
    throw illegalArgument(`failed to find global tokenizer under [${tokenizer}]`)
  }
  let lowercase = tokenizer === 'lowercase'
  const stopwords = new Set<string>()
  for (const filter of [...asArray(body['filter']), ...asArray(body['token_filter'])]) {
    const type = isObject(filter) ? textOf(filter['type']) : textOf(filter)
    if (type === 'lowercase') lowercase = true
    else if (type === 'stop') {
      const words = isObject(filter) ? asArray(filter['stopwords']).map(String) : []
      for (const word of words) stopwords.add(word)
    } else throw illegalArgument(`failed to find global token filter under [${type}]`)
  }
  const standard = findAnalyzer('standard')
  const pattern = tokenizers[tokenizer]
  const name = pattern === standard?.tokenPattern ? 'standard' : tokenizer
  return { name, tokenPattern: pattern, lowercase, stopwords }
}

export const analyzeRoutes: readonly RestRoute[] = [
  { methods: ['GET', 'POST'], path: '/_analyze', handler },
  { methods: ['GET', 'POST'], path: '/{index}/_analyze', handler },
]
