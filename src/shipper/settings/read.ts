// Pure. filebeat.yml and the command line as the shipper's settings.

import { UserError } from '../../runtime/service.ts'
import type { ShipperArguments } from '../arguments.ts'
import type { InputSettings, ShipperSettings } from '../settings.ts'
import { readInput } from './input.ts'
import { readOutput } from './output.ts'
import { type ConfigContext, Section, unknownKeys } from './section.ts'
import { type MapNode, type ScalarNode, merge, nest, parseConfig } from './tree.ts'

export interface ConfigSources {
  /** Name and text of each -c file, in order. */
  readonly files: readonly { readonly name: string; readonly text: string }[]
  readonly arguments: ShipperArguments
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly hostname: string
  readonly workingDirectory: string
  /** Names that match a path with wildcards: for filebeat.config.modules. */
  readonly matchingFiles: (pattern: string) => readonly string[]
}

export interface ReadSettings {
  readonly settings: ShipperSettings
  /** Whole lines, to be logged. */
  readonly warnings: readonly string[]
}

/** Bytes of unacknowledged events, whatever queue.mem.events allows. */
const QUEUE_BYTES = 32 * 1024 * 1024

/** What it takes to wait for acknowledgements; the original does not wait unless told to. */
const DEFAULT_SHUTDOWN_TIMEOUT_MS = 5000

/** @throws UserError naming file, line and key */
export function readSettings(sources: ConfigSources): ReadSettings {
  const root = withPaths(mergedConfig(sources), sources)
  const context: ConfigContext = {
    root,
    environment: sources.environment,
    warnings: [],
    used: new Set(),
  }
  const section = new Section(context, root)
  acceptForeign(section)
  checkLoaders(section, sources)
  checkProcessors(section)
  const dataDirectory = section.text('path.data') ?? ''
  const registryPath = section.text('filebeat.registry.path') ?? 'registry'
  section.accept(['filebeat.registry.file_permissions', 'filebeat.registry.migrate_file'])
  const settings: ShipperSettings = {
    name: section.text('name') ?? sources.hostname,
    dataDirectory,
    registryDirectory: registryPath.startsWith('/')
      ? registryPath
      : `${dataDirectory}/${registryPath}`,
    registryFlushMs: section.duration('filebeat.registry.flush', 0),
    queue: readQueue(section),
    inputs: readInputs(section, sources),
    output: readOutput(section),
    http: {
      enabled: section.boolean('http.enabled', false),
      host: section.text('http.host') ?? 'localhost',
      port: section.integer('http.port', 5066, { min: 0, max: 65_535 }),
    },
    shutdownTimeoutMs: section.duration('filebeat.shutdown_timeout', DEFAULT_SHUTDOWN_TIMEOUT_MS),
    logLevel: readLogLevel(section, sources.arguments),
  }
  return { settings, warnings: [...context.warnings, ...unknownKeys(context)] }
}

function mergedConfig({ files, arguments: { overrides } }: ConfigSources): MapNode {
  let root: MapNode | undefined
  for (const { name, text } of files) {
    const next = parseConfig(text, name)
    root = root === undefined ? next : merge(root, next)
  }
  root ??= { kind: 'map', entries: new Map(), at: { file: '-c', line: 0 } }
  for (const { key, value } of overrides) {
    const scalar: ScalarNode = {
      kind: 'scalar',
      value,
      source: value,
      at: { file: `-E ${key}`, line: 0 },
    }
    root = merge(root, nest(key, scalar))
  }
  return root
}

/** path.* are settings with defaults, which other settings may refer to as `${path.data}`. */
function withPaths(root: MapNode, sources: ConfigSources): MapNode {
  const given = sources.arguments.paths
  const context: ConfigContext = {
    root,
    environment: sources.environment,
    warnings: [],
    used: new Set(),
  }
  const section = new Section(context, root)
  const absolute = (path: string): string =>
    path.startsWith('/') ? path : `${sources.workingDirectory}/${path}`
  const home = absolute(given['path.home'] ?? section.text('path.home') ?? '.')
  const paths: Readonly<Record<string, string>> = {
    'path.home': home.replace(/\/\.$/, ''),
    'path.config': absolute(given['path.config'] ?? section.text('path.config') ?? home),
    'path.data': absolute(given['path.data'] ?? section.text('path.data') ?? `${home}/data`),
    'path.logs': absolute(given['path.logs'] ?? section.text('path.logs') ?? `${home}/logs`),
  }
  let result = root
  for (const [key, value] of Object.entries(paths)) {
    const at = { file: key, line: 0 }
    result = merge(result, nest(key, { kind: 'scalar', value, source: value, at }))
  }
  return result
}

/** Settings of parts that do not exist here and whose neglect changes no event. */
function acceptForeign(section: Section): void {
  section.accept(['path', 'setup', 'monitoring', 'max_procs', 'instrumentation', 'seccomp'])
  section.accept(['timestamp', 'keystore', 'features', 'filebeat.overwrite_pipelines'])
  for (const key of ['setup.dashboards', 'setup.kibana']) {
    if (section.has(key)) section.warn(key, 'nothing is set up in Kibana from here; ignored')
  }
}

/** Inputs that other files bring would be lost without a word. */
function checkLoaders(section: Section, sources: ConfigSources): void {
  for (const name of ['modules', 'inputs']) {
    const loader = section.section(`filebeat.config.${name}`)
    if (loader.node === undefined) continue
    loader.accept(['reload'])
    if (!loader.boolean('enabled', true)) {
      loader.accept(['path'])
      continue
    }
    const pattern = loader.text('path')
    const found = pattern === undefined ? [] : sources.matchingFiles(pattern)
    if (found.length > 0) {
      throw loader.fail('path', `settings in further files (${found[0]}) are not built yet`)
    }
  }
  section.refuse(['filebeat.modules', 'filebeat.autodiscover'], 'is not built yet')
}

const enriching = /^add_.*_metadata$|^add_locale$|^add_id$|^add_network_direction$/

function checkProcessors(section: Section): void {
  for (const processor of section.sections('processors')) {
    for (const name of processor.keys()) {
      processor.accept([name])
      if (enriching.test(name)) processor.warn(name, 'is not built; events go without it')
      else throw processor.fail(name, 'this processor is not built yet')
    }
  }
}

function readInputs(section: Section, sources: ConfigSources): InputSettings[] {
  const general = {
    tags: section.texts('tags'),
    fields: section.data('fields'),
    fieldsUnderRoot: section.boolean('fields_under_root', false),
  }
  const inputs: InputSettings[] = []
  const ids = new Set<string>()
  for (const one of section.sections('filebeat.inputs')) {
    const input = readInput(one, general, sources.workingDirectory)
    if (input === undefined) continue
    if (input.kind === 'filestream') {
      if (ids.has(input.id)) {
        throw one.fail('id', `filestream input with ID '${input.id}' already exists`)
      }
      ids.add(input.id)
    }
    inputs.push(input)
  }
  if (inputs.length === 0) {
    throw new UserError('no modules or inputs enabled: filebeat.inputs names no enabled input')
  }
  return inputs
}

function readQueue(section: Section): { events: number; bytes: number } {
  section.refuse(['queue.disk', 'queue.spool'], 'is not built yet')
  section.accept(['queue.mem.flush'])
  return { events: section.integer('queue.mem.events', 4096, { min: 32 }), bytes: QUEUE_BYTES }
}

function readLogLevel(section: Section, { debug }: ShipperArguments): ShipperSettings['logLevel'] {
  const level = section.oneOf(
    'logging.level',
    ['debug', 'info', 'warning', 'error', 'critical'],
    'info',
  )
  section.accept(['logging'])
  if (debug || level === 'debug') return 'DEBUG'
  if (level === 'info') return 'INFO'
  return level === 'warning' ? 'WARN' : 'ERROR'
}
