/**
 * Measurements as a port. Names are those the JMX exporter's usual rules give (design section 4), so
 * that existing dashboards work: `kafka_server_brokertopicmetrics_messagesin_total{topic="t"}`.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: Labels): Counter
  /** A value that is asked for when somebody looks. */
  gauge(name: string, help: string, read: () => number, labels?: Labels): void
  /** Many values of one name, listed when somebody looks: nothing is kept for them meanwhile. */
  table(
    name: string,
    kind: 'counter' | 'gauge',
    help: string,
    rows: () => Iterable<MetricRow>,
  ): void
  /** Quantiles over a sliding window, and a count. */
  histogram(name: string, help: string, labels?: Labels): Histogram
  /** Forgets every series that carries all these labels: a deleted topic, a closed connection. */
  forget(labels: Labels): void
  /** Prometheus text exposition format 0.0.4. */
  render(): Promise<string>
}

export type Labels = Readonly<Record<string, string>>

export interface MetricRow {
  readonly labels: Labels
  readonly value: number
}

export interface Counter {
  add(amount: number): void
}

export interface Histogram {
  observe(value: number): void
}

/** Measures nothing: for tests. */
export const noMetrics: Metrics = {
  counter: () => ({ add() {} }),
  gauge() {},
  table() {},
  histogram: () => ({ observe() {} }),
  forget() {},
  render: () => Promise.resolve(''),
}
