/** Where a broker is asked how it is: Prometheus text, and two questions with yes or no. */
import type { FastifyInstance } from 'fastify'
import { UserError } from '../../runtime/service.ts'

export interface HttpAddress {
  readonly host: string
  readonly port: number
}

/** What the endpoint asks. */
export interface Asked {
  readonly renderMetrics: () => Promise<string>
  /** Undefined: requests are served. Else why not, in one line. */
  readonly unreadyBecause: () => string | undefined
}

/**
 * Where to listen: `millrace.http.address` of server.properties, else where KAFKA_OPTS would have had
 * the JMX exporter listen (-javaagent:…jmx_prometheus_javaagent….jar=[HOST:]PORT:FILE); undefined:
 * nowhere. @throws UserError
 */
export function httpAddress(setting: string | null, kafkaOptions = ''): HttpAddress | undefined {
  if (setting !== null) {
    const match = /^(?:(.*):)?(\d{1,5})$/.exec(setting.trim())
    if (match === null) throw new UserError(`millrace.http.address: ${setting} is not HOST:PORT`)
    return { host: match[1] ?? '127.0.0.1', port: Number(match[2]) }
  }
  const agent = /-javaagent:\S*jmx_prometheus_javaagent\S*?\.jar=(?:(\S+?):)?(\d{1,5}):/
  const match = agent.exec(kafkaOptions)
  if (match === null) return undefined
  return { host: match[1] ?? '0.0.0.0', port: Number(match[2]) }
}

/** /metrics as the JMX exporter has it, /healthz while the process serves, /readyz while it is whole. */
export function serveMetrics(web: FastifyInstance, asked: Asked): void {
  web.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await asked.renderMetrics()),
  )
  web.get('/healthz', () => ({ status: 'ok' }))
  web.get('/readyz', async (_request, reply) => {
    const reason = asked.unreadyBecause()
    return reply.code(reason === undefined ? 200 : 503).send({ status: reason ?? 'ok' })
  })
}
