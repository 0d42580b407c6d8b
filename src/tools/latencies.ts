// Pure.
// The figures of kafka-producer-perf-test.

const samplesMax = 500_000
const megabyte = 1024 * 1024

/** Gathers latencies of a known number of records and tells them in the original's lines. */
export class Latencies {
  readonly #samples: Float64Array
  readonly #every: number
  readonly #startMs: number
  #sampled = 0
  #count = 0
  #bytes = 0
  #totalMs = 0
  #mostMs = 0
  #window = { startMs: 0, count: 0, bytes: 0, totalMs: 0, mostMs: 0 }

  constructor(records: number, startMs: number) {
    this.#every = Math.max(1, Math.ceil(records / samplesMax))
    this.#samples = new Float64Array(Math.ceil(records / this.#every))
    this.#startMs = startMs
    this.#window.startMs = startMs
  }

  add(latencyMs: number, bytes: number): void {
    if (this.#count % this.#every === 0 && this.#sampled < this.#samples.length) {
      this.#samples[this.#sampled++] = latencyMs
    }
    this.#count += 1
    this.#bytes += bytes
    this.#totalMs += latencyMs
    this.#mostMs = Math.max(this.#mostMs, latencyMs)
    const window = this.#window
    window.count += 1
    window.bytes += bytes
    window.totalMs += latencyMs
    window.mostMs = Math.max(window.mostMs, latencyMs)
  }

  /** What came since the last window. */
  windowLine(nowMs: number): string {
    const { startMs, count, bytes, totalMs, mostMs } = this.#window
    const seconds = (nowMs - startMs) / 1000
    this.#window = { startMs: nowMs, count: 0, bytes: 0, totalMs: 0, mostMs: 0 }
    return (
      `${count} records sent, ${(count / seconds).toFixed(1)} records/sec` +
      ` (${(bytes / megabyte / seconds).toFixed(2)} MB/sec), ${(totalMs / count || 0).toFixed(1)} ms avg latency,` +
      ` ${mostMs.toFixed(1)} ms max latency.`
    )
  }

  totalLine(nowMs: number): string {
    const seconds = (nowMs - this.#startMs) / 1000
    const sorted = this.#samples.subarray(0, this.#sampled).sort()
    const percentile = (part: number): number => {
      return Math.round(sorted[Math.floor(part * sorted.length)] ?? 0)
    }
    return (
      `${this.#count} records sent, ${(this.#count / seconds).toFixed(6)} records/sec` +
      ` (${(this.#bytes / megabyte / seconds).toFixed(2)} MB/sec),` +
      ` ${(this.#totalMs / this.#count || 0).toFixed(2)} ms avg latency,` +
      ` ${this.#mostMs.toFixed(2)} ms max latency, ${percentile(0.5)} ms 50th,` +
      ` ${percentile(0.95)} ms 95th, ${percentile(0.99)} ms 99th, ${percentile(0.999)} ms 99.9th.`
    )
  }
}
