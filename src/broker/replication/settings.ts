import type { InterBrokerLevel } from '../controller/level.ts'

/** How this broker follows others, and when it takes followers for out of sync. */
export interface ReplicationSettings {
  readonly level: InterBrokerLevel
  /** num.replica.fetchers: connections to each leader. */
  readonly fetcherCount: number
  /** replica.fetch.max.bytes, of one partition */
  readonly fetchMaxBytes: number
  /** replica.fetch.min.bytes */
  readonly fetchMinBytes: number
  /** replica.fetch.response.max.bytes */
  readonly fetchResponseMaxBytes: number
  /** replica.fetch.wait.max.ms */
  readonly fetchWaitMaxMs: number
  /** replica.fetch.backoff.ms */
  readonly fetchBackoffMs: number
  /** replica.socket.timeout.ms */
  readonly socketTimeoutMs: number
  /** replica.lag.time.max.ms */
  readonly lagTimeMaxMs: number
  /** replication.quota.window.num, replication.quota.window.size.seconds */
  readonly quotaWindows: { readonly windowCount: number; readonly windowMs: number }
}
