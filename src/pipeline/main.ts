// The entry of the pipeline: the only file here that makes real ports.

import { availableParallelism, hostname } from 'node:os'
import { createHttpClient } from '../node/http.ts'
import { realPorts } from '../node/ports.ts'
import { createWebServer } from '../node/web-server.ts'
import type { ProcessContext } from '../runtime/process.ts'
import { uuidText } from '../runtime/random.ts'
import { UserError } from '../runtime/service.ts'
import { LOGSTASH_VERSION, registerApi } from './api.ts'
import { type CompiledPipeline, compilePipeline } from './compile.ts'
import { readConfiguration } from './configuration.ts'
import { ConfigurationError } from './grammar/parse.ts'
import { PluginOptionsError } from './options.ts'
import type { PipelinePorts } from './plugin.ts'
import { progressPoint, progressText } from './progress.ts'
import { PipelineRunner, type RunnerSettings } from './runner.ts'
import { type PipelineSettings, helpText, parseArguments } from './settings.ts'
import { checkDataDirectory, placedMessage, readConfigFiles, withDefaults } from './sources.ts'
import { plugins } from './table.ts'

const DRAIN_LIMIT_MS = 30_000
const PROGRESS_MS = 60_000

export async function main(context: ProcessContext): Promise<number> {
  const settings = parseArguments(context.arguments)
  if (settings.action === 'help') {
    context.stdout.write(helpText())
    return 0
  }
  if (settings.action === 'version') {
    context.stdout.write(`logstash ${LOGSTASH_VERSION} (millrace)\n`)
    return 0
  }
  const real = realPorts({
    logStream: context.stderr,
    logLevel: settings.logLevel,
    logName: 'logstash.pipeline',
  })
  const http = createHttpClient()
  const ports = {
    ...real,
    http,
    stdin: context.stdin,
    stdout: context.stdout,
    hostname: hostname(),
  }
  for (const warning of settings.warnings) ports.logger.warn(warning)
  const compiled = compile(settings, ports, context.environment)
  if (settings.testOnly) {
    ports.logger.info('Configuration OK')
    return 0
  }
  if (settings.dataDirectory !== undefined) checkDataDirectory(real.disk, settings.dataDirectory)
  return runPipeline(context, settings, { ports, compiled })
}

/** A refused configuration ends the process before anything is read. @throws UserError */
function compile(
  settings: PipelineSettings,
  ports: PipelinePorts,
  environment: ProcessContext['environment'],
): CompiledPipeline {
  const { configString, configPaths, supportEscapes } = settings
  const given =
    configString === undefined
      ? readConfigFiles(ports.disk, configPaths)
      : withDefaults(configString)
  try {
    const configuration = readConfiguration(given.text, { environment, supportEscapes })
    if (configuration.input.length === 0) {
      throw new ConfigurationError('the configuration has no input')
    }
    return compilePipeline(configuration, plugins, ports)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    if (error instanceof PluginOptionsError) {
      for (const detail of error.details) ports.logger.error(detail)
    }
    const reason = `The given configuration is invalid. Reason: ${error.message}`
    throw new UserError(placedMessage(reason, given))
  }
}

interface Parts {
  readonly ports: PipelinePorts & { readonly http: { close(): Promise<void> } }
  readonly compiled: CompiledPipeline
}

async function runPipeline(
  context: ProcessContext,
  settings: PipelineSettings,
  { ports, compiled }: Parts,
): Promise<number> {
  const { clock, logger } = ports
  const running: RunnerSettings = {
    workers: settings.workers ?? availableParallelism(),
    batchSize: settings.batchSize,
    batchDelayMs: settings.batchDelayMs,
    drainLimitMs: DRAIN_LIMIT_MS,
  }
  const runner = new PipelineRunner(ports, compiled, running)
  const closeApi = await serveApi(settings, running, { ports, compiled, runner })
  logger.info(`Pipeline started {"pipeline.id"=>"${settings.pipelineId}"}`)
  let before = progressPoint(runner.counts, clock.monotonicMs())
  const report = (): void => {
    const after = progressPoint(runner.counts, clock.monotonicMs())
    logger.info(progressText(before, after, runner.unacknowledged))
    before = after
    timer = clock.schedule(PROGRESS_MS, report)
  }
  let timer = clock.schedule(PROGRESS_MS, report)
  void context.stopRequested.then((reason) => {
    logger.info(`${reason} received. Shutting down.`)
    runner.stop()
  })
  try {
    const givenUp = await runner.run()
    const { counts } = runner
    logger.info(`Pipeline terminated: ${counts.in} events in, ${counts.out} out`)
    if (givenUp === 0) return 0
    logger.error(
      `${givenUp} events were not acknowledged by the outputs within ${DRAIN_LIMIT_MS} ms and are ` +
        'given up; what came from Kafka will be read again',
    )
    return 1
  } finally {
    timer.cancel()
    await closeApi()
    // Outputs that still wait for an answer would hold up a graceful close.
    if (runner.unacknowledged === 0) await ports.http.close()
  }
}

/** Serves the API on the first free port of the range. @throws UserError */
async function serveApi(
  settings: PipelineSettings,
  running: RunnerSettings,
  { ports, compiled, runner }: Parts & { readonly runner: PipelineRunner },
): Promise<() => Promise<void>> {
  if (!settings.apiEnabled) return () => Promise.resolve()
  const { apiHost, apiPorts } = settings
  const server = createWebServer()
  const startMs = ports.clock.monotonicMs()
  let httpAddress = ''
  const fixed = {
    host: ports.hostname,
    id: uuidText(ports.random),
    name: settings.nodeName ?? ports.hostname,
    ephemeralId: uuidText(ports.random),
    pipelineId: settings.pipelineId,
    pipeline: running,
    uptimeMs: () => ports.clock.monotonicMs() - startMs,
    counts: runner.counts,
    queued: () => runner.unacknowledged,
    plugins: compiled.statistics,
  }
  registerApi(server, () => ({ ...fixed, httpAddress }))
  for (let port = apiPorts.first; port <= apiPorts.last; port += 1) {
    try {
      httpAddress = (await server.listen({ host: apiHost, port })).replace(/^http:\/\//, '')
      ports.logger.info(`Successfully started Logstash API endpoint {:address=>"${httpAddress}"}`)
      return () => server.close()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EADDRINUSE' && port < apiPorts.last) continue
      if (error instanceof Error)
        throw new UserError(`the HTTP API cannot listen: ${error.message}`)
      throw error
    }
  }
  throw new UserError(`no port of ${apiPorts.first}-${apiPorts.last} is free for the HTTP API`)
}
