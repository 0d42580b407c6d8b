/** The console's entry: real ports and the web server are made here and handed in. */
import { KafkaClient } from '../client/client.ts'
import { createHttpClient } from '../node/http.ts'
import { realPorts } from '../node/ports.ts'
import { packageDirectory } from '../node/surroundings.ts'
import { createWebServer } from '../node/web-server.ts'
import { delay } from '../runtime/clock.ts'
import { type Disk, DiskError, readFile } from '../runtime/disk.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Main } from '../runtime/process.ts'
import { inFile, type Ports, UserError } from '../runtime/service.ts'
import { ClientTopicReader } from './client-topic-reader.ts'
import { registerConsole } from './server.ts'
import { buildSettings, type ConsoleSettings, parseArguments } from './settings.ts'

const callTimeoutMs = 5_000
const reportEveryMs = 60_000
const stopLimitMs = 5_000

/** `millrace console [-c console.yml] [-p PORT] [-H HOST] [-e URLS] [--bootstrap-server LIST]` */
export const main: Main = async (context) => {
  const outcome = parseArguments(context.arguments)
  if (outcome.kind === 'print') {
    context.stdout.write(outcome.text)
    return 0
  }
  const ports = realPorts({ logStream: context.stdout, logName: 'millrace.console' })
  const { configPath, values } = outcome.parsed
  const fileText = configPath === undefined ? undefined : readConfig(ports.disk, configPath)
  const { settings, warnings } = settingsOf(values, { configPath, fileText })
  for (const warning of warnings) ports.logger.warn(warning)

  const http = createHttpClient({ connectTimeoutMs: 3_000 })
  const reader = topicReader(ports, settings)
  const app = createWebServer({ bodyLimitBytes: 256 * 1024 })
  const count = { requests: 0, failures: 0 }
  app.addHook('onResponse', async (_request, reply) => {
    count.requests++
    if (reply.statusCode >= 500) count.failures++
  })
  try {
    await registerConsole(
      app,
      { http, reader, clock: ports.clock, disk: ports.disk, logger: ports.logger },
      { ...settings, pagesDirectory: `${packageDirectory()}/dist/ui` },
    )
    const address = await listen(app, settings)
    const report = reportEveryMinute(ports, count)
    ports.logger.info(`console at ${address}`)
    const reason = await context.stopRequested
    ports.logger.info(`stopping: ${reason}`)
    report.stop()
  } finally {
    await within(ports, stopLimitMs, app.close())
    await within(ports, stopLimitMs, Promise.all([http.close(), reader?.close()]))
  }
  return 0
}

/** @throws UserError that begins with the file's name, where there is one. */
function settingsOf(
  values: ReadonlyMap<string, unknown>,
  file: { readonly configPath: string | undefined; readonly fileText: string | undefined },
): ReturnType<typeof buildSettings> {
  const read = () => buildSettings(values, file.fileText)
  return file.configPath === undefined ? read() : inFile(file.configPath, read)
}

function topicReader(ports: Ports, settings: ConsoleSettings): ClientTopicReader | undefined {
  if (settings.bootstrapServers.length === 0) return undefined
  // What the client would report line by line, the pages say in one sentence.
  const logger: Logger = { ...ports.logger, debug() {}, info() {} }
  const client = new KafkaClient(
    { clock: ports.clock, network: ports.network, random: ports.random, logger },
    {
      bootstrapServers: settings.bootstrapServers,
      clientId: 'millrace-console',
      connectTimeoutMs: 3_000,
      requestTimeoutMs: callTimeoutMs,
      callTimeoutMs,
    },
  )
  return new ClientTopicReader({ client }, settings.bootstrapServers)
}

/** @throws UserError */
function readConfig(disk: Disk, path: string): string {
  try {
    return readFile(disk, path).toString('utf8')
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(`cannot read ${path}: ${error.code}`, { cause: error })
  }
}

/** Resolves to the URL. @throws UserError where the address cannot be had. */
async function listen(
  app: ReturnType<typeof createWebServer>,
  settings: ConsoleSettings,
): Promise<string> {
  try {
    return await app.listen({ host: settings.host, port: settings.port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const address = addressText(settings)
    if (code === 'EADDRINUSE') {
      throw new UserError(`${address} is taken: choose another with --port`, { cause: error })
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new UserError(`cannot listen at ${address}: ${code}`, { cause: error })
    }
    throw error
  }
}

function addressText({ host, port }: ConsoleSettings): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function reportEveryMinute(
  ports: Ports,
  count: { requests: number; failures: number },
): { stop(): void } {
  let timer = ports.clock.schedule(reportEveryMs, tick)
  function tick(): void {
    ports.logger.info(`${count.requests} requests in the last minute, ${count.failures} failed`)
    count.requests = 0
    count.failures = 0
    timer = ports.clock.schedule(reportEveryMs, tick)
  }
  return { stop: () => timer.cancel() }
}

/** Waits for the work, but not for ever. */
async function within(ports: Ports, limitMs: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, delay(ports.clock, limitMs)])
}
