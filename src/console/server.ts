// The console's routes: status, search, topics and pages, behind the guard and the security headers.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { HttpClient } from '../runtime/http.ts'
import type { Logger } from '../runtime/logger.ts'
import { browse } from './browse.ts'
import { cursorText, parseBrowseQuery, QueryError } from './browse-request.ts'
import { SearchError, SearchGateway } from './elasticsearch.ts'
import { refuseRequest } from './guard.ts'
import { KafkaDownError, type TopicReader, UnknownTopicError } from './kafka.ts'
import { registerPages } from './pages.ts'
import type { ConsoleSettings } from './settings.ts'
import { noKafka, StatusReporter } from './status.ts'

export interface ConsolePorts {
  readonly http: HttpClient
  readonly clock: Clock
  readonly disk: Pick<Disk, 'stat'>
  readonly logger: Logger
  /** Undefined where no Kafka is configured. */
  readonly reader: TopicReader | undefined
}

/** Message browsing reads up to 64 MiB a request, so only a few may run at a time. */
const browsesMax = 4
const requestBytesMax = 256 * 1024

const securityHeaders: Readonly<Record<string, string>> = {
  // Mantine sets its theme's variables in style elements; scripts come from files only.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Registers everything on a fastify instance that the main made; the main listens and closes. */
export async function registerConsole(
  app: FastifyInstance,
  ports: ConsolePorts,
  settings: ConsoleSettings & { readonly pagesDirectory: string },
): Promise<void> {
  guard(app, settings)
  app.setErrorHandler((error: FastifyError, request, reply) =>
    answerError({ error, request, reply, logger: ports.logger }),
  )
  const gateway = new SearchGateway(ports, settings.elasticsearch)
  const reporter = new StatusReporter({ ...ports, gateway }, settings.bootstrapServers)
  app.get('/api/status', () => reporter.status())
  registerSearch(app, gateway)
  registerTopics(app, ports)
  app.all('/api/*', (_request, reply) => sendError(reply, 404, 'There is no such call.'))
  await registerPages(app, ports, settings.pagesDirectory)
}

function guard(app: FastifyInstance, settings: ConsoleSettings): void {
  const allowedHosts = [...settings.allowedHosts, settings.host.toLowerCase()]
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders)
    const isApi = request.url.startsWith('/api/')
    if (isApi) void reply.header('cache-control', 'no-store')
    const { host, origin } = request.headers
    const fetchSite = request.headers['sec-fetch-site']
    const refusal = refuseRequest(
      { host, origin, fetchSite: fetchSite?.toString(), isApi },
      { allowedHosts },
    )
    if (refusal !== undefined) await sendError(reply, 403, refusal)
  })
}

function registerSearch(app: FastifyInstance, gateway: SearchGateway): void {
  app.get('/api/search/indices', async () => ({ indices: await gateway.indices() }))
  app.get('/api/search/fields', async (request: FastifyRequest<{ Querystring: Query }>) => {
    const index = request.query['index']
    if (typeof index !== 'string') throw new QueryError('fields needs index=NAME.')
    return { fields: await gateway.fields(index) }
  })
  app.post(
    '/api/search/query',
    { bodyLimit: requestBytesMax },
    async (request: FastifyRequest<{ Querystring: Query }>, reply) => {
      const index = request.query['index']
      if (typeof index !== 'string') throw new QueryError('a query needs index=NAME.')
      const answer = await gateway.search(index, request.body)
      return reply.type('application/json').send(answer)
    },
  )
}

type Query = Readonly<Record<string, unknown>>
type TopicRequest = FastifyRequest<{ Params: { name: string }; Querystring: Query }>

function registerTopics(app: FastifyInstance, ports: ConsolePorts): void {
  let browses = 0
  const reader = (): TopicReader => {
    if (ports.reader === undefined) throw new KafkaDownError(noKafka)
    return ports.reader
  }
  app.get('/api/topics', async () => ({ topics: await reader().topics() }))
  app.get('/api/topics/:name', (request: TopicRequest) => reader().topic(topicName(request)))
  app.get('/api/topics/:name/messages', async (request: TopicRequest, reply) => {
    const asked = parseBrowseQuery(topicName(request), request.query)
    if (browses >= browsesMax) {
      const text = `${browsesMax} message searches are running already: try again in a moment.`
      return sendError(reply.header('retry-after', '1'), 429, text)
    }
    browses++
    try {
      const answer = await browse({ reader: reader(), clock: ports.clock }, asked)
      return { ...answer, next: cursorText(answer.next) }
    } finally {
      browses--
    }
  })
}

function topicName(request: TopicRequest): string {
  const { name } = request.params
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name)) throw new UnknownTopicError(name.slice(0, 249))
  return name
}

function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: { status, message } })
}

/** Everything that goes wrong ends here, as one sentence. */
function answerError(context: {
  readonly error: FastifyError
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly logger: Logger
}): FastifyReply {
  const { error, request, reply, logger } = context
  if (error instanceof SearchError) return sendError(reply, error.status, error.message)
  if (error instanceof UnknownTopicError) return sendError(reply, 404, error.message)
  if (error instanceof KafkaDownError) return sendError(reply, 503, error.message)
  if (error instanceof QueryError) return sendError(reply, 400, error.message)
  const status = error.statusCode ?? 500
  if (status < 500) return sendError(reply, status, error.message)
  logger.error(`${request.method} ${request.url.split('?')[0]} failed`, error)
  return sendError(reply, 500, `The console failed: ${error.message}`)
}
