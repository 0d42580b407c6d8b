// The entry of the shipper: the only file here that makes real ports.

import { hostname } from 'node:os'
import { KafkaClient } from '../client/client.ts'
import type { Producer } from '../client/producer/types.ts'
import { realPorts } from '../node/ports.ts'
import { createWebServer } from '../node/web-server.ts'
import { type Disk, DiskError, readFile } from '../runtime/disk.ts'
import type { ProcessContext } from '../runtime/process.ts'
import { uuidText } from '../runtime/random.ts'
import type { Ports } from '../runtime/service.ts'
import { UserError } from '../runtime/service.ts'
import { registerApi } from './api.ts'
import { type ShipperArguments, helpText, parseArguments } from './arguments.ts'
import { type Agent, FILEBEAT_VERSION } from './event.ts'
import { persistentId } from './identity.ts'
import { findFiles, parsePathPattern } from './inputs/globs.ts'
import { ConsoleOutput } from './outputs/console.ts'
import { KafkaOutput, hashedOf } from './outputs/kafka.ts'
import type { Output } from './outputs/output.ts'
import { createPartitioner, quickDraw } from './outputs/partitioner.ts'
import type { KafkaOutputSettings, ShipperSettings } from './settings.ts'
import { type ReadSettings, readSettings } from './settings/read.ts'
import { Shipper } from './shipper.ts'

const PROGRESS_MS = 60_000
/** A broker that is back is noticed within this. */
const RETRY_MS_MAX = 2000
/** One batch of a partition, before compression. */
const BATCH_BYTES = 256 * 1024
const REQUEST_BYTES = 1024 * 1024
/** What a record may take beside its value. */
const RECORD_OVERHEAD_BYTES = 64 * 1024

export async function main(context: ProcessContext): Promise<number> {
  const parsed = parseArguments(context.arguments)
  if (parsed.command === 'help') {
    context.stdout.write(helpText)
    return 0
  }
  if (parsed.command === 'version') {
    context.stdout.write(`filebeat version ${FILEBEAT_VERSION} (millrace)\n`)
    return 0
  }
  const { disk } = realPorts({ logStream: context.stderr })
  const { settings, warnings } = readConfiguration(disk, parsed, context)
  const ports = realPorts({
    logStream: context.stderr,
    logLevel: settings.logLevel,
    logName: 'filebeat',
  })
  for (const warning of warnings) ports.logger.warn(warning)
  if (parsed.command === 'test config') {
    const output = makeOutput(ports, settings, context)
    await output.close()
    context.stdout.write('Config OK\n')
    return 0
  }
  return runLocked(context, ports, { settings, once: parsed.once })
}

function readConfiguration(
  disk: Disk,
  parsed: ShipperArguments,
  context: ProcessContext,
): ReadSettings {
  const workingDirectory = process.cwd()
  const home = parsed.paths['path.config'] ?? parsed.paths['path.home'] ?? workingDirectory
  const files = parsed.configFiles.map((name) => {
    const inHome = name.startsWith('/') ? name : `${home}/${name}`
    const path = !name.startsWith('/') && disk.stat(inHome) === undefined ? name : inHome
    return { name: path, text: readText(disk, path) }
  })
  return readSettings({
    files,
    arguments: parsed,
    environment: context.environment,
    hostname: hostname(),
    workingDirectory,
    matchingFiles: (pattern) =>
      [
        ...findFiles(disk, parsePathPattern(pattern, true), {
          onError() {},
          onDirectory() {},
        }),
      ].map(({ path }) => path),
  })
}

function readText(disk: Disk, path: string): string {
  try {
    return readFile(disk, path).toString('utf8')
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(`${path}: the configuration cannot be read: ${error.code}`)
  }
}

interface Running {
  readonly settings: ShipperSettings
  readonly once: boolean
}

/** Two shippers on one registry would undo each other's work. */
async function runLocked(context: ProcessContext, ports: Ports, running: Running): Promise<number> {
  const { dataDirectory } = running.settings
  try {
    ports.disk.makeDirectory(dataDirectory)
    const lock = ports.disk.lock(`${dataDirectory}/filebeat.lock`)
    try {
      return await run(context, ports, running)
    } finally {
      lock.release()
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (error.code === 'ELOCKED') {
      throw new UserError(
        `data path already locked by another beat: ${dataDirectory} (give it its own --path.data)`,
      )
    }
    throw new UserError(`cannot use data directory ${dataDirectory}: ${error.message}`)
  }
}

async function run(context: ProcessContext, ports: Ports, running: Running): Promise<number> {
  const { settings, once } = running
  const { clock, logger } = ports
  const agent: Agent = {
    name: settings.name,
    hostname: hostname(),
    id: persistentId(ports, settings.dataDirectory),
    ephemeralId: uuidText(ports.random),
  }
  const output = makeOutput(ports, settings, context)
  const shipper = new Shipper(ports, { agent, output, once }, settings)
  const startMs = clock.monotonicMs()
  const uptimeMs = (): number => clock.monotonicMs() - startMs
  const closeApi = await serveApi(ports, settings, { agent, shipper, output, uptimeMs })
  let acked = 0
  const report = (): void => {
    const { counts } = output
    const rate = Math.round((counts.acked - acked) / (PROGRESS_MS / 1000))
    acked = counts.acked
    logger.info(progressText(shipper, output, rate))
    timer = clock.schedule(PROGRESS_MS, report)
  }
  let timer = clock.schedule(PROGRESS_MS, report)
  try {
    await shipper.start()
    logger.info(`filebeat start running (version ${FILEBEAT_VERSION})`)
    const reason = await Promise.race([
      context.stopRequested,
      shipper.finished.then(() => 'the end of all files'),
    ])
    logger.info(`Stopping filebeat: ${reason}`)
  } finally {
    timer.cancel()
    await shipper.stop()
    await closeApi()
  }
  logger.info(progressText(shipper, output, undefined))
  return 0
}

function progressText(shipper: Shipper, { counts }: Output, rate: number | undefined): string {
  const { open, files, active } = shipper.gauges
  const speed = rate === undefined ? '' : ` (${rate}/s)`
  return (
    `${counts.acked} events acknowledged${speed}, ${active} on their way, ` +
    `${counts.dropped} dropped, ${counts.failed} retried; ${open} of ${files} files open`
  )
}

/** @throws UserError for a topic that cannot be read, or hosts */
function makeOutput(ports: Ports, settings: ShipperSettings, context: ProcessContext): Output {
  const { output } = settings
  if (output.kind === 'console') return new ConsoleOutput(context.stdout)
  const client = new KafkaClient(ports, {
    bootstrapServers: output.hosts,
    clientId: output.clientId,
    requestTimeoutMs: output.timeoutMs,
    connectTimeoutMs: output.timeoutMs,
    retryBackoffMs: output.retryBackoffMs,
    retryBackoffMsMax: Math.max(output.retryBackoffMs, RETRY_MS_MAX),
    metadataMaxAgeMs: output.metadataRefreshMs,
  })
  const producer = makeProducer(client, ports, { output, queueBytes: settings.queue.bytes })
  const { clock, logger } = ports
  try {
    return new KafkaOutput({ clock, logger, producer }, output)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new UserError(`output.kafka: ${error.message}`)
  }
}

function makeProducer(
  client: KafkaClient,
  { random }: Ports,
  { output, queueBytes }: { output: KafkaOutputSettings; queueBytes: number },
): Pick<Producer, 'send' | 'close'> {
  const choose = createPartitioner(output.partition, quickDraw(random.below(2 ** 32)))
  const hashesFields = output.partition.hashFields.length > 0
  const producer = client.producer({
    acks: output.requiredAcks,
    idempotence: false,
    compression: output.compression,
    batchBytes: BATCH_BYTES,
    deliveryTimeoutMs: Infinity,
    ackTimeoutMs: output.brokerTimeoutMs,
    // The harvester holds back long before this.
    bufferMemoryBytes: queueBytes * 4,
    requestBytesMax: Math.max(REQUEST_BYTES, output.maxMessageBytes + RECORD_OVERHEAD_BYTES),
    partitioner: (record, count) =>
      choose((hashesFields ? hashedOf.get(record) : undefined) ?? record.key ?? undefined, count),
  })
  return {
    send: (record) => producer.send(record),
    async close(options) {
      await producer.close(options)
      await client.close()
    },
  }
}

/** @throws UserError where the port is taken */
async function serveApi(
  { logger }: Ports,
  { http }: ShipperSettings,
  state: Parameters<typeof registerApi>[1],
): Promise<() => Promise<void>> {
  if (!http.enabled) return () => Promise.resolve()
  const server = createWebServer()
  registerApi(server, state)
  try {
    const address = await server.listen({ host: http.host, port: http.port })
    logger.info(`Metrics endpoint listening on: ${address}`)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new UserError(`the HTTP endpoint cannot listen: ${error.message}`)
  }
  return () => server.close()
}
