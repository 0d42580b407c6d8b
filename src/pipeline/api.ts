// The HTTP API of the pipeline, as Logstash serves it on port 9600.

import type { FastifyInstance } from 'fastify'
import type { PluginStatistics } from './compile.ts'
import type { EventCounts } from './runner.ts'

/** The version whose API this is. */
export const LOGSTASH_VERSION = '8.19.20'

export interface ApiState {
  readonly host: string
  readonly httpAddress: string
  readonly id: string
  readonly name: string
  readonly ephemeralId: string
  readonly pipelineId: string
  readonly pipeline: {
    readonly workers: number
    readonly batchSize: number
    readonly batchDelayMs: number
  }
  readonly uptimeMs: () => number
  readonly counts: Readonly<EventCounts>
  readonly queued: () => number
  readonly plugins: readonly PluginStatistics[]
}

/** `state` gives undefined until the pipeline runs. */
export function registerApi(server: FastifyInstance, state: () => ApiState): void {
  server.get('/', () => common(state()))
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/_node', () => ({ ...common(state()), pipelines: pipelinesOf(state()) }))
  server.get('/_node/pipelines', () => ({ ...common(state()), pipelines: pipelinesOf(state()) }))
  server.get('/_node/stats', () => statistics(state()))
  server.get('/_node/stats/events', () => ({ ...common(state()), events: eventsOf(state()) }))
  server.get('/_node/stats/pipelines', () => ({
    ...common(state()),
    pipelines: { [state().pipelineId]: pipelineStatistics(state()) },
  }))
  server.setNotFoundHandler((request, reply) => {
    void reply.status(404).send({ path: request.url, status: 404, error: { message: 'Not Found' } })
  })
}

function common(state: ApiState): Record<string, unknown> {
  const { workers, batchSize, batchDelayMs } = state.pipeline
  return {
    host: state.host,
    version: LOGSTASH_VERSION,
    http_address: state.httpAddress,
    id: state.id,
    name: state.name,
    ephemeral_id: state.ephemeralId,
    status: 'green',
    snapshot: false,
    pipeline: { workers, batch_size: batchSize, batch_delay: batchDelayMs },
  }
}

function pipelinesOf(state: ApiState): Record<string, unknown> {
  const { workers, batchSize, batchDelayMs } = state.pipeline
  return {
    [state.pipelineId]: {
      ephemeral_id: state.ephemeralId,
      workers,
      batch_size: batchSize,
      batch_delay: batchDelayMs,
      config_reload_automatic: false,
      dead_letter_queue_enabled: false,
    },
  }
}

function eventsOf({ counts }: ApiState): Record<string, number> {
  return {
    in: counts.in,
    filtered: counts.filtered,
    out: counts.out,
    duration_in_millis: Math.round(counts.durationMs),
    queue_push_duration_in_millis: 0,
  }
}

function statistics(state: ApiState): Record<string, unknown> {
  return {
    ...common(state),
    process: { uptime_in_millis: Math.round(state.uptimeMs()) },
    events: eventsOf(state),
    pipelines: { [state.pipelineId]: pipelineStatistics(state) },
    reloads: { successes: 0, failures: 0 },
    queue: { events_count: state.queued() },
  }
}

function pipelineStatistics(state: ApiState): Record<string, unknown> {
  const of = (type: PluginStatistics['type']): unknown[] =>
    state.plugins
      .filter((plugin) => plugin.type === type)
      .map(({ id, name, in: received, out }) => ({
        id,
        name,
        events: type === 'input' ? { out } : { in: received, out },
      }))
  return {
    events: eventsOf(state),
    plugins: { inputs: of('input'), codecs: [], filters: of('filter'), outputs: of('output') },
    reloads: { successes: 0, failures: 0 },
    queue: { type: 'memory', events_count: state.queued() },
  }
}
