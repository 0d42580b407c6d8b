/** The web server that search, console and the pipeline's API are given: fastify, with limits set. */
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

export interface WebServerOptions {
  /** A larger body is refused with 413. Default 1 MB. */
  readonly bodyLimitBytes?: number
  /** How long a client may take to send its headers. Default 10 s. */
  readonly headersTimeoutMs?: number
  /** How long a client may take to send a whole request. Default 60 s. */
  readonly requestTimeoutMs?: number
  /** How long an idle connection is kept for the next request. Default 72 s. */
  readonly keepAliveTimeoutMs?: number
  /** Connections beyond are refused. Default 1024. */
  readonly connectionsMax?: number
  /** How often the time limits are looked at. Default 2 s. */
  readonly checkIntervalMs?: number
  /** Longest route parameter; index lists are long. Default 4096. */
  readonly parameterBytesMax?: number
}

/**
 * A server without routes. GET and DELETE may carry bodies, as search clients send them; parsers for
 * other content types than JSON and plain text are the stage's to add. `close` lets answers under way
 * end and closes idle connections.
 */
export function createWebServer(options: WebServerOptions = {}): FastifyInstance {
  const connectionsMax = options.connectionsMax ?? 1024
  const server = fastify({
    bodyLimit: options.bodyLimitBytes ?? 1024 * 1024,
    requestTimeout: options.requestTimeoutMs ?? 60_000,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 72_000,
    connectionTimeout: 0,
    forceCloseConnections: 'idle',
    logger: false,
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: options.parameterBytesMax ?? 4096,
    },
    http: {
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      connectionsCheckingInterval: options.checkIntervalMs ?? 2_000,
      maxHeaderSize: 16 * 1024,
    },
  })
  server.server.maxConnections = connectionsMax
  server.addHttpMethod('GET', { hasBody: true, overrideExisting: true })
  server.addHttpMethod('DELETE', { hasBody: true, overrideExisting: true })
  return server
}
