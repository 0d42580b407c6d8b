import { errorOf } from '../../kafka/errors.ts'
import type { Histogram, MetricRow, Metrics } from '../../runtime/metrics.ts'
import type { AnyApi } from '../../wire/schema.ts'
import { requestMetrics } from './catalogue.ts'
import { errorCodesOf, type CountErrors } from './error-codes.ts'

const fetchKey = 1

/** One API's requests. */
class ApiMeter {
  readonly name: string
  readonly versions: number[] = []
  readonly errors = new Map<number, number>()
  readonly #totalTime: Histogram
  readonly #countErrors: CountErrors

  constructor(api: AnyApi, name: string, metrics: Metrics) {
    this.name = name
    this.#countErrors = errorCodesOf(api)
    const { name: metric, about } = requestMetrics.totalTimeMs
    this.#totalTime = metrics.histogram(metric, about, { request: name })
  }

  asked(version: number): void {
    while (this.versions.length <= version) this.versions.push(0)
    this.versions[version] = (this.versions[version] ?? 0) + 1
  }

  answered(body: object, totalMs: number): void {
    this.#totalTime.observe(totalMs)
    this.#countErrors(body, this.#noteError)
  }

  readonly #noteError = (code: number): void => {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
  }
}

export type { ApiMeter }

/** Counts and times by API. As in Kafka, fetches of consumers and of followers are told apart. */
export class RequestMeters {
  readonly #metrics: Metrics
  readonly #byKey: (ApiMeter | undefined)[] = []
  #followerFetches: ApiMeter | undefined

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    const { requests, errors } = requestMetrics
    metrics.table(requests.name, 'counter', requests.about, () => this.#requestRows())
    metrics.table(errors.name, 'counter', errors.about, () => this.#errorRows())
  }

  /** The meter of one request. */
  of(api: AnyApi, request: unknown): ApiMeter {
    if (api.key === fetchKey && isOfFollower(request))
      return (this.#followerFetches ??= new ApiMeter(api, 'FetchFollower', this.#metrics))
    let meter = this.#byKey[api.key]
    if (meter !== undefined) return meter
    meter = new ApiMeter(api, api.key === fetchKey ? 'FetchConsumer' : api.name, this.#metrics)
    while (this.#byKey.length < api.key) this.#byKey.push(undefined)
    this.#byKey[api.key] = meter
    return meter
  }

  *#meters(): Generator<ApiMeter> {
    for (const meter of this.#byKey) if (meter !== undefined) yield meter
    if (this.#followerFetches !== undefined) yield this.#followerFetches
  }

  *#requestRows(): Generator<MetricRow> {
    for (const { name, versions } of this.#meters())
      for (const [version, value] of versions.entries())
        if (value > 0) yield { labels: { request: name, version: String(version) }, value }
  }

  *#errorRows(): Generator<MetricRow> {
    for (const { name, errors } of this.#meters())
      for (const [code, value] of errors)
        yield { labels: { request: name, error: errorOf(code).name }, value }
  }
}

interface FetchOrigin {
  readonly replicaId: number
  readonly replicaState: { readonly replicaId: number }
}

function isOfFollower(request: unknown): boolean {
  const { replicaId, replicaState } = request as FetchOrigin
  return replicaId >= 0 || replicaState.replicaId >= 0
}
