// Pure.
// What the four-letter words and the admin server tell of, as the server shows it to them.
import type { ConnectionStatistics } from './connection-statistics.ts'
import type { Durations } from './durations.ts'
import type { SessionTable } from './sessions.ts'
import type { CoordinationSettings } from './settings.ts'
import type { DataTree } from './tree.ts'
import type { WatchTable } from './watches.ts'

export const VERSION = '3.8.4-millrace, built on 2026-11-23 00:00 UTC'

/** A client's connection. */
export interface ConnectionView {
  readonly address: string
  readonly port: number
  /** 0 before there is one. */
  readonly sessionId: bigint
  readonly timeoutMs: number
  readonly queued: number
  readonly statistics: ConnectionStatistics
  /** Milliseconds since 1970. */
  readonly establishedAt: number
  /** Monotonic. */
  readonly expiresAt: number
}

export interface ServerView {
  readonly settings: CoordinationSettings
  readonly port: number
  /** Milliseconds since 1970. */
  readonly now: number
  readonly monotonicMs: number
  readonly uptimeMs: number
  readonly lastZxid: bigint
  readonly outstanding: number
  readonly tree: DataTree
  readonly sessions: SessionTable
  readonly watches: WatchTable<ConnectionView>
  readonly connections: readonly ConnectionView[]
  readonly counters: Counters
  readonly syncTimes: Durations
  readonly snapshotTimes: Durations
  readonly lastSnapshot: { readonly zxid: bigint; readonly takenAt: number } | undefined
  /** What the process knows of its surroundings, by the names of Java's properties. */
  readonly environment: ReadonlyMap<string, string>
  readonly configurationText: string
  /** Bytes of the files of both directories. @throws DiskError */
  directorySizes(): { readonly data: number; readonly log: number }
  resetStatistics(): void
  resetConnectionStatistics(): void
  /** Nothing is traced; the mask is only kept. */
  readonly tracing: { mask: number }
}

/** Since the start, or the last reset. */
export interface Counters {
  readonly latency: Durations
  received: number
  sent: number
  receivedBytes: number
  sentBytes: number
  connections: number
  rejectedConnections: number
  refusedCredentials: number
  largeRequests: number
  sessionlessExpired: number
  responses: { last: number; min: number; max: number }
}

export function countAnswer(counters: Counters, bytes: number, latencyMs: number): void {
  const { responses, latency } = counters
  responses.last = bytes
  responses.min = responses.min < 0 ? bytes : Math.min(responses.min, bytes)
  responses.max = Math.max(responses.max, bytes)
  latency.add(latencyMs)
}

/** Signed ids as they are shown. */
export function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16)
}

/** The original counts its root twice, under two names. */
export function shownNodeCount(tree: DataTree): number {
  return tree.nodeCount + 1
}

/** As many decimals as it takes, at most four, at least one. */
export function averageText(average: number): string {
  return average.toFixed(4).replace(/0{1,3}$/, '')
}

/** A value of the monitoring, as mntr and the admin server have it. */
export type Reading = readonly [name: string, value: string | number | bigint]

export function readings(view: ServerView): Reading[] {
  const { tree, watches, sessions, counters, connections } = view
  const { latency, responses } = counters
  return [
    ['version', VERSION],
    ['server_state', 'standalone'],
    ['ephemerals_count', tree.ephemeralCount],
    ['num_alive_connections', connections.length],
    ['avg_latency', averageText(latency.average)],
    ['outstanding_requests', view.outstanding],
    ['znode_count', shownNodeCount(tree)],
    ['global_sessions', sessions.size],
    ['last_client_response_size', responses.last],
    ['packets_sent', counters.sent],
    ['packets_received', counters.received],
    ['max_client_response_size', responses.max],
    ['connection_drop_probability', '0.0'],
    ['watch_count', watches.size],
    ['auth_failed_count', counters.refusedCredentials],
    ['min_latency', latency.min],
    ['approximate_data_size', tree.dataBytes],
    ['local_sessions', 0],
    ['uptime', Math.floor(view.uptimeMs)],
    ['max_latency', latency.max],
    ['min_client_response_size', responses.min],
    ['last_processed_zxid', view.lastZxid],
    ['large_requests_rejected', counters.largeRequests],
    ['connection_rejected', counters.rejectedConnections],
    ['sessionless_connections_expired', counters.sessionlessExpired],
    ['bytes_received_count', counters.receivedBytes],
    ['connection_request_count', counters.connections],
    ['response_bytes', counters.sentBytes],
    ['snap_count', view.snapshotTimes.count],
    ...durationReadings('fsynctime', view.syncTimes),
    ...durationReadings('snapshottime', view.snapshotTimes),
  ]
}

function durationReadings(name: string, times: Durations): Reading[] {
  return [
    [`avg_${name}`, averageText(times.average)],
    [`min_${name}`, times.min],
    [`max_${name}`, times.max],
    [`cnt_${name}`, times.count],
    [`sum_${name}`, Math.round(times.sum)],
  ]
}

/** Sessions by the monotonic time of their end, soonest first. */
export function sessionsByExpiry(sessions: SessionTable): [end: number, ids: bigint[]][] {
  const byEnd = new Map<number, bigint[]>()
  for (const { id, expiresAt } of sessions.values()) {
    const ids = byEnd.get(expiresAt)
    if (ids === undefined) byEnd.set(expiresAt, [id])
    else ids.push(id)
  }
  return [...byEnd].sort(([one], [other]) => one - other)
}
