/** A host's log lines: they go to the trace and to the invariants. */
import type { Logger, LogLevel } from '../../runtime/logger.ts'
import type { Life } from '../../memory/life.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly name: string
  readonly message: string
  readonly error: unknown
}

export class HostLogger implements Logger {
  readonly #life: Life
  readonly #onLine: (line: LogLine) => void
  readonly #name: string
  readonly #context: string

  constructor(life: Life, onLine: (line: LogLine) => void, name = '', context?: string) {
    this.#life = life
    this.#onLine = onLine
    this.#name = name
    this.#context = context === undefined ? '' : `[${context}] `
  }

  debug(message: string): void {
    this.#tell('DEBUG', message)
  }

  info(message: string): void {
    this.#tell('INFO', message)
  }

  warn(message: string, error?: unknown): void {
    this.#tell('WARN', message, error)
  }

  error(message: string, error?: unknown): void {
    this.#tell('ERROR', message, error)
  }

  fatal(message: string, error?: unknown): void {
    this.#tell('FATAL', message, error)
  }

  named(name: string, context?: string): Logger {
    return new HostLogger(this.#life, this.#onLine, name, context)
  }

  #tell(level: LogLevel, message: string, error?: unknown): void {
    if (!this.#life.alive) return
    this.#onLine({ level, name: this.#name, message: this.#context + message, error })
  }
}
