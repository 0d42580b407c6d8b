import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface ChildOptions {
  /** What follows the node executable. */
  readonly arguments: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Each line the child writes, on standard output and error alike. */
  readonly onLine: (line: string) => void
}

export interface ChildExit {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
}

/**
 * A process of ours: it runs in a group of its own, so that Ctrl-C in the terminal reaches only its
 * supervisor, which stops the others in order; and it has a channel to the supervisor, so that it
 * notices when that one is gone.
 */
export class Child {
  readonly #process: ChildProcess
  /** Resolves once, when the process is gone and all its output was handed out. */
  readonly exited: Promise<ChildExit>

  constructor(options: ChildOptions) {
    this.#process = spawn(process.execPath, [...process.execArgv, ...options.arguments], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...options.environment },
    })
    const ended = [this.#process.stdout, this.#process.stderr].map((stream) =>
      linesOf(stream, options.onLine),
    )
    this.exited = new Promise((resolve) => {
      this.#process.on('error', (error) => {
        options.onLine(error.message)
        resolve({ code: 1, signal: null })
      })
      this.#process.on('exit', (code, signal) => {
        void Promise.all(ended).then(() => resolve({ code, signal }))
      })
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#process.kill(name)
  }
}

function linesOf(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null) {
      resolve()
      return
    }
    const lines = createInterface({ input: stream })
    lines.on('line', onLine)
    lines.on('close', resolve)
  })
}

/** The script this process was started with: what children are started with as well. */
export function ownScript(): string {
  return process.argv[1] ?? ''
}
