export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'

/**
 * Log lines in Kafka's layout: `[2026-11-23 10:00:00,123] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)`.
 * Secrets never reach a logger: settings print themselves masked.
 */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  /** `error` adds its stack on the lines that follow. */
  warn(message: string, error?: unknown): void
  error(message: string, error?: unknown): void
  fatal(message: string, error?: unknown): void
  /** A logger of another name (in the original: the Java class) and, in front of each message, a context. */
  named(name: string, context?: string): Logger
}

/** Writes nothing: for tests. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  named: () => silentLogger,
}
