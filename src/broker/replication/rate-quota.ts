// Pure.
/** How fast replicas may be copied: bytes per second over the last windows, as Kafka's replication quotas. */

export interface RateQuotaOptions {
  /** replication.quota.window.num, replication.quota.window.size.seconds */
  readonly windowCount: number
  readonly windowMs: number
  /** Bytes per second; Infinity for no limit. May change. */
  readonly limit: () => number
}

interface Window {
  readonly startMs: number
  bytes: number
}

export class RateQuota {
  readonly #options: RateQuotaOptions
  /** The oldest first. */
  #windows: Window[] = []

  constructor(options: RateQuotaOptions) {
    this.#options = options
  }

  get isLimited(): boolean {
    return this.#options.limit() < Number.POSITIVE_INFINITY
  }

  record(bytes: number, nowMs: number): void {
    this.#forget(nowMs)
    const last = this.#windows.at(-1)
    if (last !== undefined && nowMs - last.startMs < this.#options.windowMs) last.bytes += bytes
    else this.#windows.push({ startMs: nowMs, bytes })
  }

  isExceeded(nowMs: number): boolean {
    return this.rate(nowMs) > this.#options.limit()
  }

  /** Over all windows but the one that has just begun, even where there were none. */
  rate(nowMs: number): number {
    this.#forget(nowMs)
    const { windowCount, windowMs } = this.#options
    const oldest = this.#windows[0]
    if (oldest === undefined) return 0
    const elapsedMs = nowMs - oldest.startMs
    const missing = windowCount - 1 - Math.floor(elapsedMs / windowMs)
    const spanMs = elapsedMs + Math.max(0, missing) * windowMs
    let bytes = 0
    for (const window of this.#windows) bytes += window.bytes
    return (bytes * 1000) / Math.max(spanMs, 1)
  }

  #forget(nowMs: number): void {
    const { windowCount, windowMs } = this.#options
    const sinceMs = nowMs - windowCount * windowMs
    if ((this.#windows[0]?.startMs ?? nowMs) < sinceMs)
      this.#windows = this.#windows.filter(({ startMs }) => startMs >= sinceMs)
  }
}

/** Whether a topic's list of throttled replicas, of `partition:broker` or `*`, names this one. */
export function isThrottled(list: readonly string[], partition: number, brokerId: number): boolean {
  if (list.length === 0) return false
  return list.includes('*') || list.includes(`${partition}:${brokerId}`)
}
