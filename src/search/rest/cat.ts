/** `_cat`: tables as text for people, as JSON for programs. */
import { textOf } from '../json/value.ts'
import { illegalArgument } from '../errors.ts'
import { globMatches } from '../json/paths.ts'
import {
  flagOf,
  type Handler,
  ok,
  type RestAnswer,
  type RestContext,
  type RestRequest,
  type RestRoute,
} from './context.ts'
import { statusOf } from './cluster.ts'

interface Column {
  readonly name: string
  readonly aliases: readonly string[]
  readonly about: string
  readonly right?: boolean
  /** Shown only when asked for. */
  readonly hidden?: boolean
}

interface Table {
  readonly columns: readonly Column[]
  readonly rows: (context: RestContext, request: RestRequest) => Promise<Row[]> | Row[]
}

type Row = Readonly<Record<string, string | null>>

const column = (
  name: string,
  aliases: string,
  about: string,
  more: { right?: boolean; hidden?: boolean } = {},
): Column => ({ name, aliases: aliases.split(','), about, ...more })

const right = { right: true }

const timeColumns = [
  column('epoch', 't,time', 'seconds since 1970-01-01 00:00:00', right),
  column('timestamp', 'ts,hms,hhmmss', 'time in HH:MM:SS'),
]

function timeCells(context: RestContext): Row {
  const now = context.clock.now()
  return {
    epoch: String(Math.floor(now / 1000)),
    timestamp: new Date(now).toISOString().slice(11, 19),
  }
}

const indices: Table = {
  columns: [
    column('health', 'h', 'current health status'),
    column('status', 's', 'open/close status'),
    column('index', 'i,idx', 'index name'),
    column('uuid', 'id,uuid', 'index uuid'),
    column('pri', 'p,shards.primary,shardsPrimary', 'number of primary shards', right),
    column('rep', 'r,shards.replica,shardsReplica', 'number of replica shards', right),
    column('docs.count', 'dc,docsCount', 'available docs', right),
    column('docs.deleted', 'dd,docsDeleted', 'deleted docs', right),
    column('store.size', 'ss,storeSize', 'store size of primaries & replicas', right),
    column('pri.store.size', '', 'store size of primaries', right),
    column('creation.date', 'cd', 'index creation date (millisecond value)', { hidden: true }),
    column('creation.date.string', 'cds', 'index creation date (as string)', { hidden: true }),
  ],
  rows: (context, request) =>
    context.indices.resolve(request.variables['index'] ?? '_all').map((index) => {
      const { definition, storage } = index
      const bytes = shownBytes(request, storage.bytes)
      return {
        health: statusOf([index]),
        status: definition.closed ? 'close' : 'open',
        index: index.name,
        uuid: index.uuid,
        pri: String(index.shardCount),
        rep: String(index.replicaCount),
        'docs.count': String(storage.count),
        'docs.deleted': String(storage.deletedCount),
        'store.size': bytes,
        'pri.store.size': bytes,
        'creation.date': String(definition.createdMs),
        'creation.date.string': new Date(definition.createdMs).toISOString(),
      }
    }),
}

function shownBytes(request: RestRequest, bytes: number): string {
  const unit = request.parameters.get('bytes')
  const factor = unit === undefined ? undefined : byteUnits[unit]
  if (factor !== undefined) return String(Math.floor(bytes / factor))
  for (const [name, size] of [
    ['gb', 2 ** 30],
    ['mb', 2 ** 20],
    ['kb', 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10}${name}`
  }
  return `${bytes}b`
}

const byteUnits: Readonly<Record<string, number>> = {
  b: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
}

const health: Table = {
  columns: [
    ...timeColumns,
    column('cluster', 'cl', 'cluster name'),
    column('status', 'st', 'health status'),
    column('node.total', 'nt,nodeTotal', 'total number of nodes', right),
    column('node.data', 'nd,nodeData', 'number of nodes that can store data', right),
    column('shards', 't,sh,shards.total,shardsTotal', 'total number of shards', right),
    column('pri', 'p,shards.primary,shardsPrimary', 'number of primary shards', right),
    column('relo', 'r,shards.relocating,shardsRelocating', 'number of relocating nodes', right),
    column(
      'init',
      'i,shards.initializing,shardsInitializing',
      'number of initializing nodes',
      right,
    ),
    column(
      'unassign',
      'u,shards.unassigned,shardsUnassigned',
      'number of unassigned shards',
      right,
    ),
    column('pending_tasks', 'pt,pendingTasks', 'number of pending tasks', right),
    column(
      'max_task_wait_time',
      'mtwt,maxTaskWaitTime',
      'wait time of longest task pending',
      right,
    ),
    column(
      'active_shards_percent',
      'asp,activeShardsPercent',
      'active number of shards in percent',
      right,
    ),
  ],
  rows: (context) => {
    const all = context.indices.all
    const shards = all.reduce((sum, index) => sum + index.shardCount, 0)
    const unassigned = all.reduce((sum, index) => sum + index.shardCount * index.replicaCount, 0)
    const percent = shards === 0 ? 100 : (100 * shards) / (shards + unassigned)
    return [
      {
        ...timeCells(context),
        cluster: context.clusterName,
        status: statusOf(all),
        'node.total': '1',
        'node.data': '1',
        shards: String(shards),
        pri: String(shards),
        relo: '0',
        init: '0',
        unassign: String(unassigned),
        pending_tasks: '0',
        max_task_wait_time: '-',
        active_shards_percent: `${percent.toFixed(1)}%`,
      },
    ]
  },
}

const count: Table = {
  columns: [...timeColumns, column('count', 'dc,docs.count,docsCount', 'the document count')],
  rows: (context, request) => {
    const found = context.indices.resolve(request.variables['index'] ?? '_all')
    const total = found.reduce((sum, index) => sum + index.storage.count, 0)
    return [{ ...timeCells(context), count: String(total) }]
  },
}

const aliases: Table = {
  columns: [
    column('alias', 'a', 'alias name'),
    column('index', 'i,idx', 'index alias points to'),
    column('filter', 'f,fi', 'filter'),
    column('routing.index', 'ri,routingIndex', 'index routing'),
    column('routing.search', 'rs,routingSearch', 'search routing'),
  ],
  rows: (context, request) => {
    const glob = request.variables['name'] ?? '*'
    return context.indices.all.flatMap((index) =>
      Object.keys(index.definition.aliases)
        .filter((alias) => globMatches(glob, alias))
        .map((alias) => ({
          alias,
          index: index.name,
          filter: '-',
          'routing.index': '-',
          'routing.search': '-',
        })),
    )
  },
}

const templates: Table = {
  columns: [
    column('name', 'n', 'template name'),
    column('index_patterns', 't', 'template index patterns'),
    column('order', 'o', 'template application order number'),
    column('version', 'v', 'version'),
  ],
  rows: (context, request) => {
    const glob = request.variables['name'] ?? '*'
    return [...context.state.all('template')]
      .filter(([name]) => globMatches(glob, name))
      .map(([name, template]) => {
        const patterns = template['index_patterns']
        const version = template['version']
        return {
          name,
          index_patterns: `[${Array.isArray(patterns) ? patterns.map(textOf).join(', ') : ''}]`,
          order: textOf(template['order'] ?? 0),
          version: version === undefined || version === null ? null : textOf(version),
        }
      })
  },
}

const nodes: Table = {
  columns: [
    column('ip', 'i', 'ip address'),
    column('heap.percent', 'hp,heapPercent', 'used heap ratio', right),
    column('node.role', 'r,role,nodeRole', 'm:master eligible node, d:data node, i:ingest node'),
    column('master', 'm', '*:current master'),
    column('name', 'n', 'node name'),
    column('version', 'v', 'es version', { hidden: true }),
  ],
  rows: (context) => [
    {
      ip: context.httpAddress().replace(/:\d+$/, ''),
      'heap.percent': '0',
      'node.role': 'mdi',
      master: '*',
      name: context.nodeName,
      version: context.compatibility.number,
    },
  ],
}

function handlerOf(table: Table): Handler {
  return async (context, request) => {
    if (flagOf(request, 'help')) return helpAnswer(table)
    const rows = sortRows(request, table, await table.rows(context, request))
    const shown = shownColumns(request, table)
    if (request.parameters.get('format') === 'json') {
      return ok(
        rows.map((row) =>
          Object.fromEntries(shown.map(({ head, column: one }) => [head, row[one.name] ?? null])),
        ),
      )
    }
    return { status: 200, text: textTable(request, shown, rows) }
  }
}

interface Shown {
  readonly head: string
  readonly column: Column
}

function shownColumns(request: RestRequest, table: Table): Shown[] {
  const wanted = request.parameters.get('h')
  if (wanted === undefined) {
    return table.columns
      .filter((one) => one.hidden !== true)
      .map((one) => ({ head: one.name, column: one }))
  }
  return wanted
    .split(',')
    .flatMap((glob) =>
      table.columns
        .filter(
          (one) => one.name === glob || one.aliases.includes(glob) || globMatches(glob, one.name),
        )
        .map((one) => ({ head: glob.includes('*') ? one.name : glob, column: one })),
    )
}

function sortRows(request: RestRequest, table: Table, rows: readonly Row[]): Row[] {
  const sorts = request.parameters.get('s')?.split(',') ?? []
  const sorted = [...rows]
  for (const sort of sorts.reverse()) {
    const [name = '', direction] = sort.split(':')
    const found = table.columns.find((one) => one.name === name || one.aliases.includes(name))
    if (found === undefined) {
      throw illegalArgument(`Unable to sort by unknown sort key \`${name}\``)
    }
    const sign = direction === 'desc' ? -1 : 1
    sorted.sort((a, b) => sign * compareCells(a[found.name] ?? '', b[found.name] ?? ''))
  }
  return sorted
}

function compareCells(a: string, b: string): number {
  const [left, right_] = [Number(a), Number(b)]
  if (a !== '' && b !== '' && !Number.isNaN(left) && !Number.isNaN(right_)) return left - right_
  return a === b ? 0 : a < b ? -1 : 1
}

function textTable(request: RestRequest, shown: readonly Shown[], rows: readonly Row[]): string {
  const lines = rows.map((row) => shown.map(({ column: one }) => row[one.name] ?? ''))
  if (flagOf(request, 'v')) lines.unshift(shown.map(({ head }) => head))
  const widths = shown.map((_, at) => Math.max(0, ...lines.map((line) => line[at]?.length ?? 0)))
  const last = shown.length - 1
  return lines
    .map((line) =>
      shown
        .map(({ column: one }, at) => {
          const cell = line[at] ?? ''
          if (one.right === true) return cell.padStart(widths[at] ?? 0)
          return at === last ? cell : cell.padEnd(widths[at] ?? 0)
        })
        .join(' '),
    )
    .map((line) => `${line}\n`)
    .join('')
}

function helpAnswer(table: Table): RestAnswer {
  const rows = table.columns.map((one) => [one.name, one.aliases.join(','), one.about])
  const width = (at: number): number => Math.max(...rows.map((row) => row[at]?.length ?? 0))
  const widths = [width(0), width(1), width(2)]
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | '))
  return { status: 200, text: lines.map((line) => `${line}\n`).join('') }
}

function routesOf(name: string, table: Table, variable?: string): RestRoute[] {
  const handler = handlerOf(table)
  const routes: RestRoute[] = [{ methods: ['GET'], path: `/_cat/${name}`, handler }]
  if (variable !== undefined) {
    routes.push({ methods: ['GET'], path: `/_cat/${name}/{${variable}}`, handler })
  }
  return routes
}

export const catRoutes: readonly RestRoute[] = [
  ...routesOf('indices', indices, 'index'),
  ...routesOf('health', health),
  ...routesOf('count', count, 'index'),
  ...routesOf('aliases', aliases, 'name'),
  ...routesOf('templates', templates, 'name'),
  ...routesOf('nodes', nodes),
]
