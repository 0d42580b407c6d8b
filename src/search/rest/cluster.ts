/** The server as a cluster of one node: `/`, health, nodes, license, statistics. */
import type { Index } from '../indices/index.ts'
import {
  changed,
  type ClusterSettings,
  readChanges,
  type SettingsScope,
} from '../indices/cluster-settings.ts'
import { nestSettings } from '../indices/definition.ts'
import type { JsonObject } from '../json/value.ts'
import { SearchError } from '../errors.ts'
import { nodeId } from '../request/search.ts'
import {
  acknowledged,
  flagOf,
  type Handler,
  ok,
  requiredBody,
  type RestContext,
  type RestRequest,
  type RestRoute,
} from './context.ts'

const root: Handler = (context) => {
  const { compatibility: version } = context
  return ok({
    name: context.nodeName,
    cluster_name: context.clusterName,
    cluster_uuid: context.state.clusterUuid,
    version: {
      number: version.number,
      build_flavor: version.major >= 7 ? 'default' : 'oss',
      build_type: 'tar',
      build_hash: 'e36acdb',
      build_date: '2018-09-13T22:18:07.696808Z',
      build_snapshot: false,
      lucene_version: version.luceneVersion,
      minimum_wire_compatibility_version: ['5.6.0', '6.8.0', '7.17.0'][version.major - 6] ?? '',
      minimum_index_compatibility_version:
        ['5.0.0', '6.0.0-beta1', '7.0.0'][version.major - 6] ?? '',
    },
    tagline: 'You Know, for Search',
  })
}

interface ShardCounts {
  active: number
  unassigned: number
}

function shardsOf(indices: readonly Index[]): ShardCounts {
  const counts: ShardCounts = { active: 0, unassigned: 0 }
  for (const index of indices) {
    if (index.definition.closed) continue
    counts.active += index.shardCount
    counts.unassigned += index.shardCount * index.replicaCount
  }
  return counts
}

/** Copies that a single node cannot hold make it yellow, as a cluster of one node is. */
export function statusOf(indices: readonly Index[]): 'green' | 'yellow' {
  return shardsOf(indices).unassigned > 0 ? 'yellow' : 'green'
}

const health: Handler = (context, request) => {
  const expression = request.variables['index']
  let indices: Index[]
  let missing = false
  try {
    indices = context.indices.resolve(expression ?? '_all')
  } catch (error) {
    if (!(error instanceof SearchError) || error.status !== 404) throw error
    indices = []
    missing = true
  }
  const { active, unassigned } = shardsOf(indices)
  const wanted = request.parameters.get('wait_for_status')
  const status = missing ? 'red' : statusOf(indices)
  const timedOut = missing || (wanted === 'green' && status !== 'green')
  const percent = active + unassigned === 0 ? 100 : (100 * active) / (active + unassigned)
  const json: Record<string, unknown> = {
    cluster_name: context.clusterName,
    status,
    timed_out: timedOut,
    number_of_nodes: 1,
    number_of_data_nodes: 1,
    active_primary_shards: active,
    active_shards: active,
    relocating_shards: 0,
    initializing_shards: 0,
    unassigned_shards: unassigned,
    delayed_unassigned_shards: 0,
    number_of_pending_tasks: 0,
    number_of_in_flight_fetch: 0,
    task_max_waiting_in_queue_millis: 0,
    active_shards_percent_as_number: percent,
  }
  const level = request.parameters.get('level')
  if (level === 'indices' || level === 'shards') {
    json['indices'] = Object.fromEntries(indices.map((index) => [index.name, indexHealth(index)]))
  }
  return ok(json, timedOut ? 408 : 200)
}

function indexHealth(index: Index): Record<string, unknown> {
  const { active, unassigned } = shardsOf([index])
  return {
    status: statusOf([index]),
    number_of_shards: index.shardCount,
    number_of_replicas: index.replicaCount,
    active_primary_shards: active,
    active_shards: active,
    relocating_shards: 0,
    initializing_shards: 0,
    unassigned_shards: unassigned,
  }
}

const nodes: Handler = (context) => {
  const address = context.httpAddress()
  const node = {
    name: context.nodeName,
    transport_address: address,
    host: address.replace(/:\d+$/, ''),
    ip: address.replace(/:\d+$/, ''),
    version: context.compatibility.number,
    roles: ['master', 'data', 'ingest'],
    http: { bound_address: [address], publish_address: address },
  }
  return ok({
    _nodes: { total: 1, successful: 1, failed: 0 },
    cluster_name: context.clusterName,
    nodes: { [nodeId]: node },
  })
}

const license: Handler = (context) =>
  ok({
    license: {
      status: 'active',
      uid: context.state.clusterUuid,
      type: 'basic',
      issue_date: '2018-09-13T22:18:07.696Z',
      issue_date_in_millis: 1536877087696,
      max_nodes: 1000,
      issued_to: context.clusterName,
      issuer: 'millrace',
      start_date_in_millis: -1,
    },
  })

const xpack: Handler = (context) => {
  const off = { available: false, enabled: false }
  return ok({
    build: {},
    license: { uid: context.state.clusterUuid, type: 'basic', mode: 'basic', status: 'active' },
    features: { ilm: off, security: off, ml: off, monitoring: off },
    tagline: 'You know, for X',
  })
}

function settingsJson(
  request: RestRequest,
  settings: (scope: SettingsScope) => ClusterSettings,
): JsonObject {
  const shown = (scope: SettingsScope): JsonObject =>
    flagOf(request, 'flat_settings') ? { ...settings(scope) } : nestSettings(settings(scope))
  return { persistent: shown('persistent'), transient: shown('transient') }
}

const settings: Handler = (context, request) =>
  ok(settingsJson(request, (scope) => context.state.settings(scope)))

/** Answers with what was set by this very change. */
const putSettings: Handler = (context, request) => {
  const changes = readChanges(requiredBody(request))
  context.state.changeSettings(changes)
  const set = settingsJson(request, (scope) => changed({}, changes[scope]))
  return ok({ acknowledged: true, ...set })
}

const stats: Handler = (context, request) => {
  const indices = context.indices.resolve(request.variables['index'] ?? '_all')
  const metric = request.variables['metric'] ?? 'docs,store'
  const of = (some: readonly Index[]): Record<string, unknown> => ({
    ...(metric.includes('docs') || metric === '_all' ? { docs: docsOf(some) } : {}),
    ...(metric.includes('store') || metric === '_all' ? { store: storeOf(some) } : {}),
  })
  const both = (some: readonly Index[]): Record<string, unknown> => ({
    primaries: of(some),
    total: of(some),
  })
  const { active, unassigned } = shardsOf(indices)
  return ok({
    _shards: { total: active + unassigned, successful: active, failed: 0 },
    _all: both(indices),
    indices: Object.fromEntries(
      indices.map((index) => [index.name, { uuid: index.uuid, ...both([index]) }]),
    ),
  })
}

function docsOf(indices: readonly Index[]): Record<string, number> {
  return {
    count: indices.reduce((sum, index) => sum + index.storage.count, 0),
    deleted: indices.reduce((sum, index) => sum + index.storage.deletedCount, 0),
  }
}

function storeOf(indices: readonly Index[]): Record<string, number> {
  return { size_in_bytes: indices.reduce((sum, index) => sum + index.storage.bytes, 0) }
}

/** Policies are kept and shown, so that shippers that look for theirs go on; nothing acts on them yet. */
const getPolicy: Handler = (context: RestContext, request: RestRequest) => {
  const name = request.variables['name']
  const all = [...context.state.all('ilm')].filter(([own]) => name === undefined || own === name)
  if (name !== undefined && all.length === 0) {
    throw new SearchError(
      404,
      'resource_not_found_exception',
      `Lifecycle policy not found: ${name}`,
    )
  }
  return ok(Object.fromEntries(all))
}

const putPolicy: Handler = (context, request) => {
  const body: unknown = JSON.parse(request.body.toString('utf8') || '{}')
  const policy = typeof body === 'object' && body !== null && 'policy' in body ? body.policy : {}
  const text = JSON.stringify({ version: 1, policy })
  context.state.put('ilm', request.variables['name'] ?? '', JSON.parse(text))
  return acknowledged
}

const get = ['GET'] as const

export const clusterRoutes: readonly RestRoute[] = [
  { methods: ['GET', 'HEAD'], path: '/', handler: root },
  { methods: get, path: '/_cluster/health', handler: health },
  { methods: get, path: '/_cluster/health/{index}', handler: health },
  { methods: get, path: '/_cluster/settings', handler: settings },
  { methods: ['PUT'], path: '/_cluster/settings', handler: putSettings, since: 7 },
  { methods: get, path: '/_nodes', handler: nodes },
  { methods: get, path: '/_nodes/{metric}', handler: nodes },
  { methods: get, path: '/_nodes/{node}/{metric}', handler: nodes },
  { methods: get, path: '/_license', handler: license, since: 7 },
  { methods: get, path: '/_xpack', handler: xpack, since: 7 },
  { methods: get, path: '/_stats', handler: stats },
  { methods: get, path: '/_stats/{metric}', handler: stats },
  { methods: get, path: '/{index}/_stats', handler: stats },
  { methods: get, path: '/{index}/_stats/{metric}', handler: stats },
  { methods: get, path: '/_ilm/policy', handler: getPolicy, since: 7 },
  { methods: get, path: '/_ilm/policy/{name}', handler: getPolicy, since: 7 },
  { methods: ['PUT'], path: '/_ilm/policy/{name}', handler: putPolicy, since: 7 },
]
