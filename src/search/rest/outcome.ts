// Pure. What became of an operation, as the document APIs and `_bulk` show it.
import type { Index } from '../indices/index.ts'
import type { WriteOutcome } from '../indices/operations.ts'

export interface OutcomeOptions {
  readonly forcedRefresh: boolean
}

export function outcomeJson(
  index: Index,
  outcome: WriteOutcome,
  options: OutcomeOptions,
): Record<string, unknown> {
  const { result, id, version, seqNo } = outcome
  const json: Record<string, unknown> = { _index: index.name, ...typeOf(index), _id: id }
  json['_version'] = version
  json['result'] = result
  if (options.forcedRefresh) json['forced_refresh'] = true
  json['_shards'] = { total: 1 + index.replicaCount, successful: 1, failed: 0 }
  if (seqNo !== undefined) Object.assign(json, { _seq_no: seqNo, _primary_term: 1 })
  return json
}

export function typeOf(index: Index): { _type?: string } {
  const { compatibility, definition } = index
  if (!compatibility.types) return {}
  return { _type: compatibility.major >= 7 ? '_doc' : definition.typeName }
}

export function outcomeStatus(outcome: WriteOutcome): number {
  if (outcome.result === 'created') return 201
  return outcome.result === 'not_found' ? 404 : 200
}
