import type { Readable, Writable } from 'node:stream'

/** What a main gets of its process, so that tests and `millrace up` can run it with something else. */
export interface ProcessContext {
  /** What follows the command's name. */
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /** Resolves when somebody asks the process to end: SIGTERM, SIGINT, or a supervisor that is gone. */
  readonly stopRequested: Promise<string>
}

/**
 * The entry of a stage or tool: runs until its work is done or a stop is requested, and resolves to the
 * exit code. A UserError becomes one line on standard error and exit 1.
 */
export type Main = (context: ProcessContext) => Promise<number>
