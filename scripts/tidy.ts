/**
 * Holds the rules of the house that a compiler does not: who may import whom, what only one room may
 * touch, how large files and functions may grow. Prints one line per breach; exit 1 if there is any.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Design: a room imports itself, and what stands here. `main` files may import node as well. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  wire: [],
  text: [],
  'query-language': [],
  kafka: ['wire'],
  zookeeper: ['runtime', 'wire'],
  storage: ['runtime', 'wire', 'kafka'],
  client: ['runtime', 'wire', 'kafka'],
  broker: ['runtime', 'wire', 'kafka', 'storage', 'client', 'zookeeper'],
  tools: ['runtime', 'kafka', 'storage', 'client', 'zookeeper'],
  events: ['runtime', 'text'],
  shipper: ['runtime', 'events', 'text', 'client'],
  pipeline: ['runtime', 'events', 'text', 'client'],
  search: ['runtime', 'text', 'query-language'],
  archive: ['runtime', 'client'],
  console: ['runtime', 'text', 'client'],
  node: ['runtime'],
  memory: ['runtime'],
  testing: ['runtime', 'kafka', 'client', 'memory', 'node', 'broker', 'zookeeper'],
  platform: ['runtime', 'node', 'broker', 'zookeeper', 'shipper', 'pipeline', 'search', 'console'],
  cli: [
    'runtime',
    'node',
    'broker',
    'zookeeper',
    'tools',
    'shipper',
    'pipeline',
    'search',
    'console',
    'platform',
  ],
  simulation: [
    'runtime',
    'wire',
    'kafka',
    'zookeeper',
    'storage',
    'client',
    'broker',
    'memory',
    'testing',
  ],
}

/** Narrower than a whole room. */
const narrowed: Readonly<Record<string, readonly string[]>> = {
  'broker>client': ['client/backoff.ts', 'client/connection.ts', 'client/errors.ts'],
  'broker>zookeeper': ['zookeeper/client/'],
  'tools>zookeeper': ['zookeeper/client/'],
  'testing>zookeeper': ['zookeeper/server/', 'zookeeper/client/'],
}

const systemModules =
  /^node:(fs|fs\/promises|net|tls|dgram|http|https|child_process|worker_threads|dns|timers|timers\/promises)$/
const deterministicRooms = new Set([
  'runtime',
  'wire',
  'kafka',
  'zookeeper',
  'storage',
  'client',
  'broker',
])
const bannedGlobals =
  /(?<![\w.'"`])(?:Date\.now|new Date\(\)|performance\.|Math\.random|process\.hrtime|setTimeout|setInterval|setImmediate|queueMicrotask|AbortSignal\.timeout|crypto\.randomUUID|randomUUID\()/

const ports = /^src\/runtime\/(clock|random|network|logger|metrics|http|process)\.ts$/

const linesPerFileMax = 400
const linesPerFunctionMax = 70
/** Tables may be as long as what they list. */
const tables = [
  /^src\/kafka\/errors\.ts$/,
  /^src\/kafka\/messages\//,
  /^src\/kafka\/internal\//,
  /^src\/broker\/config\//,
  /^src\/text\/grok-patterns[\w-]*\.ts$/,
  /\/generated\//,
]
/** Ratchets: what was larger when the rule came. A number may only go down. */
const allowedLines: Readonly<Record<string, number>> = {}
const allowedFunctionLines: Readonly<Record<string, number>> = {}

interface Source {
  readonly path: string
  readonly room: string
  readonly text: string
  readonly lines: readonly string[]
  readonly imports: readonly string[]
}

function* filesUnder(folder: string): Generator<string> {
  for (const name of readdirSync(join(root, folder))) {
    const path = `${folder}/${name}`
    if (statSync(join(root, path)).isDirectory()) yield* filesUnder(path)
    else if (path.endsWith('.ts') && !path.endsWith('.d.ts')) yield path
  }
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const imports = [
    ...text.matchAll(/^(?:import|export)\s[^'"`;]*?from\s+'([^']+)'/gms),
    ...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g),
  ]
  return {
    path,
    room: path.split('/')[1] ?? '',
    text,
    lines: text.split('\n'),
    imports: imports.map((match) => match[1] ?? ''),
  }
}

function importBreaches(source: Source, packages: ReadonlySet<string>): string[] {
  const breaches: string[] = []
  const isMain = source.path.endsWith('/main.ts')
  for (const name of source.imports) {
    if (!name.startsWith('.')) {
      if (systemModules.test(name) && source.room !== 'node')
        breaches.push(`${source.path}: only src/node imports ${name}`)
      const packageName = name.startsWith('@')
        ? name.split('/').slice(0, 2).join('/')
        : name.split('/')[0]
      if (!name.startsWith('node:') && !packages.has(packageName ?? ''))
        breaches.push(`${source.path}: ${name} is not in package.json`)
      continue
    }
    const target = normalize(join(dirname(source.path), name))
    const room = target.split('/')[1] ?? ''
    if (/^\/\/ Pure\./.test(source.text) && ports.test(target))
      breaches.push(`${source.path}: a pure file imports a port (${name})`)
    if (room === source.room || (isMain && room === 'node')) continue
    if (!(layers[source.room] ?? []).includes(room))
      breaches.push(`${source.path}: ${source.room} may not import ${room} (${name})`)
    const only = narrowed[`${source.room}>${room}`]
    if (only !== undefined && !isMain && !only.some((prefix) => target.startsWith(`src/${prefix}`)))
      breaches.push(`${source.path}: ${source.room} may import only ${only.join(', ')} (${name})`)
  }
  return breaches
}

function bannedGlobalBreaches(source: Source): string[] {
  if (!deterministicRooms.has(source.room) || source.path.endsWith('/main.ts')) return []
  const breaches: string[] = []
  source.lines.forEach((line, index) => {
    const code = line.replace(/^\s*(\*|\/\/|\/\*).*$/, '').replace(/\/\/.*$/, '')
    const match = bannedGlobals.exec(code)
    if (match !== null)
      breaches.push(`${source.path}:${index + 1}: ${match[0]} is not replayable; use a port`)
  })
  return breaches
}

/** Functions are found by the formatter's layout: a header line, and the closing brace at its indent. */
function functionBreaches(source: Source): string[] {
  const breaches: string[] = []
  // What a tool wrote, and suites of tests, whose functions only group.
  if (/\/(generated|contract)\//.test(source.path)) return breaches
  const header =
    /^(\s*)(?:export\s+)?(?:async\s+)?(?:function\*?\s+(\w+)|(?:private\s+|protected\s+|override\s+|static\s+|async\s+|get\s+|set\s+|#)*(\w+)(?:<[^>]*>)?\(.*)/
  source.lines.forEach((line, index) => {
    const match = header.exec(line)
    if (
      match === null ||
      !line.trimEnd().endsWith('{') ||
      /^\s*(if|for|while|switch|return|catch|else|await|describe|test|it)\b/.test(line)
    )
      return
    const indent = match[1] ?? ''
    const end = source.lines.findIndex((other, at) => at > index && other.startsWith(`${indent}}`))
    const length = end - index + 1
    const name = match[2] ?? match[3] ?? ''
    const allowed = allowedFunctionLines[`${source.path}:${name}`] ?? linesPerFunctionMax
    if (end > index && length > allowed)
      breaches.push(
        `${source.path}:${index + 1}: ${name} has ${length} lines, ${allowed} are allowed`,
      )
  })
  return breaches
}

function sizeBreaches(source: Source): string[] {
  if (tables.some((table) => table.test(source.path))) return []
  const length = source.lines.length - 1
  const allowed = allowedLines[source.path] ?? linesPerFileMax
  return length > allowed ? [`${source.path}: ${length} lines, ${allowed} are allowed`] : []
}

function cycleBreaches(sources: readonly Source[]): string[] {
  const graph = new Map(
    sources.map((source) => [
      source.path,
      source.imports
        .filter((name) => name.startsWith('.'))
        .map((name) => normalize(join(dirname(source.path), name))),
    ]),
  )
  const breaches: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      breaches.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`)
      return
    }
    state.set(path, 'open')
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of graph.keys()) visit(path, [])
  return breaches
}

/** Every breach of the rules, one line each. */
export function tidy(): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string> | undefined
  >
  const packages = new Set([
    ...Object.keys(manifest['dependencies'] ?? {}),
    ...Object.keys(manifest['devDependencies'] ?? {}),
  ])
  const sources = [...filesUnder('src')].map(read)
  return [
    ...sources.flatMap((source) => [
      ...importBreaches(source, packages),
      ...bannedGlobalBreaches(source),
      ...functionBreaches(source),
      ...sizeBreaches(source),
    ]),
    ...cycleBreaches(sources),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const breaches = tidy()
  for (const breach of breaches) console.error(breach)
  console.log(breaches.length === 0 ? 'tidy: nothing to say' : `tidy: ${breaches.length} breaches`)
  process.exitCode = breaches.length === 0 ? 0 : 1
}
