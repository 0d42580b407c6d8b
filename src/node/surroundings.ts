/** What a process finds around it and what no port stands for. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Writable } from 'node:stream'

export function currentDirectory(): string {
  return process.cwd()
}

export function isTerminal(stream: Writable): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}

/** The package's own folder, whether the sources run or what was built from them. */
export function packageDirectory(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) break
    folder = parent
  }
  return folder
}

/** What package.json says. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(join(packageDirectory(), 'package.json'), 'utf8'),
  )
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return hasVersion ? String(manifest.version) : 'unknown'
}
