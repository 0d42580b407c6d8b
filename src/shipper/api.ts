// The HTTP endpoint, as Filebeat's: `/` says who it is, `/stats` what it has done.

import type { FastifyInstance } from 'fastify'
import { type Agent, FILEBEAT_VERSION } from './event.ts'
import type { Output } from './outputs/output.ts'
import type { Shipper } from './shipper.ts'

export interface ApiState {
  readonly agent: Agent
  readonly shipper: Shipper
  readonly output: Output
  readonly uptimeMs: () => number
}

export function registerApi(server: FastifyInstance, state: ApiState): void {
  const { agent } = state
  server.get('/', () => ({
    beat: 'filebeat',
    hostname: agent.hostname,
    name: agent.name,
    uuid: agent.id,
    version: FILEBEAT_VERSION,
  }))
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/state', () => ({
    beat: { name: agent.name },
    output: { name: state.output.kind },
    service: { id: agent.id, name: 'filebeat', version: FILEBEAT_VERSION },
  }))
  server.get('/stats', () => statistics(state))
}

function statistics({ agent, shipper, output, uptimeMs }: ApiState): Record<string, unknown> {
  const { harvest, gauges } = shipper
  const { counts } = output
  const registry = shipper.registryCounts
  const writes = registry?.writes ?? 0
  const failed = registry?.failedWrites ?? 0
  return {
    beat: {
      info: {
        ephemeral_id: agent.ephemeralId,
        name: 'filebeat',
        uptime: { ms: Math.round(uptimeMs()) },
        version: FILEBEAT_VERSION,
      },
    },
    filebeat: {
      events: { active: gauges.active, added: harvest.added, done: harvest.settled },
      harvester: {
        closed: harvest.closed,
        open_files: gauges.open,
        running: gauges.open,
        skipped: 0,
        started: harvest.opened,
      },
      input: { log: { files: { renamed: harvest.renamed, truncated: harvest.truncated } } },
      lines: { read: harvest.lines, bytes: harvest.bytes },
    },
    libbeat: {
      output: {
        type: output.kind,
        events: {
          acked: counts.acked,
          active: counts.total - counts.acked - counts.dropped,
          dropped: counts.dropped,
          failed: counts.failed,
          total: counts.total,
        },
      },
      pipeline: {
        clients: 1,
        events: { active: gauges.active, filtered: harvest.filtered, published: harvest.added },
        queue: { acked: harvest.settled },
      },
    },
    registrar: {
      states: {
        current: gauges.states,
        update: registry?.updates ?? 0,
        cleanup: registry?.removals ?? 0,
      },
      writes: { fail: failed, success: writes, total: failed + writes },
    },
  }
}
