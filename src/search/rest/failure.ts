// Pure. Errors as answers.
import { RequestParseError, SearchError } from '../errors.ts'
import { locate } from '../json/locate.ts'
import type { RestAnswer } from './context.ts'

/** The original's error object, with its root causes. */
export function failureBody(error: SearchError, text: string): Record<string, unknown> {
  const { type, extra, causedBy } = error
  const { rootCauses, ...members } = { ...extra, ...placeOf(error, text) }
  const reason = reasonOf(error, text)
  const roots = Array.isArray(rootCauses) ? rootCauses : [{ type, reason, ...members }]
  return {
    root_cause: roots,
    type,
    reason,
    ...members,
    ...(causedBy === undefined ? {} : { caused_by: causedBy }),
  }
}

export function failureAnswer(error: SearchError, text: string): RestAnswer {
  return { status: error.status, json: { error: failureBody(error, text), status: error.status } }
}

function placeOf(error: SearchError, text: string): Record<string, number> {
  if (!(error instanceof RequestParseError) || error.form !== 'fields') return {}
  const { line, col } = locate(text, error.path, error.place)
  return { line, col }
}

function reasonOf(error: SearchError, text: string): string {
  if (!(error instanceof RequestParseError) || error.form !== 'prefix') return error.reason
  const { line, col } = locate(text, error.path, error.place)
  return `[${line}:${col}] ${error.reason}`
}
