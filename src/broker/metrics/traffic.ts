import type { MetricRow, Metrics } from '../../runtime/metrics.ts'
import { trafficMetrics } from './catalogue.ts'

type Count = keyof typeof trafficMetrics

/** What one topic has seen since the broker started; whoever serves it counts here. */
export class TopicTraffic implements Record<Count, number> {
  messagesIn = 0
  bytesIn = 0
  bytesOut = 0
  bytesRejected = 0
  replicationBytesIn = 0
  replicationBytesOut = 0
  produceRequests = 0
  fetchRequests = 0
  failedProduceRequests = 0
  failedFetchRequests = 0
}

const counts = Object.keys(trafficMetrics) as Count[]

/** Traffic by topic. A topic that goes keeps its part of the total, which only grows. */
export class Traffic {
  readonly #topics = new Map<string, TopicTraffic>()
  readonly #gone = new TopicTraffic()
  /** Requests for topics that do not exist: they have no row of their own, since clients choose names. */
  readonly unknown = new TopicTraffic()

  /** The topic is one that exists. */
  of(topic: string): TopicTraffic {
    let traffic = this.#topics.get(topic)
    if (traffic === undefined) this.#topics.set(topic, (traffic = new TopicTraffic()))
    return traffic
  }

  /** `exists` tells whether a topic is still there; asked when somebody looks. */
  register(metrics: Metrics, exists: (topic: string) => boolean): void {
    for (const count of counts) {
      const { name, about } = trafficMetrics[count]
      metrics.table(name, 'counter', about, () => {
        this.#forgetAllBut(exists)
        return this.#rows(count)
      })
    }
  }

  #forgetAllBut(exists: (topic: string) => boolean): void {
    for (const [topic, traffic] of this.#topics) {
      if (exists(topic)) continue
      for (const count of counts) this.#gone[count] += traffic[count]
      this.#topics.delete(topic)
    }
  }

  *#rows(count: Count): Generator<MetricRow> {
    let total = this.#gone[count] + this.unknown[count]
    for (const [topic, traffic] of this.#topics) {
      const value = traffic[count]
      total += value
      if (value > 0) yield { labels: { topic }, value }
    }
    yield { labels: {}, value: total }
  }
}
