/**
 * A refusal in Elasticsearch's own words. `type`, `reason` and further members of the error object are
 * the original's; `status` is the HTTP status.
 */
export class SearchError extends Error {
  override readonly name = 'SearchError'
  readonly status: number
  readonly type: string
  readonly reason: string
  /** More members of the error object, in order: index, line, resource.type … */
  readonly extra: Readonly<Record<string, unknown>>
  readonly causedBy: ErrorBody | undefined

  constructor(status: number, type: string, reason: string, more: ErrorDetails = {}) {
    super(reason)
    this.status = status
    this.type = type
    this.reason = reason
    this.extra = more.extra ?? {}
    this.causedBy = more.causedBy
  }
}

export interface ErrorDetails {
  readonly extra?: Readonly<Record<string, unknown>>
  readonly causedBy?: ErrorBody
}

export interface ErrorBody {
  readonly type: string
  readonly reason: string
  readonly caused_by?: ErrorBody
}

/**
 * A mistake at a place in the request's JSON. The place becomes line and column when the answer is
 * written: the name of the last key of `path`, its value, or the end of that value.
 */
export class RequestParseError extends SearchError {
  readonly path: readonly (string | number)[]
  readonly place: 'name' | 'value' | 'end'
  /** `fields`: line and col are members. `prefix`: the reason starts with [line:col]. */
  readonly form: 'fields' | 'prefix'

  constructor(reason: string, where: ParsePlace) {
    super(400, where.type ?? 'parsing_exception', reason, where)
    this.path = where.path
    this.place = where.place ?? 'value'
    this.form = where.form ?? 'fields'
  }
}

export interface ParsePlace extends ErrorDetails {
  readonly path: readonly (string | number)[]
  readonly place?: 'name' | 'value' | 'end'
  readonly form?: 'fields' | 'prefix'
  readonly type?: string
}

/** A mistake that shows only against one index: each shard of the search answers with it. */
export class ShardError extends SearchError {
  /** Whether the error object carries index and index_uuid. */
  readonly namesIndex: boolean

  constructor(status: number, type: string, reason: string, more: ShardErrorDetails = {}) {
    super(status, type, reason, more)
    this.namesIndex = more.namesIndex ?? false
  }
}

export interface ShardErrorDetails extends ErrorDetails {
  readonly namesIndex?: boolean
}

export function illegalArgument(reason: string, more: ErrorDetails = {}): SearchError {
  return new SearchError(400, 'illegal_argument_exception', reason, more)
}

export function validationFailed(...reasons: string[]): SearchError {
  const list = reasons.map((reason, at) => `${at + 1}: ${reason};`).join('')
  return new SearchError(400, 'action_request_validation_exception', `Validation Failed: ${list}`)
}

export function indexNotFound(name: string, kind = 'index_or_alias'): SearchError {
  return new SearchError(404, 'index_not_found_exception', 'no such index', {
    extra: {
      'resource.type': kind,
      'resource.id': name,
      index_uuid: '_na_',
      index: name,
    },
  })
}
