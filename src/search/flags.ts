// Pure. The command line and configuration file of the server, Elasticsearch's names for everything.
import { parse } from 'yaml'
import { UserError } from '../runtime/service.ts'
import { type Compatibility, findCompatibility } from './compatibility.ts'
import { isObject, type Json, textOf } from './json/value.ts'

export interface Flags {
  readonly settings: ReadonlyMap<string, string>
  readonly configurationPath: string | undefined
}

/** `-E key=value`, `--path.data DIR`, `--path.conf FILE`, `-p FILE`, `-q`, `-d`. @throws UserError */
export function parseFlags(given: readonly string[]): Flags {
  const settings = new Map<string, string>()
  let configurationPath: string | undefined
  for (let at = 0; at < given.length; at++) {
    const flag = given[at] ?? ''
    const next = (): string => {
      const value = given[++at]
      if (value === undefined) throw new UserError(`${flag} needs a value`)
      return value
    }
    const pair = /^(--[\w.]+)=(.*)$/s.exec(flag)
    const name = pair?.[1] ?? flag
    const value = (): string => pair?.[2] ?? next()
    if (name === '--path.conf') configurationPath = value()
    else if (name === '--path.data') settings.set('path.data', value())
    else if (flag === '-E') addSetting(settings, next())
    else if (flag.startsWith('-E')) addSetting(settings, flag.slice(2))
    else if (flag !== '-q' && flag !== '--quiet') throw new UserError(`unknown option ${flag}`)
  }
  return { settings, configurationPath }
}

function addSetting(settings: Map<string, string>, pair: string): void {
  const equals = pair.indexOf('=')
  if (equals <= 0) throw new UserError(`-E needs key=value, not ${pair}`)
  settings.set(pair.slice(0, equals), pair.slice(equals + 1))
}

/** elasticsearch.yml: nested and dotted keys alike. @throws UserError */
export function parseConfiguration(text: string, path: string): Map<string, string> {
  let parsed: unknown
  try {
    parsed = parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new UserError(`cannot read ${path}: ${why}`)
  }
  const settings = new Map<string, string>()
  if (isObject(parsed)) flatten(parsed, '', settings)
  return settings
}

function flatten(value: Json, path: string, settings: Map<string, string>): void {
  if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      flatten(member, path === '' ? name : `${path}.${name}`, settings)
    }
  } else if (Array.isArray(value)) settings.set(path, value.map(textOf).join(','))
  else if (value !== null) settings.set(path, String(value))
}

export interface ServerSettings {
  readonly host: string
  readonly port: number
  readonly dataDirectory: string
  readonly compatibility: Compatibility
  readonly clusterName: string
  readonly nodeName: string
  readonly bodyBytesMax: number
  readonly shardsMax: number
  /** Settings that are known and not acted on, or not known at all. */
  readonly warnings: readonly string[]
}

const known = new Set([
  'http.port',
  'http.host',
  'network.host',
  'path.data',
  'path.logs',
  'cluster.name',
  'node.name',
  'compatibility.version',
  'http.max_content_length',
  'cluster.max_shards_per_node',
])

/** Settings that would guard the server and that nothing here acts on. */
const guards = [/^xpack\.security\./, /^http\.ssl\./, /^xpack\.http\.ssl/]

/** @throws UserError naming the setting, the value and what is allowed */
export function readSettings(settings: ReadonlyMap<string, string>): ServerSettings {
  const warnings: string[] = []
  for (const [name, value] of settings) {
    if (guards.some((guard) => guard.test(name)) && value !== 'false') {
      throw new UserError(`${name} is not built: set it to false, or leave it out`)
    }
    if (!known.has(name)) warnings.push(`setting ${name} is not acted on`)
  }
  const port = Number(settings.get('http.port')?.split('-')[0] ?? 9200)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UserError(`http.port is ${settings.get('http.port')}: it must be 0 to 65535`)
  }
  const version = settings.get('compatibility.version') ?? '7.17'
  const compatibility = findCompatibility(version)
  if (compatibility === undefined) {
    throw new UserError(`compatibility.version is ${version}: it must be 6.4.1, 7.17 or 8`)
  }
  return {
    host: hostOf(settings.get('http.host') ?? settings.get('network.host') ?? '127.0.0.1'),
    port,
    dataDirectory: settings.get('path.data') ?? 'data/search',
    compatibility,
    clusterName: settings.get('cluster.name') ?? 'elasticsearch',
    nodeName: settings.get('node.name') ?? 'node-1',
    bodyBytesMax: bytesOf(settings.get('http.max_content_length') ?? '100mb'),
    shardsMax: shardsOf(settings.get('cluster.max_shards_per_node') ?? '1000'),
    warnings,
  }
}

function shardsOf(text: string): number {
  const shards = Number(text)
  if (Number.isInteger(shards) && shards > 0) return shards
  throw new UserError(`cluster.max_shards_per_node is ${text}: it must be a number above 0`)
}

function hostOf(text: string): string {
  if (text === '_local_' || text === 'localhost') return '127.0.0.1'
  if (text === '_site_' || text === '_global_') return '0.0.0.0'
  return text
}

function bytesOf(text: string): number {
  const match = /^(\d+)\s*(b|kb|mb|gb)?$/i.exec(text.trim())
  const power = ['b', 'kb', 'mb', 'gb'].indexOf(match?.[2]?.toLowerCase() ?? 'b')
  const bytes = match === null ? 0 : Number(match[1]) * 1024 ** power
  if (bytes > 0 && bytes <= 2 ** 30) return bytes
  throw new UserError(`http.max_content_length is ${text}: it must be 1b to 1gb`)
}
