/** Masks in an answer what differs from run to run, as it was masked when the answers were recorded. */

const masks: Readonly<Record<string, unknown>> = {
  took: 0,
  took_in_millis: 0,
  ingest_took: 0,
  creation_date: '<ms>',
  uuid: '<uuid>',
  cluster_uuid: '<uuid>',
  _scroll_id: '<scroll>',
  build_date: '<date>',
  build_hash: '<hash>',
  total_time_in_millis: 0,
  index_uuid: '<uuid>',
  'store.size': '<size>',
  'pri.store.size': '<size>',
  epoch: '<epoch>',
  timestamp: '<hms>',
  task_max_waiting_in_queue_millis: 0,
  'index.creation_date': '<ms>',
  'index.uuid': '<uuid>',
}

const identity = /^[A-Za-z0-9_-]{22}$/

export function normalise(value: unknown, key?: string): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item))
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, member]): [string, unknown] => {
      const shown = key === 'nodes' && identity.test(name) ? '<node-id>' : name
      const masked = Object.hasOwn(masks, name) && typeof member !== 'object'
      return [shown, masked ? masks[name] : normalise(member, name)]
    })
    return Object.fromEntries(entries)
  }
  if (typeof value !== 'string') return value
  if ((key === 'node' || key === '_node') && identity.test(value)) return '<node-id>'
  if (key === '_id' && /^[A-Za-z0-9_-]{20}$/.test(value)) return '<auto-id>'
  return value
    .replace(/\[[A-Za-z0-9_-]{22}\]/g, '[<uuid>]')
    .replace(/\/[A-Za-z0-9_-]{22}\]/g, '/<uuid>]')
    .replace(/context found for id \[\d+\]/g, 'context found for id [<n>]')
    .replace(/@[0-9a-f]{5,8};/g, '@<hash>;')
    .replace(/127\.0\.0\.1:\d+/g, '<host>')
    .replace(/index_uuid\W+[A-Za-z0-9_-]{22}/g, '<uuid>')
}

/** The same value with the members of all objects in order. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, member]) => [name, canonical(member)]))
}
