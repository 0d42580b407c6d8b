/** A logger that hands each line to a function: for `startCluster({ log: console.error })`. */
import type { Logger, LogLevel } from '../runtime/logger.ts'

export function lineLogger(
  print: (line: string) => void,
  name = 'millrace',
  context?: string,
): Logger {
  const prefix = context === undefined ? '' : `[${context}] `
  const line = (level: LogLevel, message: string, error?: unknown): void => {
    const cause = error instanceof Error ? `\n${error.stack ?? error.message}` : ''
    print(`${level} ${prefix}${message} (${name})${cause}`)
  }
  return {
    debug() {},
    info: (message) => line('INFO', message),
    warn: (message, error) => line('WARN', message, error),
    error: (message, error) => line('ERROR', message, error),
    fatal: (message, error) => line('FATAL', message, error),
    named: (other, otherContext) => lineLogger(print, other, otherContext),
  }
}
