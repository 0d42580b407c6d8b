/** Runs a main as this process: arguments, signals, errors as one line, exit code. */
import { flushCompileCache } from 'node:module'
import type { Main } from '../runtime/process.ts'
import { UserError } from '../runtime/service.ts'

/** Long enough for a start-up to have loaded its modules; a signal's end would not write the cache. */
const compileCacheDelayMs = 3000

/**
 * Runs `main` with the process's own surroundings and ends the process with the code it resolves to.
 * SIGTERM, SIGINT and a supervisor that is gone ask it to stop; a second signal ends it at once.
 */
export async function runMain(main: Main): Promise<void> {
  const stopRequested = new Promise<string>(listenForStop)
  endQuietlyWithReader()
  // The clock's timers do not keep a process alive: the main does, until it has resolved.
  const alive = setInterval(() => {}, 2 ** 30)
  const cacheTimer = setTimeout(flushCompileCache, compileCacheDelayMs)
  cacheTimer.unref()
  let exitCode: number
  try {
    exitCode = await main({
      arguments: process.argv.slice(2),
      environment: process.env,
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      stopRequested,
    })
  } catch (error) {
    process.stderr.write(`${failureText(error)}\n`)
    exitCode = 1
  }
  clearInterval(alive)
  process.exitCode = exitCode
  await Promise.all([drained(process.stdout), drained(process.stderr)])
  process.exit()
}

function listenForStop(stop: (reason: string) => void): void {
  let asked = false
  const onSignal = (signal: NodeJS.Signals): void => {
    // The usual code of a process that a signal ended.
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
    asked = true
    stop(signal)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  if (process.channel === undefined) return
  process.on('disconnect', () => stop('disconnect'))
  // The channel of a supervisor must not keep a finished main alive.
  process.channel?.unref()
}

/** `millrace … | head`: the reader has what it wanted. */
function endQuietlyWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
      throw error
    })
  }
}

function failureText(error: unknown): string {
  if (error instanceof UserError) return `millrace: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Resolves when all that was written before has left the process. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve()
    else stream.write('', () => resolve())
  })
}
