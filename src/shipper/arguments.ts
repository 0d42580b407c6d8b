// Pure. Filebeat's command line.

import { UserError } from '../runtime/service.ts'

export interface ShipperArguments {
  readonly command: 'run' | 'test config' | 'version' | 'help'
  readonly configFiles: readonly string[]
  /** `-E key=value`, in order. */
  readonly overrides: readonly { readonly key: string; readonly value: string }[]
  /** path.home, path.config, path.data, path.logs, where given. */
  readonly paths: Readonly<Record<string, string>>
  /** Ends when every file is read to its end and acknowledged. */
  readonly once: boolean
  readonly debug: boolean
}

export const helpText = `Usage: millrace shipper [run | test config | version] [FLAGS]
  -c FILE                 the configuration (default filebeat.yml, in path.config)
  -E KEY=VALUE            overrides a setting
  -e                      log to standard error (it always does)
  -d SELECTORS            log more
  --once                  end when all files are read to their end
  --path.home DIR --path.config DIR --path.data DIR --path.logs DIR
  --strict.perms=false    accepted; the file's owner is not looked at
`

const pathFlags: ReadonlySet<string> = new Set([
  'path.home',
  'path.config',
  'path.data',
  'path.logs',
])
const shortFlags: ReadonlySet<string> = new Set(['c', 'E', 'd'])
const booleanFlags: ReadonlySet<string> = new Set(['e', 'v', 'once', 'strict.perms', 'h', 'help'])
/** They take a value, and nothing is done with it. */
const ignoredFlags: ReadonlySet<string> = new Set([
  'environment',
  'modules',
  'M',
  'N',
  'plugin',
  'cpuprofile',
  'memprofile',
  'httpprof',
])

/** @throws UserError */
export function parseArguments(argv: readonly string[]): ShipperArguments {
  const words: string[] = []
  const configFiles: string[] = []
  const overrides: { key: string; value: string }[] = []
  const paths: Record<string, string> = {}
  const flags = new Set<string>()
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? ''
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(word)
    if (match === null) {
      words.push(word)
      continue
    }
    const [, name = '', given] = match
    if (booleanFlags.has(name)) {
      if (given === undefined || given === 'true') flags.add(name)
      continue
    }
    if (!isValueFlag(name)) throw new UserError(`unknown flag: ${word}`)
    at += given === undefined ? 1 : 0
    const value = given ?? argv[at]
    if (value === undefined) throw new UserError(`flag needs an argument: ${word}`)
    if (name === 'c') configFiles.push(value)
    else if (name === 'E') overrides.push(parseOverride(value))
    else if (name === 'd') flags.add('debug')
    else if (pathFlags.has(name)) paths[name] = value
  }
  return {
    command: commandOf(words, flags),
    configFiles: configFiles.length === 0 ? ['filebeat.yml'] : configFiles,
    overrides,
    paths,
    once: flags.has('once'),
    debug: flags.has('debug'),
  }
}

function isValueFlag(name: string): boolean {
  return shortFlags.has(name) || pathFlags.has(name) || ignoredFlags.has(name)
}

function parseOverride(text: string): { key: string; value: string } {
  const at = text.indexOf('=')
  if (at <= 0) throw new UserError(`-E ${text}: KEY=VALUE is expected`)
  return { key: text.slice(0, at), value: text.slice(at + 1) }
}

function commandOf(
  words: readonly string[],
  flags: ReadonlySet<string>,
): ShipperArguments['command'] {
  if (flags.has('h') || flags.has('help')) return 'help'
  const text = words.join(' ')
  switch (text) {
    case '':
    case 'run':
      return 'run'
    case 'test config':
    case 'version':
    case 'help':
      return text
    default:
      throw new UserError(`unknown command "${text}" for "filebeat"`)
  }
}
