import { Child } from '../node/child.ts'
import { packageDirectory } from '../node/surroundings.ts'
import type { Ports } from '../runtime/service.ts'

export interface PagesBuild {
  stop(): void
}

/** Builds the pages where they are missing, beside all else: the console says so until they are there. */
export function buildPages({ disk }: Pick<Ports, 'disk'>, say: (line: string) => void): PagesBuild {
  const folder = packageDirectory()
  const nothing = { stop() {} }
  if (disk.stat(`${folder}/dist/ui/index.html`) !== undefined) return nothing
  if (disk.stat(`${folder}/scripts/build.ts`) === undefined) return nothing
  say('Building the pages: this start only, and it takes a few seconds')
  const lines: string[] = []
  const child = new Child({
    arguments: [`${folder}/scripts/build.ts`, '--pages'],
    onLine: (line) => lines.push(line),
  })
  void child.exited.then(({ code, signal }) => {
    if (code === 0) say('The pages are built')
    else if (signal === null) say(`The pages could not be built:\n${lines.slice(-10).join('\n')}`)
  })
  return { stop: () => child.signal('SIGTERM') }
}
