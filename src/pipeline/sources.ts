// Where the text of a configuration comes from: -e, or the files of -f.

import picomatch from 'picomatch'
import { type Disk, DiskError, readFile } from '../runtime/disk.ts'
import { UserError } from '../runtime/service.ts'

const DEFAULT_INPUT = 'input { stdin { type => stdin } }'
const DEFAULT_OUTPUT = 'output { stdout { codec => rubydebug } }'

/** Text given on the command line gets standard input and output where it names none. */
export function withDefaults(text: string): string {
  const bare = text.replaceAll(/#[^\n]*/g, '')
  const input = /(?:^|[\s}])input\s*\{/.test(bare) ? '' : `\n${DEFAULT_INPUT}`
  const output = /(?:^|[\s}])output\s*\{/.test(bare) ? '' : `\n${DEFAULT_OUTPUT}`
  return text + input + output
}

/**
 * Files in the order of their names, one after another. A directory stands for all its files but
 * backups (`name~`). @throws UserError
 */
export function readConfigFiles(disk: Disk, paths: readonly string[]): string {
  const files = told(() => paths.flatMap((path) => filesOf(disk, path)))
  if (files.length === 0) {
    throw new UserError(
      `No config files found: ${paths.join(', ')}. Can you make sure this path is a logstash config file?`,
    )
  }
  return told(() => files.map((file) => readFile(disk, file).toString('utf8')).join('\n'))
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
