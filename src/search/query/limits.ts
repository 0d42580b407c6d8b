// Pure. How large a query may be: what exceeds this costs more memory than any server has.
import { ShardError } from '../errors.ts'
import type { Condition } from '../storage/plan.ts'
import { shardError } from './context.ts'

/** Clauses of one boolean query: `indices.query.bool.max_clause_count`. */
const clausesMax = 1024
/** Conditions of a whole query on one index; each becomes a part of one statement. */
const conditionsMax = 4096
/** Values of one `terms` query: `index.max_terms_count`. */
const termsMax = 65_536

/** @throws ShardError too_many_clauses, as the original words it */
export function checkClauses(count: number): void {
  if (count <= clausesMax) return
  throw tooManyClauses(`maxClauseCount is set to ${clausesMax}`)
}

/** @throws ShardError */
export function checkTerms(count: number): void {
  if (count <= termsMax) return
  const reason =
    `The number of terms [${count}] used in the Terms Query request has exceeded the allowed ` +
    `maximum of [${termsMax}]. This maximum can be set by changing the [index.max_terms_count] ` +
    'index level setting.'
  const cause = { type: 'illegal_argument_exception', reason }
  throw shardError('query_shard_exception', `failed to create query: ${reason}`, cause)
}

/** @throws ShardError where the condition has more parts than a statement can hold */
export function checkSize(condition: Condition): void {
  if (countAtMost(condition, conditionsMax) <= conditionsMax) return
  throw tooManyClauses(`the query has more than ${conditionsMax} clauses`)
}

function tooManyClauses(reason: string): ShardError {
  const cause = { type: 'too_many_clauses', reason }
  return shardError('query_shard_exception', `failed to create query: ${reason}`, cause)
}

/** Counts conditions, and stops soon after `limit`. */
function countAtMost(condition: Condition, limit: number): number {
  let count = 1
  for (const inner of innerOf(condition)) {
    if (count > limit) break
    for (const one of inner) {
      if (count > limit) break
      count += countAtMost(one, limit - count)
    }
  }
  return count
}

function innerOf(condition: Condition): readonly (readonly Condition[])[] {
  switch (condition.kind) {
    case 'bool':
      return [condition.must, condition.filter, condition.should, condition.mustNot]
    case 'dismax':
      return [condition.inner]
    case 'constant':
      return [[condition.inner]]
    case 'all':
    case 'equals':
    case 'ids':
    case 'none':
    case 'pattern':
    case 'phrase':
    case 'present':
    case 'range':
    case 'token':
    default:
      return []
  }
}
