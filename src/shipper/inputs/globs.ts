// Finds the files that path patterns name, as Go's filepath.Glob reads them: `*`, `?`, `[a-z]`
// within a name, and `**` for up to eight directories deep.

import picomatch from 'picomatch'
import { type DirectoryEntry, type Disk, DiskError, type FileStatus } from '../../runtime/disk.ts'

type Segment =
  | { readonly kind: 'literal'; readonly name: string }
  | { readonly kind: 'pattern'; readonly matches: (name: string) => boolean }
  | { readonly kind: 'deep' }

export interface PathPattern {
  readonly text: string
  readonly segments: readonly Segment[]
}

const deepLevelsMax = 8
const wild = /[*?[\\]/

/** An absolute path with wildcards. */
export function parsePathPattern(text: string, recursive: boolean): PathPattern {
  const names = text.split('/').filter((name) => name !== '' && name !== '.')
  const segments = names.map((name): Segment => {
    if (name === '**' && recursive) return { kind: 'deep' }
    if (!wild.test(name)) return { kind: 'literal', name }
    const matches = picomatch(name, {
      dot: true,
      nobrace: true,
      noextglob: true,
      nonegate: true,
      noglobstar: true,
      nocase: false,
    })
    return { kind: 'pattern', matches }
  })
  return { text, segments }
}

/** Whether a path is one the pattern names, without looking at the disk. */
export function matchesPath(pattern: PathPattern, path: string): boolean {
  const names = path.split('/').filter((name) => name !== '')
  const { segments } = pattern
  const match = (segmentAt: number, nameAt: number): boolean => {
    const segment = segments[segmentAt]
    const name = names[nameAt]
    if (segment === undefined) return name === undefined
    if (segment.kind === 'deep') {
      for (let skip = 0; skip <= deepLevelsMax && nameAt + skip <= names.length; skip += 1) {
        if (match(segmentAt + 1, nameAt + skip)) return true
      }
      return false
    }
    if (name === undefined) return false
    const fits = segment.kind === 'literal' ? segment.name === name : segment.matches(name)
    return fits && match(segmentAt + 1, nameAt + 1)
  }
  return match(0, 0)
}

export interface FoundFile {
  readonly path: string
  readonly status: FileStatus
}

export interface Search {
  /** A directory or file that could not be looked at. What is merely missing is no error. */
  readonly onError: (error: DiskError) => void
  /** Each directory that is about to be listed; it may be missing. */
  readonly onDirectory: (path: string) => void
}

/** The regular files a pattern names, each once. */
export function* findFiles(disk: Disk, pattern: PathPattern, search: Search): Generator<FoundFile> {
  const seen = new Set<string>()
  for (const path of walk(disk, pattern.segments, 0, '', search)) {
    if (seen.has(path)) continue
    seen.add(path)
    const status = attempt(() => disk.stat(path), search)
    if (status?.kind === 'file') yield { path, status }
  }
}

function* walk(
  disk: Disk,
  segments: readonly Segment[],
  at: number,
  directory: string,
  search: Search,
): Generator<string> {
  const segment = segments[at]
  if (segment === undefined) return
  const isLast = at === segments.length - 1
  if (segment.kind === 'literal') {
    const path = `${directory}/${segment.name}`
    if (!isLast) yield* walk(disk, segments, at + 1, path, search)
    else {
      // Somebody has to notice when the file comes into being.
      search.onDirectory(directory === '' ? '/' : directory)
      yield path
    }
    return
  }
  if (segment.kind === 'deep') {
    // A `**` at the end names the files, not the directories.
    const rest = isLast
      ? [...segments, { kind: 'pattern', matches: () => true } as const]
      : segments
    for (const below of directoriesBelow(disk, directory, 0, search)) {
      yield* walk(disk, rest, at + 1, below, search)
    }
    return
  }
  for (const entry of list(disk, directory, search)) {
    if (!segment.matches(entry.name)) continue
    const path = `${directory}/${entry.name}`
    if (isLast) yield path
    else if (entry.kind === 'directory') yield* walk(disk, segments, at + 1, path, search)
  }
}

function* directoriesBelow(
  disk: Disk,
  directory: string,
  level: number,
  search: Search,
): Generator<string> {
  yield directory
  if (level === deepLevelsMax) return
  for (const entry of list(disk, directory, search)) {
    if (entry.kind === 'directory') {
      yield* directoriesBelow(disk, `${directory}/${entry.name}`, level + 1, search)
    }
  }
}

function list(disk: Disk, directory: string, search: Search): DirectoryEntry[] {
  const path = directory === '' ? '/' : directory
  // Before it is listed, so that a change in between is noticed.
  search.onDirectory(path)
  return attempt(() => disk.list(path), search) ?? []
}

function attempt<T>(call: () => T, search: Search): T | undefined {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') search.onError(error)
    return undefined
  }
}
