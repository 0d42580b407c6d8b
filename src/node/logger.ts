/** Log lines in Kafka's layout, to a stream. */
import type { Writable } from 'node:stream'
import type { Logger, LogLevel } from '../runtime/logger.ts'

const ranks: Readonly<Record<LogLevel, number>> = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3, FATAL: 4 }

export interface LoggerOptions {
  /** Kafka's scripts print to standard output; tools and pipelines log to standard error. */
  readonly stream: Writable
  /** Default INFO. */
  readonly level?: LogLevel
  /** Written after each message, in parentheses: in the original, the Java class. */
  readonly name?: string
}

/** A logger with the system's time, in the local time zone as log4j prints it. */
export function createLogger(options: LoggerOptions): Logger {
  const lowest = ranks[options.level ?? 'INFO']
  const { stream } = options
  const print = (level: LogLevel, name: string, message: string, error: unknown): void => {
    if (ranks[level] < lowest) return
    const line = `[${timeText(Date.now())}] ${level} ${message} (${name})\n`
    stream.write(error === undefined ? line : `${line}${errorText(error)}\n`)
  }
  const make = (name: string, prefix: string): Logger => ({
    debug: (message) => print('DEBUG', name, prefix + message, undefined),
    info: (message) => print('INFO', name, prefix + message, undefined),
    warn: (message, error) => print('WARN', name, prefix + message, error),
    error: (message, error) => print('ERROR', name, prefix + message, error),
    fatal: (message, error) => print('FATAL', name, prefix + message, error),
    named: (nextName, context) => make(nextName, context === undefined ? '' : `[${context}] `),
  })
  return make(options.name ?? 'millrace', '')
}

let cachedSecond = Number.NaN
let cachedText = ''

function timeText(now: number): string {
  const second = Math.floor(now / 1000)
  if (second !== cachedSecond) {
    const time = new Date(second * 1000)
    const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
    cachedText = `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
    cachedSecond = second
  }
  return `${cachedText},${String(now - second * 1000).padStart(3, '0')}`
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

/** The stack with those of its causes, as a Java log shows them. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? `${error.name}: ${error.message}`
  return error.cause === undefined ? own : `${own}\nCaused by: ${errorText(error.cause)}`
}
