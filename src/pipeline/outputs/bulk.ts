// Pure. Bulk requests to Elasticsearch: their lines, and what an answer means for each event.

import type { PipelineEvent } from '../../events/event.ts'
import type { Template } from '../../events/sprintf.ts'
import { documentIdOf } from './document-id.ts'

export interface BulkSettings {
  readonly action: Template
  readonly index: Template
  readonly documentId: Template | undefined
  readonly routing: Template | undefined
  readonly pipeline: Template | undefined
  /** Mapping type, for servers before 7.0. */
  readonly documentType: Template | undefined
  readonly upsert: boolean
  readonly retryOnConflict: number
  /** Fields every document gets, for data streams. */
  readonly extra: Readonly<Record<string, unknown>> | undefined
}

export interface BulkItem {
  /** Action line and document, each with its line end. */
  readonly lines: string
  readonly action: string
}

/** `typed`: the server is older than 7.0 and wants a type. */
export function bulkItem(event: PipelineEvent, settings: BulkSettings, typed: boolean): BulkItem {
  const action = settings.action.render(event)
  const explicitId = settings.documentId?.render(event)
  const needsNoId = action === 'index' || action === 'create'
  const id = explicitId ?? (needsNoId ? documentIdOf(event) : undefined)
  const routing = settings.routing?.render(event)
  const pipeline = settings.pipeline?.render(event)
  const meta = {
    _index: settings.index.render(event),
    ...(typed ? { _type: settings.documentType?.render(event) ?? 'doc' } : {}),
    ...(id === undefined ? {} : { _id: id }),
    ...(routing === undefined ? {} : { routing }),
    ...(pipeline === undefined || pipeline === '' ? {} : { pipeline }),
    ...(action === 'update' ? { retry_on_conflict: settings.retryOnConflict } : {}),
  }
  const head = `${JSON.stringify({ [action]: meta })}\n`
  if (action === 'delete') return { lines: head, action }
  const source = settings.extra === undefined ? event.data : { ...settings.extra, ...event.data }
  if (action === 'update') {
    const update = { doc: source, ...(settings.upsert ? { doc_as_upsert: true } : {}) }
    return { lines: `${head}${JSON.stringify(update)}\n`, action }
  }
  return { lines: `${head}${JSON.stringify(source)}\n`, action }
}

/** safe: acknowledged. duplicate: it is there already. refused: never will be. retry: try again. */
export type Verdict =
  | { readonly kind: 'safe' | 'duplicate' | 'retry' }
  | { readonly kind: 'refused'; readonly reason: string }

/** 409 means that the document is there; 400 and 404 that it will never fit; the rest may pass. */
export function verdictOf(status: number, error: unknown): Verdict {
  if (status >= 200 && status < 300) return { kind: 'safe' }
  if (status === 409) return { kind: 'duplicate' }
  if (status === 400 || status === 404) {
    return { kind: 'refused', reason: `${status} ${JSON.stringify(error)?.slice(0, 1000)}` }
  }
  return { kind: 'retry' }
}

/** Verdicts of an answer, one per item; undefined where the answer does not fit the request. */
export function readBulkAnswer(body: unknown, count: number): Verdict[] | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  if (!('items' in body)) {
    const clean = 'errors' in body && body.errors === false
    return clean ? Array.from({ length: count }, () => ({ kind: 'safe' })) : undefined
  }
  const { items } = body
  if (!Array.isArray(items) || items.length !== count) return undefined
  const verdicts: Verdict[] = []
  for (const item of items as readonly unknown[]) {
    const result: unknown =
      typeof item === 'object' && item !== null ? Object.values(item)[0] : undefined
    if (typeof result !== 'object' || result === null || !('status' in result)) return undefined
    if (typeof result.status !== 'number') return undefined
    verdicts.push(verdictOf(result.status, 'error' in result ? result.error : undefined))
  }
  return verdicts
}
