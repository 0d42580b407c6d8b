import { useComputedColorScheme } from '@mantine/core'
import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatCount } from '../parts/format.ts'
import { formatTime, type ResolvedRange } from '../time/range.ts'
import styles from './Discover.module.css'

interface Bucket {
  readonly key: number
  readonly doc_count: number
}

const heightPx = 112

/** Counts over time; a drag over it narrows the time range. */
export function Histogram(props: {
  readonly buckets: readonly Bucket[]
  readonly intervalMs: number
  readonly range: ResolvedRange
  readonly onRange: (fromMs: number, toMs: number) => void
}): ReactNode {
  const { buckets, intervalMs, range, onRange } = props
  const frame = useRef<HTMLDivElement>(null)
  const tip = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const shown = useRef({ range, intervalMs, onRange })
  shown.current = { range, intervalMs, onRange }
  const scheme = useComputedColorScheme('light')
  const data = useMemo(() => fill(buckets, intervalMs, range), [buckets, intervalMs, range])

  useEffect(() => {
    const element = frame.current
    if (element === null) return undefined
    const made = new uPlot(options(element, tip, shown), [[], []], element)
    plot.current = made
    const watcher = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: heightPx }),
    )
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      made.destroy()
    }
    // The colours are read when it is made, so a new scheme makes a new one.
  }, [scheme])

  useEffect(() => {
    plot.current?.setData(data)
  }, [data, scheme])

  const summary = `Documents over time from ${formatTime(range.fromMs)} to ${formatTime(range.toMs)}`
  return (
    <div className={styles.histogram} role="img" aria-label={summary}>
      <div ref={frame} className={styles.plot} />
      <div ref={tip} className={styles.tip} hidden />
    </div>
  )
}

/** All buckets of the range, since Elasticsearch leaves the empty ones out. */
function fill(
  buckets: readonly Bucket[],
  intervalMs: number,
  range: ResolvedRange,
): [number[], number[]] {
  const times: number[] = []
  const counts: number[] = []
  const known = new Map(buckets.map(({ key, doc_count }) => [key, doc_count]))
  const anchor = buckets[0]?.key ?? range.fromMs
  const first = anchor - Math.ceil((anchor - range.fromMs) / intervalMs) * intervalMs
  for (let time = first; time <= range.toMs && times.length < 2_000; time += intervalMs) {
    times.push(time)
    counts.push(known.get(time) ?? 0)
    known.delete(time)
  }
  if (known.size === 0) return [times, counts]
  // Buckets off the grid: a daylight saving shift. Then only what was counted is drawn.
  return [buckets.map(({ key }) => key), buckets.map(({ doc_count }) => doc_count)]
}

interface Shown {
  readonly range: ResolvedRange
  readonly intervalMs: number
  readonly onRange: (fromMs: number, toMs: number) => void
}

function options(
  element: HTMLElement,
  tip: { readonly current: HTMLDivElement | null },
  shown: { readonly current: Shown },
): uPlot.Options {
  const colour = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim()
  const font = '11px system-ui, sans-serif'
  const bars = uPlot.paths.bars?.({ size: [0.86, 64], align: 1, radius: 0.08 })
  const axis = { stroke: colour('--ink-faint'), font, ticks: { show: false } }
  return {
    width: element.clientWidth,
    height: heightPx,
    ms: 1,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false },
    },
    scales: {
      x: { range: () => [shown.current.range.fromMs, shown.current.range.toMs] },
      y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.05)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 22, gap: 4, values: timeLabels },
      {
        ...axis,
        grid: { stroke: colour('--line-soft'), width: 1 },
        size: 46,
        gap: 6,
        space: 26,
        incrs: [
          1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6,
          5e6, 1e7, 5e7, 1e8,
        ],
        values: (_plot, ticks) => ticks.map(shortCount),
      },
    ],
    series: [
      {},
      {
        fill: colour('--bar'),
        stroke: colour('--bar'),
        width: 0,
        points: { show: false },
        ...(bars === undefined ? {} : { paths: bars }),
      },
    ],
    hooks: {
      setCursor: [(plot) => showTip(plot, tip.current, shown.current)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width < 4) return
          const fromMs = Math.round(plot.posToVal(left, 'x'))
          const toMs = Math.round(plot.posToVal(left + width, 'x'))
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          if (toMs > fromMs) shown.current.onRange(fromMs, toMs)
        },
      ],
    },
  }
}

function showTip(plot: uPlot, tip: HTMLDivElement | null, shown: Shown): void {
  if (tip === null) return
  const left = plot.cursor.left ?? -1
  const times = plot.data[0]
  const time = left < 0 ? -1 : plot.posToVal(left, 'x')
  const index = times.findLastIndex((start) => start <= time)
  const start = times[index]
  if (left < 0 || start === undefined || time >= start + shown.intervalMs) {
    tip.hidden = true
    return
  }
  const count = plot.data[1]?.[index] ?? 0
  tip.textContent = `${formatTime(start).replace(/\.000$/, '')}   ${formatCount(count)}`
  tip.hidden = false
  const room = plot.width - tip.offsetWidth - 8
  tip.style.transform = `translateX(${Math.max(0, Math.min(room, left + plot.bbox.left / devicePixelRatio + 12))}px)`
}

function shortCount(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`
  return value >= 1e4 ? `${value / 1e3}k` : formatCount(value)
}

/** Time of day, with the date where it changes. */
function timeLabels(
  _plot: uPlot,
  ticks: number[],
  _axis: number,
  _space: number,
  stepMs: number,
): string[] {
  let day = ''
  return ticks.map((tick) => {
    const text = formatTime(tick)
    const date = text.slice(5, 10)
    const isNew = date !== day
    day = date
    if (stepMs >= 86_400_000) return stepMs >= 28 * 86_400_000 ? text.slice(0, 7) : date
    const time = stepMs < 60_000 ? text.slice(11, 19) : text.slice(11, 16)
    return isNew && tick !== ticks[0] ? `${date} ${time}` : time
  })
}
