/** A command beside a test: what it prints is kept, and every wait for it has a limit. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { until } from '../../test/platform/chain.ts'

export class Running {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: string[] = []
  #rest = ''
  /** Of standard error. */
  errors = ''

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args)
    this.#process.stdout.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString()).split('\n')
      this.#rest = lines.pop() ?? ''
      this.#lines.push(...lines)
    })
    this.#process.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
    this.#process.stdin.on('error', () => {})
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** What standard output has brought, line by line. */
  get lines(): readonly string[] {
    return this.#lines
  }

  get said(): string {
    return `${this.#lines.slice(-40).join('\n')}\n${this.errors.slice(-8192)}`
  }

  write(lines: readonly string[]): void {
    if (lines.length > 0) this.#process.stdin.write(`${lines.join('\n')}\n`)
  }

  /** Waits for a line of standard output. */
  async says(what: string | RegExp, limitMs = 30_000): Promise<void> {
    const has = (line: string) => (typeof what === 'string' ? line.includes(what) : what.test(line))
    await until(`"${String(what)}"`, limitMs, () => {
      if (this.#lines.some(has)) return true
      if (this.hasEnded) throw new Error(`it ended without saying "${String(what)}": ${this.said}`)
      return undefined
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${this.said}`)
    })
  }

  /** Waits until all of these are among its lines, however often. */
  async prints(wanted: readonly string[], limitMs = 60_000): Promise<void> {
    let missing: readonly string[] = []
    await until(`${wanted.length} lines`, limitMs, () => {
      const seen = new Set(this.#lines)
      missing = wanted.filter((line) => !seen.has(line))
      if (missing.length === 0) return true
      if (this.hasEnded) throw new Error(`it ended with ${missing.length} lines missing`)
      return undefined
    }).catch((error: unknown) => {
      throw new Error(
        `${String(error)}: ${missing.length} missing, as ${missing[0]}; ${this.#lines.length} read; ${this.said}`,
      )
    })
  }

  /** Ends its standard input and waits for its end; the exit code. */
  async finishes(limitMs = 60_000): Promise<number | null> {
    this.#process.stdin.end()
    return await until(`the end of ${this.#process.spawnfile}`, limitMs, () =>
      this.hasEnded ? (this.#process.exitCode ?? -1) : undefined,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${this.said}`)
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill(signal)
    await ended
  }
}
