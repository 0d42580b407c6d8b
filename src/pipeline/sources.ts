// Where the text of a configuration comes from: -e, or the files of -f.

import picomatch from 'picomatch'
import { type Disk, DiskError, readFile } from '../runtime/disk.ts'
import { UserError } from '../runtime/service.ts'

/** A configuration, and where each of its files begins in it. */
export interface ConfigText {
  readonly text: string
  readonly starts: readonly { readonly file: string; readonly line: number }[]
}

const DEFAULT_INPUT = 'input { stdin { type => stdin } }'
const DEFAULT_OUTPUT = 'output { stdout { codec => rubydebug } }'

/** Text given on the command line gets standard input and output where it names none. */
export function withDefaults(text: string): ConfigText {
  const bare = text.replaceAll(/#[^\n]*/g, '')
  const input = /(?:^|[\s}])input\s*\{/.test(bare) ? '' : `\n${DEFAULT_INPUT}`
  const output = /(?:^|[\s}])output\s*\{/.test(bare) ? '' : `\n${DEFAULT_OUTPUT}`
  return { text: text + input + output, starts: [] }
}

/**
 * Files in the order of their names, one after another. A directory stands for all its files but
 * backups (`name~`). @throws UserError
 */
export function readConfigFiles(disk: Disk, paths: readonly string[]): ConfigText {
  const files = told(() => paths.flatMap((path) => filesOf(disk, path)))
  if (files.length === 0) {
    throw new UserError(
      `No config files found: ${paths.join(', ')}. Can you make sure this path is a logstash config file?`,
    )
  }
  const texts = told(() => files.map((file) => readFile(disk, file).toString('utf8')))
  let line = 1
  const starts = texts.map((text, at) => {
    const start = { file: files[at] ?? '', line }
    line += text.split('\n').length
    return start
  })
  return { text: texts.join('\n'), starts }
}

/** A message about the whole text, with the file that it means and the line there; in one line. */
export function placedMessage(message: string, { starts }: ConfigText): string {
  const flat = message.replaceAll(/\s*\n\s*/g, ' ').trim()
  const [first] = starts
  if (first === undefined) return flat
  const line = Number(/ at line (\d+), column/.exec(flat)?.[1] ?? 0)
  if (line === 0) return `${starts.map(({ file }) => file).join(', ')}: ${flat}`
  const start = starts.findLast((one) => one.line <= line) ?? first
  return `${start.file}:${line - start.line + 1}: ${flat}`
}

/** Fails where plugins could not keep data there. @throws UserError */
export function checkDataDirectory(disk: Disk, path: string): void {
  try {
    disk.makeDirectory(path)
    const probe = `${path}/.writable`
    disk.open(probe, 'replace').close()
    disk.remove(probe)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(
      `path.data: Path "${path}" must be a writable directory. It is not writable: ${error.code}`,
      { cause: error },
    )
  }
}

/** @throws UserError for what the disk refuses */
function told<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof DiskError)
      throw new UserError(`cannot read the configuration: ${error.message}`)
    throw error
  }
}

function filesOf(disk: Disk, path: string): string[] {
  const status = disk.stat(path)
  if (status?.kind === 'directory') return filesMatching(disk, path, (name) => !name.endsWith('~'))
  if (status !== undefined) return [path]
  const slash = path.lastIndexOf('/')
  const directory = slash < 0 ? '.' : path.slice(0, slash) || '/'
  const pattern = path.slice(slash + 1)
  if (!/[*?[{]/.test(pattern) || disk.stat(directory)?.kind !== 'directory') return []
  return filesMatching(disk, directory, picomatch(pattern))
}

function filesMatching(
  disk: Disk,
  directory: string,
  matches: (name: string) => boolean,
): string[] {
  return disk
    .list(directory)
    .filter(({ kind, name }) => kind !== 'directory' && matches(name))
    .map(({ name }) => `${directory}/${name}`)
    .sort()
}
