/**
 * Metrics behind the port: counters and quantiles are plain numbers on the hot path (a few nanoseconds
 * each, no labels hashed), and become text when somebody asks. What the process itself says (heap,
 * garbage collection, loop delay) comes from prom-client, loaded by the first question.
 */
import { assert } from '../runtime/assert.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Counter, Histogram, Labels, MetricRow, Metrics } from '../runtime/metrics.ts'
import { SlidingQuantiles } from './quantiles.ts'

type Series =
  | { readonly kind: 'counter'; readonly labels: Labels; value: number }
  | { readonly kind: 'gauge'; readonly labels: Labels; read: () => number }
  | { readonly kind: 'histogram'; readonly labels: Labels; readonly window: SlidingQuantiles }

interface Family {
  readonly name: string
  readonly help: string
  readonly kind: Series['kind']
  readonly series: Map<string, Series>
  /** Series that are listed when somebody looks, after those that are kept. */
  rows?: () => Iterable<MetricRow>
}

/** What Kafka's own histograms report. */
const quantiles = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999]

/** Quantiles cover the last five to six of these. */
const windowMs = 60_000

export interface MetricsOptions {
  readonly clock: Clock
  /** Whether render adds what Node tells about the process. Default true. */
  readonly processMetrics?: boolean
}

export function createMetrics(options: MetricsOptions): Metrics {
  return new Registry(options)
}

interface Place {
  readonly family: Family
  readonly key: string
  readonly labels: Labels
}

/** All series, by name, and by each of their labels, so that forgetting costs what is forgotten. */
class Registry implements Metrics {
  readonly #options: MetricsOptions
  readonly #families = new Map<string, Family>()
  readonly #byLabel = new Map<string, Set<Place>>()
  readonly #windows = new Set<SlidingQuantiles>()

  constructor(options: MetricsOptions) {
    this.#options = options
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    const series = this.#obtain(name, help, { kind: 'counter', labels, value: 0 })
    assert(series.kind === 'counter', name)
    return {
      add(amount) {
        series.value += amount
      },
    }
  }

  gauge(name: string, help: string, read: () => number, labels: Labels = {}): void {
    const series = this.#obtain(name, help, { kind: 'gauge', labels, read })
    assert(series.kind === 'gauge', name)
    series.read = read
  }

  table(
    name: string,
    kind: 'counter' | 'gauge',
    help: string,
    rows: () => Iterable<MetricRow>,
  ): void {
    this.#family(name, kind, help).rows = rows
  }

  histogram(name: string, help: string, labels: Labels = {}): Histogram {
    const window = new SlidingQuantiles()
    const series = this.#obtain(name, help, { kind: 'histogram', labels, window })
    assert(series.kind === 'histogram', name)
    if (this.#windows.size === 0) this.#options.clock.schedule(windowMs, this.#rotate)
    this.#windows.add(series.window)
    return series.window
  }

  forget(labels: Labels): void {
    const wanted = Object.entries(labels)
    const [first] = labelPairs(labels)
    if (first === undefined) return
    for (const place of this.#byLabel.get(first) ?? [])
      if (wanted.every(([name, value]) => place.labels[name] === value)) this.#remove(place)
  }

  async render(): Promise<string> {
    const own = [...this.#families.values()].map(familyText).join('')
    return this.#options.processMetrics === false ? own : own + (await processText())
  }

  readonly #rotate = (): void => {
    for (const window of this.#windows) window.rotate()
    if (this.#windows.size > 0) this.#options.clock.schedule(windowMs, this.#rotate)
  }

  #obtain(name: string, help: string, wanted: Series): Series {
    const family = this.#family(name, wanted.kind, help)
    const key = labelText(wanted.labels)
    const existing = family.series.get(key)
    if (existing !== undefined) return existing
    family.series.set(key, wanted)
    const place = { family, key, labels: wanted.labels }
    for (const pair of labelPairs(wanted.labels)) {
      const places = this.#byLabel.get(pair)
      if (places === undefined) this.#byLabel.set(pair, new Set([place]))
      else places.add(place)
    }
    return wanted
  }

  #family(name: string, kind: Series['kind'], help: string): Family {
    let family = this.#families.get(name)
    if (family === undefined) {
      family = { name, help, kind, series: new Map() }
      this.#families.set(name, family)
    }
    assert(family.kind === kind, `metric ${name} is a ${family.kind}, not a ${kind}`)
    return family
  }

  #remove(place: Place): void {
    const { family, key, labels } = place
    const series = family.series.get(key)
    if (series?.kind === 'histogram') this.#windows.delete(series.window)
    family.series.delete(key)
    if (family.series.size === 0 && family.rows === undefined) this.#families.delete(family.name)
    for (const pair of labelPairs(labels)) {
      const places = this.#byLabel.get(pair)
      places?.delete(place)
      if (places?.size === 0) this.#byLabel.delete(pair)
    }
  }
}

function familyText(family: Family): string {
  const type = family.kind === 'histogram' ? 'summary' : family.kind
  let text = `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${type}\n`
  for (const series of family.series.values()) text += seriesText(family.name, series)
  for (const { labels, value } of family.rows?.() ?? []) text += line(family.name, labels, value)
  return text
}

function seriesText(name: string, series: Series): string {
  switch (series.kind) {
    case 'counter':
      return line(name, series.labels, series.value)
    case 'gauge':
      return line(name, series.labels, series.read())
    case 'histogram': {
      const { window, labels } = series
      let text = ''
      const values = window.quantiles(quantiles)
      for (const [index, quantile] of quantiles.entries()) {
        text += line(name, { ...labels, quantile: String(quantile) }, values[index] ?? Number.NaN)
      }
      return (
        text + line(`${name}_sum`, labels, window.sum) + line(`${name}_count`, labels, window.count)
      )
    }
  }
}

function line(name: string, labels: Labels, value: number): string {
  const text = value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value)
  return `${name}${labelText(labels)} ${text}\n`
}

function labelText(labels: Labels): string {
  const pairs = labelPairs(labels)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function labelPairs(labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

let processRegistry: Promise<{ metrics(): Promise<string> }> | undefined

/** One per process, whatever the number of services in it. */
async function processText(): Promise<string> {
  processRegistry ??= import('prom-client').then(({ collectDefaultMetrics, Registry }) => {
    const register = new Registry()
    collectDefaultMetrics({ register })
    return register
  })
  return `${await (await processRegistry).metrics()}\n`
}
