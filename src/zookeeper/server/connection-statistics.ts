// Pure.
// What is counted of one client's connection, for cons, stat and the admin server.
import { Durations } from './durations.ts'

/** -1 and 'NA' stand for never. */
export class ConnectionStatistics {
  received = 0
  sent = 0
  lastOperation = 'NA'
  lastCxid = -1
  lastZxid = -1n
  /** Monotonic. */
  lastResponseAt = 0
  lastLatencyMs = 0
  readonly latency = new Durations()

  reset(): void {
    this.received = 0
    this.sent = 0
    this.lastOperation = 'NA'
    this.lastCxid = -1
    this.lastZxid = -1n
    this.lastResponseAt = 0
    this.lastLatencyMs = 0
    this.latency.reset()
  }

  answered(answer: {
    readonly operation: string
    readonly xid: number
    readonly zxid: bigint
    readonly now: number
    readonly latencyMs: number
  }): void {
    const { xid, latencyMs } = answer
    this.latency.add(latencyMs)
    this.lastLatencyMs = latencyMs
    this.lastResponseAt = answer.now
    this.lastOperation = answer.operation
    this.lastZxid = answer.zxid
    if (xid >= 0) this.lastCxid = xid
  }
}
