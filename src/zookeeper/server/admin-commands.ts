// Pure.
// The commands of the admin server, `/commands/<name>` on port 8080: the same as the four-letter words,
// as JSON in the original's form.
import {
  type ConnectionView,
  hex,
  readings,
  type ServerView,
  sessionsByExpiry,
  shownNodeCount,
  VERSION,
} from './server-view.ts'

/** What JSON is made of; a bigint becomes a number of all its digits. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | Double
  | readonly Json[]
  | { readonly [name: string]: Json }

/** Shown with a decimal even where it is whole, as Java shows its doubles. */
class Double {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

type Parameters = ReadonlyMap<string, string>

interface Command {
  /** The first is the primary one. */
  readonly names: readonly [string, ...string[]]
  run(view: ServerView, parameters: Parameters): { readonly [name: string]: Json }
}

const commands: readonly Command[] = [
  { names: ['configuration', 'conf', 'config'], run: configuration },
  {
    names: ['connection_stat_reset', 'crst'],
    run: (view) => {
      view.resetConnectionStatistics()
      return {}
    },
  },
  {
    names: ['connections', 'cons'],
    run: ({ connections }) => ({
      connections: connections.filter(({ sessionId }) => sessionId !== 0n).map(connectionDetails),
      secure_connections: [],
    }),
  },
  {
    names: ['dirs'],
    run: (view) => {
      const { data, log } = view.directorySizes()
      return { datadir_size: data, logdir_size: log }
    },
  },
  { names: ['dump'], run: dump },
  {
    names: ['environment', 'env', 'envi'],
    run: ({ environment }) => ({
      'zookeeper.version': VERSION,
      ...Object.fromEntries(environment),
    }),
  },
  { names: ['get_trace_mask', 'gtmk'], run: ({ tracing }) => ({ tracemask: tracing.mask }) },
  { names: ['hash'], run: () => ({ digests: [] }) },
  {
    names: ['initial_configuration', 'icfg'],
    run: ({ configurationText }) => ({ initial_configuration: configurationText }),
  },
  { names: ['is_read_only', 'isro'], run: () => ({ read_only: false }) },
  {
    names: ['last_snapshot', 'lsnp'],
    run: ({ lastSnapshot }) => ({
      zxid: hex(lastSnapshot?.zxid ?? -1n),
      timestamp: lastSnapshot === undefined ? -1 : Math.floor(lastSnapshot.takenAt / 1000),
    }),
  },
  { names: ['leader', 'lead'], run: () => ({ error: 'server is not initialized' }) },
  {
    names: ['monitor', 'mntr'],
    run: (view) =>
      Object.fromEntries(
        readings(view).map(([name, value]) => [
          name,
          /^(avg_|connection_drop)/.test(name) ? new Double(Number(value)) : value,
        ]),
      ),
  },
  { names: ['observers', 'obsr'], run: () => ({ synced_observers: 0, observers: [] }) },
  { names: ['observer_connection_stat_reset', 'orst'], run: () => ({}) },
  { names: ['ruok'], run: () => ({}) },
  {
    names: ['set_trace_mask', 'stmk'],
    run: (view, parameters) => {
      const asked = parameters.get('traceMask')
      if (asked === undefined) return { error: 'setTraceMask requires long traceMask argument' }
      if (!/^-?\d{1,15}$/.test(asked)) {
        const error = `setTraceMask requires long traceMask argument, got ${asked}`
        return { error }
      }
      view.tracing.mask = Number(asked)
      return { tracemask: view.tracing.mask }
    },
  },
  { names: ['server_stats', 'srvr'], run: serverStats },
  {
    names: ['stats', 'stat'],
    run: (view) => ({
      ...serverStats(view),
      connections: view.connections
        .filter(({ sessionId }) => sessionId !== 0n)
        .map(connectionCounts),
      secure_connections: [],
    }),
  },
  {
    names: ['stat_reset', 'srst'],
    run: (view) => {
      view.resetStatistics()
      return {}
    },
  },
  {
    names: ['system_properties', 'sysp'],
    run: ({ environment }) =>
      Object.fromEntries([...environment].toSorted(([one], [other]) => (one < other ? -1 : 1))),
  },
  { names: ['voting_view'], run: () => ({ current_config: {} }) },
  {
    names: ['watches', 'wchc'],
    run: ({ watches }) => ({
      session_id_to_watched_paths: Object.fromEntries(
        Array.from(watches.byWatcher(), ([{ sessionId }, paths]) => [
          String(sessionId),
          [...paths],
        ]),
      ),
    }),
  },
  {
    names: ['watches_by_path', 'wchp'],
    run: ({ watches }) => ({
      path_to_session_ids: Object.fromEntries(
        Array.from(watches.byPath(), ([path, watchers]) => [
          path,
          Array.from(watchers.keys(), ({ sessionId }) => sessionId),
        ]),
      ),
    }),
  },
  {
    names: ['watch_summary', 'wchs'],
    run: ({ watches }) => {
      const { watchers, paths, watches: total } = watches.summary()
      return { num_connections: watchers, num_paths: paths, num_total_watches: total }
    },
  },
  { names: ['zabstate'], run: () => ({ voting: false, zabstate: '' }) },
]

const byName: ReadonlyMap<string, Command> = new Map(
  commands.flatMap((command) => command.names.map((name) => [name, command] as const)),
)

export const primaryNames: readonly string[] = commands.map(({ names }) => names[0])

/** The answer to `/commands/<name>`, as text. An unknown command is told of in `error`. */
export function adminAnswer(name: string, view: ServerView, parameters: Parameters): string {
  const command = byName.get(name)
  if (command === undefined) return jsonText({ command: name, error: `Unknown command: ${name}` })
  const result = command.run(view, parameters)
  return jsonText({ ...result, command: command.names[0], error: result['error'] ?? null })
}

/** Indented by two spaces. */
export function jsonText(value: Json, indent = ''): string {
  if (value instanceof Double) {
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value)
  }
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const inner = `${indent}  `
  if (isList(value)) {
    return value.length === 0
      ? '[ ]'
      : `[ ${value.map((one) => jsonText(one, indent)).join(', ')} ]`
  }
  const entries = Object.entries(value)
  if (entries.length === 0) return '{ }'
  const lines = entries.map(
    ([key, one]) => `${inner}${JSON.stringify(key)} : ${jsonText(one, inner)}`,
  )
  return `{\n${lines.join(',\n')}\n${indent}}`
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function configuration({ settings, port }: ServerView): { readonly [name: string]: Json } {
  return {
    client_port: port,
    data_dir: `${settings.dataDirectory}/version-2`,
    data_log_dir: `${settings.logDirectory}/version-2`,
    tick_time: settings.tickMs,
    max_client_cnxns: settings.connectionsPerAddressMax,
    min_session_timeout: settings.sessionTimeoutMsMin,
    max_session_timeout: settings.sessionTimeoutMsMax,
    server_id: 0,
    client_port_listen_backlog: -1,
  }
}

function connectionCounts(one: ConnectionView): { readonly [name: string]: Json } {
  return {
    remote_socket_address: `${one.address}:${one.port}`,
    interest_ops: 1,
    outstanding_requests: one.queued,
    packets_received: one.statistics.received,
    packets_sent: one.statistics.sent,
  }
}

function connectionDetails(one: ConnectionView): { readonly [name: string]: Json } {
  const { latency } = one.statistics
  return {
    ...connectionCounts(one),
    session_id: one.sessionId,
    last_operation: one.statistics.lastOperation,
    established: one.establishedAt,
    session_timeout: one.timeoutMs,
    last_cxid: one.statistics.lastCxid,
    last_zxid: one.statistics.lastZxid,
    last_response_time: Math.floor(one.statistics.lastResponseAt),
    last_latency: Math.floor(one.statistics.lastLatencyMs),
    min_latency: latency.min,
    avg_latency: Math.floor(latency.average),
    max_latency: latency.max,
  }
}

function dump({ tree, sessions }: ServerView): { readonly [name: string]: Json } {
  const sets = sessionsByExpiry(sessions)
  return {
    expiry_time_to_session_ids: Object.fromEntries(sets.map(([end, ids]) => [String(end), ids])),
    session_id_to_ephemeral_paths: Object.fromEntries(
      Array.from(tree.owners(), (owner) => [String(owner), [...tree.ephemeralsOf(owner)]]),
    ),
  }
}

function serverStats(view: ServerView): { readonly [name: string]: Json } {
  const { counters, connections } = view
  const { latency, responses } = counters
  const sizes = view.directorySizes()
  const response = {
    last_buffer_size: responses.last,
    min_buffer_size: responses.min,
    max_buffer_size: responses.max,
  }
  return {
    version: VERSION,
    read_only: false,
    server_stats: {
      packets_sent: counters.sent,
      packets_received: counters.received,
      fsync_threshold_exceed_count: 0,
      client_response_stats: response,
      data_dir_size: sizes.data,
      log_dir_size: sizes.log,
      provider_null: false,
      last_processed_zxid: view.lastZxid,
      outstanding_requests: view.outstanding,
      server_state: 'standalone',
      avg_latency: new Double(Number(latency.average.toFixed(4))),
      max_latency: latency.max,
      min_latency: latency.min,
      num_alive_client_connections: connections.length,
      uptime: Math.floor(view.uptimeMs),
      auth_failed_count: counters.refusedCredentials,
    },
    client_response: response,
    node_count: shownNodeCount(view.tree),
  }
}
