// The command line of the pipeline: Logstash's flags.

import { UserError } from '../runtime/service.ts'
import type { LogLevel } from '../runtime/logger.ts'

export interface PipelineSettings {
  readonly pipelineId: string
  readonly nodeName: string | undefined
  /** Text given with -e. */
  readonly configString: string | undefined
  /** Files, directories and patterns given with -f. */
  readonly configPaths: readonly string[]
  readonly dataDirectory: string | undefined
  readonly supportEscapes: boolean
  /** Check the configuration and end. */
  readonly testOnly: boolean
  /** Undefined: one for each processor. */
  readonly workers: number | undefined
  readonly batchSize: number
  readonly batchDelayMs: number
  readonly logLevel: LogLevel
  readonly apiEnabled: boolean
  readonly apiHost: string
  /** The first free port of the range is taken. */
  readonly apiPorts: { readonly first: number; readonly last: number }
  readonly action: 'run' | 'help' | 'version'
  readonly warnings: readonly string[]
}

type Draft = { -readonly [K in keyof PipelineSettings]: PipelineSettings[K] } & {
  configPaths: string[]
  warnings: string[]
}

interface Flag {
  readonly names: readonly string[]
  readonly about: string
  /** With a value to follow; without, a switch that also takes =false. */
  readonly value?: string
  set(draft: Draft, value: string): void
}

const number = (flag: string, text: string): number => {
  if (/^\d+$/.test(text)) return Number(text)
  throw new UserError(`ERROR: option '${flag}': "${text}" is not a whole number`)
}

const positive = (flag: string, text: string): number => {
  const value = number(flag, text)
  if (value > 0) return value
  throw new UserError(`ERROR: option '${flag}': "${text}" must be at least 1`)
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'FATAL',
}

const flags: readonly Flag[] = [
  {
    names: ['-e', '--config.string'],
    value: 'CONFIG_STRING',
    about: 'Use this text as the configuration.',
    set: (draft, value) => (draft.configString = value),
  },
  {
    names: ['-f', '--path.config'],
    value: 'CONFIG_PATH',
    about: 'Load the configuration from a file, a directory or a pattern.',
    set: (draft, value) => draft.configPaths.push(value),
  },
  {
    names: ['-w', '--pipeline.workers'],
    value: 'COUNT',
    about: 'Batches that may be under way to outputs at a time (default: one for each processor).',
    set: (draft, value) => (draft.workers = positive('-w', value)),
  },
  {
    names: ['-b', '--pipeline.batch.size'],
    value: 'SIZE',
    about: 'Events in a batch (default 125).',
    set: (draft, value) => (draft.batchSize = positive('-b', value)),
  },
  {
    names: ['-u', '--pipeline.batch.delay'],
    value: 'DELAY_IN_MS',
    about: 'How long a smaller batch waits for more events (default 50).',
    set: (draft, value) => (draft.batchDelayMs = number('-u', value)),
  },
  {
    names: ['-t', '--config.test_and_exit'],
    about: 'Check the configuration and exit.',
    set: (draft, value) => (draft.testOnly = value !== 'false'),
  },
  {
    names: ['--config.support_escapes'],
    about: 'Read escapes such as \\n in quoted strings.',
    set: (draft, value) => (draft.supportEscapes = value !== 'false'),
  },
  {
    names: ['--log.level'],
    value: 'LEVEL',
    about: 'fatal, error, warn, info, debug or trace (default info).',
    set(draft, value) {
      const level = LEVELS[value]
      if (level === undefined)
        throw new UserError(`ERROR: option '--log.level': "${value}" is no level`)
      draft.logLevel = level
    },
  },
  {
    names: ['-n', '--node.name'],
    value: 'NAME',
    about: "This instance's name (default: the host's).",
    set: (draft, value) => (draft.nodeName = value),
  },
  {
    names: ['--pipeline.id'],
    value: 'ID',
    about: 'The id of the pipeline (default main).',
    set: (draft, value) => (draft.pipelineId = value),
  },
  {
    names: ['--api.enabled', '--http.enabled'],
    value: 'ENABLED',
    about: 'Whether to serve the HTTP API (default true).',
    set: (draft, value) => (draft.apiEnabled = value !== 'false'),
  },
  {
    names: ['--api.http.host', '--http.host'],
    value: 'HOST',
    about: 'Where the HTTP API listens (default 127.0.0.1).',
    set: (draft, value) => (draft.apiHost = value),
  },
  {
    names: ['--api.http.port', '--http.port'],
    value: 'PORT',
    about: 'Its port, or a range of which the first free one is taken (default 9600-9700).',
    set: (draft, value) => (draft.apiPorts = portRange(value)),
  },
  { names: ['-h', '--help'], about: 'Print this.', set: (draft) => (draft.action = 'help') },
  {
    names: ['-V', '--version'],
    about: 'Print the version.',
    set: (draft) => (draft.action = 'version'),
  },
  {
    names: ['--path.data'],
    value: 'PATH',
    about: 'Where plugins may keep data: made where missing, and must be writable.',
    set: (draft, value) => (draft.dataDirectory = value),
  },
  ...(['--path.settings', '--path.logs', '-l', '--pipeline.ordered'] as const).map(
    (name): Flag => ({
      names: [name],
      value: 'VALUE',
      about: 'Accepted, not acted on.',
      set: (draft) => draft.warnings.push(`the flag ${name} is not acted on yet`),
    }),
  ),
  ...(
    ['-r', '--config.reload.automatic', '--pipeline.unsafe_shutdown', '--config.debug'] as const
  ).map(
    (name): Flag => ({
      names: [name],
      about: 'Accepted, not acted on.',
      set: (draft) => draft.warnings.push(`the flag ${name} is not acted on yet`),
    }),
  ),
  {
    names: ['--pipeline.ecs_compatibility'],
    value: 'MODE',
    about: 'disabled is the only mode that is built.',
    set(_draft, value) {
      if (value !== 'disabled') {
        throw new UserError(
          `ERROR: option '--pipeline.ecs_compatibility': "${value}" is not built yet`,
        )
      }
    },
  },
]

/** @throws UserError */
export function parseArguments(given: readonly string[]): PipelineSettings {
  const draft: Draft = {
    pipelineId: 'main',
    nodeName: undefined,
    configString: undefined,
    configPaths: [],
    dataDirectory: undefined,
    supportEscapes: false,
    testOnly: false,
    workers: undefined,
    batchSize: 125,
    batchDelayMs: 50,
    logLevel: 'INFO',
    apiEnabled: true,
    apiHost: '127.0.0.1',
    apiPorts: { first: 9600, last: 9700 },
    action: 'run',
    warnings: [],
  }
  for (let at = 0; at < given.length; at += 1) {
    const argument = given[at] ?? ''
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1
    const name = equals < 0 ? argument : argument.slice(0, equals)
    const flag = flags.find(({ names }) => names.includes(name))
    if (flag === undefined) throw new UserError(`ERROR: Unrecognised option '${name}'`)
    if (equals >= 0) flag.set(draft, argument.slice(equals + 1))
    else if (flag.value === undefined) flag.set(draft, 'true')
    else {
      at += 1
      const value = given[at]
      if (value === undefined) throw new UserError(`ERROR: option '${name}': no value provided`)
      flag.set(draft, value)
    }
  }
  checkSources(draft)
  return draft
}

function checkSources(draft: Draft): void {
  if (draft.action !== 'run') return
  if (draft.configString !== undefined && draft.configPaths.length > 0) {
    throw new UserError(
      "Settings 'path.config' (-f) and 'config.string' (-e) can't be used simultaneously.",
    )
  }
  if (draft.configString === undefined && draft.configPaths.length === 0) {
    throw new UserError(
      "No configuration file was specified. Perhaps you forgot to provide the '-f yourlogstash.conf' flag?",
    )
  }
}

function portRange(text: string): { first: number; last: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match !== null && last <= 65_535 && first <= last) return { first, last }
  throw new UserError(`ERROR: option '--api.http.port': "${text}" is no port or range of ports`)
}

export function helpText(): string {
  const rows = flags.map(({ names, value, about }) => [
    names.join(', ') + (value === undefined ? '' : ` ${value}`),
    about,
  ])
  const lines = rows.map(([left = '', about]) => `  ${left}\n      ${about}`)
  return `Usage: millrace pipeline [OPTIONS]\n\n${lines.join('\n')}\n`
}
