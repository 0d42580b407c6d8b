/** A logger that keeps its lines, for assertions. */
import type { Logger, LogLevel } from '../runtime/logger.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly name: string
  readonly message: string
  readonly error: unknown
}

export class MemoryLogger implements Logger {
  /** Shared by all loggers made from this one. */
  readonly lines: LogLine[]
  readonly #name: string
  readonly #prefix: string

  constructor(name = 'test', context?: string, lines: LogLine[] = []) {
    this.#name = name
    this.#prefix = context === undefined ? '' : `[${context}] `
    this.lines = lines
  }

  debug(message: string): void {
    this.#keep('DEBUG', message, undefined)
  }

  info(message: string): void {
    this.#keep('INFO', message, undefined)
  }

  warn(message: string, error?: unknown): void {
    this.#keep('WARN', message, error)
  }

  error(message: string, error?: unknown): void {
    this.#keep('ERROR', message, error)
  }

  fatal(message: string, error?: unknown): void {
    this.#keep('FATAL', message, error)
  }

  named(name: string, context?: string): Logger {
    return new MemoryLogger(name, context, this.lines)
  }

  /** `LEVEL message` of each line from `lowest` up. */
  texts(lowest: LogLevel = 'INFO'): string[] {
    const levels: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
    const wanted = new Set(levels.slice(levels.indexOf(lowest)))
    return this.lines
      .filter((line) => wanted.has(line.level))
      .map((line) => `${line.level} ${line.message}`)
  }

  #keep(level: LogLevel, message: string, error: unknown): void {
    this.lines.push({ level, name: this.#name, message: this.#prefix + message, error })
  }
}
