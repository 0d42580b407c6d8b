// Pure. What the topic pages keep in their addresses.

export interface TopicsSearch {
  readonly search?: string
  readonly internal?: true
}

export type TopicTab = 'messages' | 'partitions' | 'settings'
export type MessagesFrom = 'newest' | 'oldest' | 'offset' | 'timestamp'

export interface TopicSearch {
  readonly tab?: TopicTab
  readonly from?: MessagesFrom
  readonly offset?: number
  /** As typed: absolute or relative. */
  readonly time?: string
  readonly partition?: number
  readonly filter?: string
  readonly limit?: number
  readonly live?: true
}

const tabs: readonly string[] = ['messages', 'partitions', 'settings'] satisfies TopicTab[]
const starts: readonly string[] = [
  'newest',
  'oldest',
  'offset',
  'timestamp',
] satisfies MessagesFrom[]

export const messageLimits = [50, 100, 250, 500, 1000] as const

export function topicsSearch(search: Record<string, unknown>): TopicsSearch {
  return {
    ...(isText(search['search']) ? { search: String(search['search']) } : {}),
    ...(search['internal'] === true ? { internal: true } : {}),
  }
}

export function topicSearch(search: Record<string, unknown>): TopicSearch {
  const tab = search['tab']
  const from = search['from']
  const offset = whole(search['offset'])
  const partition = whole(search['partition'])
  const limit = messageLimits.find((value) => value === search['limit'])
  return {
    ...(typeof tab === 'string' && tabs.includes(tab) ? { tab: tab as TopicTab } : {}),
    ...(typeof from === 'string' && starts.includes(from) ? { from: from as MessagesFrom } : {}),
    ...(offset === undefined ? {} : { offset }),
    ...(partition === undefined ? {} : { partition }),
    ...(isText(search['time']) ? { time: String(search['time']) } : {}),
    ...(isText(search['filter']) ? { filter: String(search['filter']) } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(search['live'] === true ? { live: true } : {}),
  }
}

/** Only the newest end of a topic has anything new to show. */
export function isLive(search: TopicSearch): boolean {
  return search.live === true && (search.from ?? 'newest') === 'newest'
}

function isText(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

function whole(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
