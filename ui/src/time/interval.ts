// Pure. Bucket sizes for the histogram: round ones, about sixty to the picture, at most a hundred.

export interface Interval {
  readonly ms: number
  /** As Elasticsearch writes it. */
  readonly text: string
}

const intervals: readonly Interval[] = [
  { ms: 10, text: '10ms' },
  { ms: 50, text: '50ms' },
  { ms: 100, text: '100ms' },
  { ms: 500, text: '500ms' },
  { ms: 1_000, text: '1s' },
  { ms: 5_000, text: '5s' },
  { ms: 10_000, text: '10s' },
  { ms: 30_000, text: '30s' },
  { ms: 60_000, text: '1m' },
  { ms: 300_000, text: '5m' },
  { ms: 600_000, text: '10m' },
  { ms: 1_800_000, text: '30m' },
  { ms: 3_600_000, text: '1h' },
  { ms: 10_800_000, text: '3h' },
  { ms: 43_200_000, text: '12h' },
  { ms: 86_400_000, text: '1d' },
  { ms: 604_800_000, text: '7d' },
  { ms: 2_592_000_000, text: '30d' },
  { ms: 31_536_000_000, text: '365d' },
]

const bucketsMax = 100

/** The smallest round interval that fits a span of `spanMs` into a hundred buckets. */
export function chooseInterval(spanMs: number): Interval {
  const wanted = spanMs / bucketsMax
  const fitting = intervals.find(({ ms }) => ms >= wanted)
  if (fitting !== undefined) return fitting
  const days = Math.ceil(wanted / 86_400_000)
  return { ms: days * 86_400_000, text: `${days}d` }
}
