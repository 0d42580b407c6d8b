// Pure. Settings of the console: command line over console.yml (or kibana.yml) over defaults.
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { parse as parseYaml } from 'yaml'
import { UserError } from '../runtime/service.ts'

export interface ConsoleSettings {
  readonly host: string
  readonly port: number
  /** Names besides the bound one under which browsers may ask, in lower case and without port. */
  readonly allowedHosts: readonly string[]
  readonly elasticsearch: ElasticsearchSettings
  /** `host:port` of some Kafka brokers; empty: no Kafka. */
  readonly bootstrapServers: readonly string[]
}

export interface ElasticsearchSettings {
  /** Base URLs without credentials, query and trailing slash; tried in order. */
  readonly urls: readonly string[]
  /** The Authorization header, never sent to browsers or printed; undefined: none. */
  readonly authorization: string | undefined
  readonly requestTimeoutMs: number
}

export interface ParsedArguments {
  readonly configPath: string | undefined
  /** Dotted keys as in console.yml. */
  readonly values: ReadonlyMap<string, unknown>
}

export type ArgumentsOutcome =
  | { readonly kind: 'run'; readonly parsed: ParsedArguments }
  | { readonly kind: 'print'; readonly text: string }

const defaultElasticsearchUrl = 'http://127.0.0.1:9200'

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535.')
  }
  return port
}

/**
 * Reads the flags: Kibana's own (-e, -H, -p, -c) and --bootstrap-server as Kafka's tools call it.
 * @throws UserError
 */
export function parseArguments(args: readonly string[]): ArgumentsOutcome {
  let printed = ''
  const command = new Command('millrace console')
    .description('Serves the log search and Kafka topic pages to browsers.')
    .option('-c, --config <file>', 'console.yml or kibana.yml')
    .option('-H, --host <address>', 'address to listen on (127.0.0.1)')
    .option('-p, --port <number>', 'port to listen on (5601)', portNumber)
    .option('-e, --elasticsearch <urls>', `search, comma separated (${defaultElasticsearchUrl})`)
    .option('--bootstrap-server <list>', 'Kafka brokers as host:port, comma separated')
    .option('--allowed-host <names>', 'host names browsers may use, comma separated')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        printed += text
      },
      writeErr: () => {},
    })
  try {
    command.parse([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'print', text: printed }
    throw new UserError(error.message.replace(/^error: /, ''), { cause: error })
  }
  const options = command.opts<Record<string, string | number>>()
  const values = new Map<string, unknown>()
  const keys: Record<string, string> = {
    host: 'server.host',
    port: 'server.port',
    elasticsearch: 'elasticsearch.hosts',
    bootstrapServer: 'kafka.bootstrap.servers',
    allowedHost: 'server.allowedHosts',
  }
  for (const [option, key] of Object.entries(keys)) {
    if (options[option] !== undefined) values.set(key, options[option])
  }
  const config = options['config']
  return {
    kind: 'run',
    parsed: { configPath: config === undefined ? undefined : String(config), values },
  }
}

/**
 * Joins flags and the text of the configuration file. Unknown keys (kibana.yml has hundreds) warn.
 * @throws UserError naming the key and what is allowed.
 */
export function buildSettings(
  flags: ReadonlyMap<string, unknown>,
  fileText: string | undefined,
): { settings: ConsoleSettings; warnings: string[] } {
  const values = new Map([...(fileText === undefined ? [] : readYaml(fileText)), ...flags])
  const warnings: string[] = []
  const take = (key: string): unknown => {
    const value = values.get(key) ?? undefined
    values.delete(key)
    return value
  }
  const host = textOf('server.host', take('server.host')) ?? '127.0.0.1'
  const port = numberOf('server.port', take('server.port'), { min: 0, max: 65535 }) ?? 5601
  const allowedHosts = listOf('server.allowedHosts', take('server.allowedHosts')).map(hostName)
  const publicUrl = textOf('server.publicBaseUrl', take('server.publicBaseUrl'))
  if (publicUrl !== undefined) {
    allowedHosts.push(parseUrl('server.publicBaseUrl', publicUrl).hostname.toLowerCase())
  }
  const oldUrl = take('elasticsearch.url')
  const elasticsearch = elasticsearchSettings({
    hosts: listOf('elasticsearch.hosts', take('elasticsearch.hosts') ?? oldUrl),
    username: textOf('elasticsearch.username', take('elasticsearch.username')),
    password: textOf('elasticsearch.password', take('elasticsearch.password')),
    requestTimeoutMs: numberOf(
      'elasticsearch.requestTimeout',
      take('elasticsearch.requestTimeout'),
      {
        min: 1,
        max: 3_600_000,
      },
    ),
  })
  const bootstrapServers = listOf('kafka.bootstrap.servers', take('kafka.bootstrap.servers'))
  for (const server of bootstrapServers) checkBootstrapServer(server)
  for (const key of values.keys())
    warnings.push(`setting ${key} is not known here and has no effect`)
  return { settings: { host, port, allowedHosts, elasticsearch, bootstrapServers }, warnings }
}

function elasticsearchSettings(given: {
  readonly hosts: readonly string[]
  readonly username: string | undefined
  readonly password: string | undefined
  readonly requestTimeoutMs: number | undefined
}): ElasticsearchSettings {
  const hosts = given.hosts.length === 0 ? [defaultElasticsearchUrl] : given.hosts
  let credentials =
    given.username === undefined ? undefined : `${given.username}:${given.password ?? ''}`
  const urls = hosts.map((host) => {
    const url = parseUrl('elasticsearch.hosts', host.includes('://') ? host : `http://${host}`)
    if (url.username !== '') {
      credentials ??= `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    }
    return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
  })
  return {
    urls,
    authorization:
      credentials === undefined
        ? undefined
        : `Basic ${Buffer.from(credentials).toString('base64')}`,
    requestTimeoutMs: given.requestTimeoutMs ?? 30_000,
  }
}

/** YAML with nested or dotted keys, flattened to dotted keys. */
function readYaml(text: string): Map<string, unknown> {
  let document: unknown
  try {
    document = parseYaml(text)
  } catch (error) {
    const reason =
      error instanceof Error
        ? (error.message.split('\n')[0] ?? '').replace(/:$/, '')
        : String(error)
    throw new UserError(`the configuration file is not valid YAML: ${reason}`, { cause: error })
  }
  const flat = new Map<string, unknown>()
  if (document === null || document === undefined) return flat
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new UserError('the configuration file must consist of `key: value` lines')
  }
  flatten(document, '', flat)
  return flat
}

function flatten(value: object, prefix: string, flat: Map<string, unknown>): void {
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      flatten(inner, `${prefix}${key}.`, flat)
    } else {
      flat.set(`${prefix}${key}`, inner)
    }
  }
}

function parseUrl(key: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UserError(`${key}: expected a URL such as http://127.0.0.1:9200`)
  }
  return url
}

function checkBootstrapServer(server: string): void {
  const port = Number(/:(\d{1,5})$/.exec(server)?.[1])
  if (!(port > 0 && port <= 65535)) {
    throw new UserError(`kafka.bootstrap.servers: ${server} is not of the form host:port`)
  }
}

function hostName(text: string): string {
  return text.toLowerCase().replace(/:\d+$/, '')
}

function textOf(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number') return String(value)
  throw new UserError(`${key}: expected a text`)
}

function numberOf(
  key: string,
  value: unknown,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  if (value === undefined) return undefined
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) {
    throw new UserError(`${key}: expected a whole number, got ${JSON.stringify(value)}`)
  }
  if (number < range.min || number > range.max) {
    throw new UserError(`${key}: ${number} is not between ${range.min} and ${range.max}`)
  }
  return number
}

/** A YAML list, or one text with commas. */
function listOf(key: string, value: unknown): string[] {
  if (value === undefined) return []
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  return items
    .flatMap((item) => (textOf(key, item) ?? '').split(','))
    .flatMap((item) => {
      const text = item.trim()
      return text === '' ? [] : [text]
    })
}
