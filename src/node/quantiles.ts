/**
 * Quantiles over a sliding window, by counting values in buckets whose width grows with the value: an
 * observation is one increment, a quantile is right within 2 %, and memory is fixed.
 */
import type { Histogram } from '../runtime/metrics.ts'

/** Buckets per doubling. */
const steps = 32
/** Values from 2^-10 (a microsecond in milliseconds) to 2^40; what lies beyond counts at the edge. */
const lowestExponent = -10
const doublings = 50
const bucketCount = steps * doublings
/** Rotated-out windows that still count. */
const pastWindows = 5

export class SlidingQuantiles implements Histogram {
  /** Since the beginning, as Prometheus wants them. */
  sum = 0
  count = 0
  #present: Uint32Array | undefined
  readonly #past: (Uint32Array | undefined)[] = []

  observe(value: number): void {
    this.sum += value
    this.count += 1
    this.#present ??= new Uint32Array(bucketCount)
    const at = bucketOf(value)
    this.#present[at] = (this.#present[at] ?? 0) + 1
  }

  /** The oldest window is forgotten and a new one begins. */
  rotate(): void {
    this.#past.push(this.#present)
    this.#present = undefined
    if (this.#past.length > pastWindows) this.#past.shift()
  }

  /** In the order asked for, which must ascend; NaN where nothing was observed. */
  quantiles(wanted: readonly number[]): number[] {
    const total = new Float64Array(bucketCount)
    let observed = 0
    for (const window of [...this.#past, this.#present]) {
      if (window === undefined) continue
      for (const [at, count] of window.entries()) {
        if (count === 0) continue
        total[at] = (total[at] ?? 0) + count
        observed += count
      }
    }
    if (observed === 0) return wanted.map(() => Number.NaN)
    let at = 0
    let passed = total[0] ?? 0
    return wanted.map((quantile) => {
      while (passed < quantile * observed && at < bucketCount - 1) {
        at += 1
        passed += total[at] ?? 0
      }
      return valueOf(at)
    })
  }
}

function bucketOf(value: number): number {
  if (!(value > 0)) return 0
  const at = Math.floor((Math.log2(value) - lowestExponent) * steps)
  return Math.min(Math.max(at, 0), bucketCount - 1)
}

/** The middle of a bucket; the lowest stands for zero. */
function valueOf(at: number): number {
  return at === 0 ? 0 : 2 ** ((at + 0.5) / steps + lowestExponent)
}
