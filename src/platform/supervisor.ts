import type { Clock } from '../runtime/clock.ts'
import { delay } from '../runtime/clock.ts'
import type { Network } from '../runtime/network.ts'
import { UserError } from '../runtime/service.ts'
import type { Child, ChildExit, ChildOptions } from '../node/child.ts'
import type { StageName } from './arguments.ts'
import type { Stage } from './stages.ts'

export type StageState = 'starting' | 'running' | 'waiting to restart' | 'stopping' | 'stopped'

export interface SupervisorParts {
  readonly clock: Clock
  readonly network: Network
  readonly startChild: (options: ChildOptions) => Child
  /** The arguments before a stage's own: the script. */
  readonly script: string
  readonly onLine: (stage: StageName, line: string) => void
  readonly onChange: () => void
}

const firstDelayMs = 500
const delayMaxMs = 30000
/** A stage that ran this long gets the short delay again. */
const steadyMs = 60000
const readyTimeoutMs = 60000
const probeIntervalMs = 40
const probeTimeoutMs = 2000
const stopLimitMs = 20000

/** Why a process ended, in its own words: a UserError may be followed by lines that show the place. */
export function complaintIn(lines: readonly string[]): string | undefined {
  const told = lines.filter((line) => line.trim() !== '')
  return told.findLast((line) => line.startsWith('millrace: ')) ?? told.at(-1)
}

/** One stage's process: started, watched, started again with growing delays, stopped within a limit. */
export class Supervised {
  readonly stage: Stage
  readonly #parts: SupervisorParts
  #child: Child | undefined
  #isStopping = false
  #hasBeenReady = false
  #delayMs = firstDelayMs
  #lastLines: string[] = []
  state: StageState = 'stopped'
  startedAtMs = 0
  restarts = 0

  constructor(stage: Stage, parts: SupervisorParts) {
    this.stage = stage
    this.#parts = parts
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves when its port answers. @throws UserError with the child's own last line. */
  async start(): Promise<void> {
    const exited = this.#spawn()
    const limitMs = this.#parts.clock.monotonicMs() + readyTimeoutMs
    let exit: ChildExit | undefined
    void exited.then((result) => {
      exit = result
    })
    while (!(await this.#answers())) {
      if (exit !== undefined)
        throw new UserError(complaintIn(this.#lastLines) ?? `${this.stage.name} ended at once`)
      if (this.#parts.clock.monotonicMs() > limitMs)
        throw new UserError(`${this.stage.name} does not answer on port ${this.stage.port}`)
      await delay(this.#parts.clock, probeIntervalMs)
    }
    this.#hasBeenReady = true
    this.#become('running')
  }

  #spawn(): Promise<ChildExit> {
    const { startChild, script, onLine, clock } = this.#parts
    this.startedAtMs = clock.now()
    const child = startChild({
      arguments: [script, ...this.stage.arguments],
      onLine: (line) => {
        // A stack trace says less of why it ended than the line above it.
        if (!/^\s+at /.test(line)) this.#lastLines = [...this.#lastLines.slice(-4), line]
        onLine(this.stage.name, line)
      },
    })
    this.#child = child
    this.#become('starting')
    void child.exited.then((exit) => this.#ended(exit))
    return child.exited
  }

  #ended({ code, signal }: ChildExit): void {
    this.#child = undefined
    if (this.#isStopping || !this.#hasBeenReady) {
      this.#become('stopped')
      return
    }
    const { clock, onLine } = this.#parts
    if (clock.now() - this.startedAtMs > steadyMs) this.#delayMs = firstDelayMs
    const why = signal === null ? `code ${code}` : signal
    onLine(this.stage.name, `ended with ${why}; starts again in ${this.#delayMs} ms`)
    this.#become('waiting to restart')
    clock.schedule(this.#delayMs, () => {
      if (this.#isStopping) return
      this.restarts += 1
      void this.#spawn()
      void this.#noticeReady()
    })
    this.#delayMs = Math.min(this.#delayMs * 2, delayMaxMs)
  }

  async #noticeReady(): Promise<void> {
    const child = this.#child
    while (this.#child === child && !this.#isStopping) {
      if (await this.#answers()) {
        if (this.#child === child) this.#become('running')
        return
      }
      await delay(this.#parts.clock, probeIntervalMs * 5)
    }
  }

  /** It is ready when it answers a question, not when its port is bound. */
  async #answers(): Promise<boolean> {
    const { network } = this.#parts
    const { host, port } = this.stage
    const address = { host, port, timeoutMs: 1000 }
    const connection = await network.connect(address).catch(() => undefined)
    if (connection === undefined) return false
    return new Promise((resolve) => {
      const timer = this.#parts.clock.schedule(probeTimeoutMs, () => connection.destroy())
      let hasAnswered = false
      connection.start({
        onData() {
          hasAnswered = true
          connection.destroy()
        },
        onClose: () => {
          timer.cancel()
          resolve(hasAnswered && this.#child !== undefined)
        },
      })
      connection.write(this.stage.question)
    })
  }

  /** Asks it to end; after the limit, ends it. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const child = this.#child
    if (child === undefined) {
      this.#become('stopped')
      return
    }
    this.#become('stopping')
    child.signal('SIGTERM')
    const timer = this.#parts.clock.schedule(stopLimitMs, () => child.signal('SIGKILL'))
    await child.exited
    timer.cancel()
  }

  #become(state: StageState): void {
    this.state = state
    this.#parts.onChange()
  }
}
