// Pure.
/** What `millrace up` was told. */
import { UserError } from '../runtime/service.ts'

export interface UpSettings {
  readonly dataDirectory: string
  /** Files to ship; globs are taken as they are. */
  readonly files: readonly string[]
  readonly topic: string
  /** Where the user's own configuration files lie, if anywhere. */
  readonly configDirectory: string | undefined
  readonly host: string
  /** Where stages of the user's own configuration are reached, where that is not `host`. */
  readonly hosts: Readonly<Partial<Record<StageName | 'coordination', string>>>
  readonly ports: Readonly<Record<StageName | 'coordination', number>>
  readonly printConfig: boolean
}

export const stageNames = ['broker', 'search', 'console', 'pipeline', 'shipper'] as const
export type StageName = (typeof stageNames)[number]

export const upUsage = `Usage: millrace up [FILE...] [OPTIONS]

Starts the whole chain on this machine: a broker with its coordination, a shipper for the FILEs, a
pipeline, a search server and the pages on http://127.0.0.1:5601. Ctrl-C stops it, in order.

  --data DIR             where everything is kept (default: ./data)
  --config DIR           take server.properties, zookeeper.properties, filebeat.yml, logstash.conf and
                         console.yml from here; what is missing there is made. Ports that they
                         name count, the options of the same ports do not
  --topic NAME           the topic that the FILEs go to (default: logs)
  --host ADDRESS         the address that every stage binds (default: 127.0.0.1)
  --broker-port N        default 9092        --coordination-port N  default 2181
  --search-port N        default 9200        --pipeline-port N      default 9600
  --console-port N       default 5601        --shipper-port N       default 5066
  --print-config         print the configuration of every stage and end
  --help                 print this
`

const defaults: UpSettings['ports'] = {
  broker: 9092,
  coordination: 2181,
  search: 9200,
  pipeline: 9600,
  console: 5601,
  shipper: 5066,
}

/** The `--help` of `up`; what follows `--` are files. */
export function asksForHelp(texts: readonly string[]): boolean {
  const end = texts.indexOf('--')
  return texts.slice(0, end < 0 ? undefined : end).some((text) => /^(--help|-h)$/.test(text))
}

/** @throws UserError that names the argument. */
export function parseUpArguments(texts: readonly string[], workingDirectory: string): UpSettings {
  const files: string[] = []
  const options = new Map<string, string>()
  let printConfig = false
  const known = [
    'data',
    'config',
    'topic',
    'host',
    ...Object.keys(defaults).map((name) => `${name}-port`),
  ]
  for (let at = 0; at < texts.length; at += 1) {
    const text = texts[at] ?? ''
    if (!text.startsWith('-')) {
      files.push(absolute(text, workingDirectory))
      continue
    }
    if (text === '--') {
      files.push(...texts.slice(at + 1).map((file) => absolute(file, workingDirectory)))
      break
    }
    if (text === '--print-config') {
      printConfig = true
      continue
    }
    const [name = '', inline] = text.slice(2).split(/=(.*)/s)
    if (!text.startsWith('--') || !known.includes(name))
      throw new UserError(`up: there is no option ${text.split('=')[0]}; --help lists them`)
    const value = inline ?? texts[(at += 1)]
    if (value === undefined) throw new UserError(`up: --${name} needs a value`)
    options.set(name, value)
  }
  const configDirectory = options.get('config')
  return {
    dataDirectory: absolute(options.get('data') ?? 'data', workingDirectory),
    files,
    topic: options.get('topic') ?? 'logs',
    configDirectory:
      configDirectory === undefined ? undefined : absolute(configDirectory, workingDirectory),
    host: options.get('host') ?? '127.0.0.1',
    hosts: {},
    ports: ports(options),
    printConfig,
  }
}

function ports(options: ReadonlyMap<string, string>): UpSettings['ports'] {
  const port = (name: keyof UpSettings['ports']): number => {
    const text = options.get(`${name}-port`)
    if (text === undefined) return defaults[name]
    if (!/^\d{1,5}$/.test(text) || Number(text) > 65535 || Number(text) === 0)
      throw new UserError(`up: --${name}-port ${text} is not a port`)
    return Number(text)
  }
  return {
    broker: port('broker'),
    coordination: port('coordination'),
    search: port('search'),
    pipeline: port('pipeline'),
    console: port('console'),
    shipper: port('shipper'),
  }
}

function absolute(path: string, workingDirectory: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path.replace(/^\.\//, '')}`
}
