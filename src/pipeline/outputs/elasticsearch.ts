// The output elasticsearch: documents by bulk requests to Elasticsearch, OpenSearch or millrace search.

import { DatePatternError } from '../../text/dates/pattern.ts'
import { compileDateFormat } from '../../text/dates/format.ts'
import { configText } from '../decorate.ts'
import { defineOutput } from '../plugin.ts'
import { BulkSender } from './bulk-sender.ts'

export const elasticsearch = defineOutput({
  name: 'elasticsearch',
  options: {
    hosts: { type: 'uri', list: true, default: ['http://127.0.0.1:9200'] },
    index: { type: 'string' },
    document_id: { type: 'string' },
    document_type: { type: 'string' },
    action: { type: 'string' },
    routing: { type: 'string' },
    pipeline: { type: 'string' },
    user: { type: 'string' },
    password: { type: 'password' },
    api_key: { type: 'password' },
    custom_headers: { type: 'hash', default: {} },
    path: { type: 'string', default: '' },
    doc_as_upsert: { type: 'boolean', default: false },
    retry_on_conflict: { type: 'number', default: 1 },
    retry_initial_interval: { type: 'number', default: 2 },
    retry_max_interval: { type: 'number', default: 64 },
    timeout: { type: 'number', default: 60 },
    http_compression: { type: 'boolean', default: false },
    data_stream: { type: ['true', 'false', 'auto'], default: 'false' },
    data_stream_type: { type: ['logs', 'metrics', 'synthetics', 'traces'], default: 'logs' },
    data_stream_dataset: { type: 'string', default: 'generic' },
    data_stream_namespace: { type: 'string', default: 'default' },
    data_stream_auto_routing: { type: 'boolean', default: true, idle: true },
    data_stream_sync_fields: { type: 'boolean', default: true },
    ecs_compatibility: { type: ['disabled'], default: 'disabled' },
    manage_template: { type: 'boolean', default: true, idle: true },
    template: { type: 'string', idle: true },
    template_name: { type: 'string', idle: true },
    template_overwrite: { type: 'boolean', idle: true },
    template_api: { type: 'string', idle: true },
    ilm_enabled: { type: 'string', idle: true },
    ilm_rollover_alias: { type: 'string', refused: true },
    ilm_pattern: { type: 'string', idle: true },
    ilm_policy: { type: 'string', idle: true },
    sniffing: { type: 'boolean', idle: true },
    sniffing_delay: { type: 'number', idle: true },
    pool_max: { type: 'number', idle: true },
    pool_max_per_route: { type: 'number', idle: true },
    resurrect_delay: { type: 'number', idle: true },
    validate_after_inactivity: { type: 'number', idle: true },
    version: { type: 'string', refused: true },
    version_type: { type: 'string', refused: true },
    script: { type: 'string', refused: true },
    upsert: { type: 'string', refused: true },
    parent: { type: 'string', refused: true },
    proxy: { type: 'string', refused: true },
    cloud_id: { type: 'string', refused: true },
    cloud_auth: { type: 'password', refused: true },
    cacert: { type: 'string', refused: true },
    ssl_certificate_authorities: { type: 'array', refused: true },
    ssl_certificate_verification: { type: 'boolean', refused: true },
    ssl_verification_mode: { type: 'string', refused: true },
    keystore: { type: 'string', refused: true },
    ssl_keystore_path: { type: 'string', refused: true },
    truststore: { type: 'string', refused: true },
    ssl_truststore_path: { type: 'string', refused: true },
    ssl: { type: 'boolean', default: false },
    ssl_enabled: { type: 'boolean', default: false },
  },
  build({ options, ports, template }) {
    const stream = options.data_stream === 'true'
    if (stream && (options.index !== undefined || options.document_type !== undefined)) {
      throw new Error(
        'Invalid data stream configuration, following parameters are not supported: index, document_type',
      )
    }
    const action = options.action ?? (stream ? 'create' : 'index')
    if (!action.includes('%{') && !['index', 'create', 'update', 'delete'].includes(action)) {
      throw new Error(`No such action '${action}'`)
    }
    const { data_stream_type: type, data_stream_dataset: dataset } = options
    const namespace = options.data_stream_namespace
    const index = stream
      ? `${type}-${dataset}-${namespace}`
      : (options.index ?? 'logstash-%{+YYYY.MM.dd}')
    checkIndexDates(index)
    const optional = (text: string | undefined) => (text === undefined ? undefined : template(text))
    return new BulkSender(ports, {
      urls: options.hosts.map((host) => urlOf(host, options)),
      headers: headersOf(options),
      timeoutMs: options.timeout * 1000,
      retryInitialMs: options.retry_initial_interval * 1000,
      retryMaxMs: options.retry_max_interval * 1000,
      compress: options.http_compression,
      // Several changes of one document must not overtake each other.
      inOrder: options.document_id !== undefined || !['index', 'create'].includes(action),
      bulk: {
        action: template(action),
        index: template(index),
        documentId: optional(options.document_id),
        routing: optional(options.routing),
        pipeline: optional(options.pipeline),
        documentType: optional(options.document_type),
        upsert: options.doc_as_upsert,
        retryOnConflict: options.retry_on_conflict,
        extra:
          stream && options.data_stream_sync_fields
            ? { data_stream: { type, dataset, namespace } }
            : undefined,
      },
    })
  },
})

/** A bad date pattern in an index name is a mistake now, not at the first event. */
function checkIndexDates(index: string): void {
  for (const [, pattern] of index.matchAll(/%\{\+([^}]*)\}/g)) {
    if (pattern === undefined || pattern === '%s') continue
    try {
      compileDateFormat(pattern)
    } catch (error) {
      if (error instanceof DatePatternError) throw new Error(error.message, { cause: error })
      throw error
    }
  }
}

interface HostOptions {
  readonly path: string
  readonly ssl: boolean
  readonly ssl_enabled: boolean
}

/** `host`, `host:9201`, `//host` or a URL; without a trailing slash and without user information. */
function urlOf(host: string, { path, ssl, ssl_enabled }: HostOptions): string {
  const scheme = ssl || ssl_enabled ? 'https' : 'http'
  const text = /^[a-z]+:\/\//i.test(host) ? host : `${scheme}://${host.replace(/^\/\//, '')}`
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`the host ${url.host} must be reached by http or https`)
  }
  const portGiven = /:\d+(?:\/|$)/.test(text.replace(/^[a-z]+:\/\//i, '').replace(/^[^@/]*@/, ''))
  const port = portGiven ? url.port || (url.protocol === 'https:' ? '443' : '80') : '9200'
  const base = path === '' ? url.pathname : path
  return `${url.protocol}//${url.hostname}:${port}${base.replace(/\/+$/, '')}`
}

interface AccessOptions {
  readonly hosts: readonly string[]
  readonly user: string | undefined
  readonly password: { reveal(): string } | undefined
  readonly api_key: { reveal(): string } | undefined
  readonly custom_headers: ReadonlyMap<string, Parameters<typeof configText>[0]>
}

function headersOf(options: AccessOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of options.custom_headers) headers[name] = configText(value)
  if (options.api_key !== undefined) {
    const encoded = Buffer.from(options.api_key.reveal()).toString('base64')
    headers['authorization'] = `ApiKey ${encoded}`
    return headers
  }
  const inUrl = options.hosts
    .map((host) => /^(?:[a-z]+:)?\/\/([^@/]*)@/i.exec(host)?.[1])
    .find(Boolean)
  const pair =
    options.user === undefined
      ? inUrl === undefined
        ? undefined
        : decodeURIComponent(inUrl)
      : `${options.user}:${options.password?.reveal() ?? ''}`
  if (pair !== undefined) headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`
  return headers
}
