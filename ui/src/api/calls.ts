// Calls of the console server. Failures become an ApiError with the server's own sentence.
import { parseExact } from '../parts/json.ts'
import type {
  MessagesAnswer,
  SearchAnswer,
  SearchField,
  SearchIndex,
  Status,
  TopicDetail,
  TopicSummary,
} from './types.ts'

export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** 0: the console itself did not answer. */
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export type MessagesQuery = Readonly<Record<string, string | number | undefined>>

export const api = {
  status: (signal: AbortSignal) => call<Status>('/api/status', { signal }),
  indices: (signal: AbortSignal) =>
    call<{ indices: SearchIndex[] }>('/api/search/indices', { signal }),
  fields: (index: string, signal: AbortSignal) =>
    call<{ fields: SearchField[] }>(`/api/search/fields?${parameters({ index })}`, { signal }),
  search: (index: string, body: unknown, signal: AbortSignal) =>
    call<SearchAnswer>(`/api/search/query?${parameters({ index })}`, {
      signal,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  topics: (signal: AbortSignal) => call<{ topics: TopicSummary[] }>('/api/topics', { signal }),
  topic: (name: string, signal: AbortSignal) =>
    call<TopicDetail>(`/api/topics/${encodeURIComponent(name)}`, { signal }),
  messages: (name: string, query: MessagesQuery, signal: AbortSignal) =>
    call<MessagesAnswer>(`/api/topics/${encodeURIComponent(name)}/messages?${parameters(query)}`, {
      signal,
    }),
}

function parameters(query: MessagesQuery): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, String(value)]],
  )
  return new URLSearchParams(given).toString()
}

async function call<Answer>(url: string, options: RequestInit): Promise<Answer> {
  const response = await fetch(url, options).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The console server does not answer. Is it still running?')
  })
  const text = await response.text()
  const parsed = parse(text)
  if (!response.ok) throw new ApiError(response.status, messageIn(parsed) ?? response.statusText)
  return parsed as Answer
}

function parse(text: string): unknown {
  try {
    return parseExact(text)
  } catch {
    throw new ApiError(502, 'The console server sent something that is not JSON.')
  }
}

function messageIn(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined
  const { error } = answer
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined
  return typeof error.message === 'string' ? error.message : undefined
}
