/** The search server as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ServerProcess {
  readonly url: string
  readonly child: ChildProcess
  /** Resolves when it has ended: the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  readonly errorText: () => string
}

const entry = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** Starts it on a free port; resolves when it answers. @throws Error where it ends first */
export async function spawnSearch(...given: string[]): Promise<ServerProcess> {
  const { child, ended, errorText } = spawnEntry('-E', 'http.port=0', ...given)
  let output = ''
  const address = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      const found = /started on (\S+),/.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  const first = await Promise.race([address, ended])
  if (typeof first !== 'string' || !first.includes(':')) {
    throw new Error(`ended with ${first}: ${output}${errorText()}`)
  }
  return { url: `http://${first}`, child, ended, errorText }
}

export function spawnEntry(...given: string[]): Omit<ServerProcess, 'url'> {
  const child = spawn(process.execPath, [entry, 'search', ...given], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    return typeof code === 'number' ? code : String(signal)
  })
  return { child, ended, errorText: () => errors }
}
