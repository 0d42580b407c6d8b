/** The entry of a coordination server, with the arguments and exit codes of QuorumPeerMain. */
import { realPorts } from '../node/ports.ts'
import { DiskError, readFile } from '../runtime/disk.ts'
import type { Main, ProcessContext } from '../runtime/process.ts'
import { type Ports, UserError } from '../runtime/service.ts'
import { serveAdmin } from './server/admin-http.ts'
import { DataDirectoryError } from './server/data-directory.ts'
import { CoordinationServer } from './server/server.ts'
import { type AdminSettings, parseZooCfg } from './server/settings.ts'

const exitCodes = { stopped: 0, failed: 1, invalid: 2, dataDirectory: 3, adminServer: 4 } as const

export const main: Main = async (context) => {
  try {
    return await run(context)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    context.stderr.write(`millrace: ${error.message}\n`)
    return error.exitCode
  }
}

/** What keeps a server from starting, with the original's words for it and its exit code. */
class StartError extends Error {
  readonly exitCode: number
  constructor(what: string, cause: Error, exitCode: number) {
    super(`${what}, exiting abnormally: ${cause.message}`, { cause })
    this.exitCode = exitCode
  }
}

async function run(context: ProcessContext): Promise<number> {
  const given = context.arguments.filter((one) => !one.endsWith('QuorumPeerMain'))
  const ports = realPorts({ logStream: context.stdout })
  const { text, settings, warnings } = configuration(ports, given)
  const logger = ports.logger.named('org.apache.zookeeper.server.quorum.QuorumPeerConfig')
  if (given.length === 1) logger.info(`Reading configuration from: ${given[0]}`)
  for (const warning of warnings) logger.warn(warning)
  const environment = javaProperties(context.environment)
  const server = new CoordinationServer(ports, settings, {
    environment,
    configurationText: text.replace(SECRETS, '$1[hidden]'),
  })
  await start(server)
  let stopAdmin: () => Promise<void>
  try {
    stopAdmin = await startAdmin(ports, settings.admin, server)
  } catch (error) {
    await server.stop()
    throw error
  }
  const stopped = context.stopRequested.then(() => exitCodes.stopped)
  const exitCode = await Promise.race([stopped, server.failed.then(() => exitCodes.failed)])
  await stopAdmin()
  await server.stop()
  return exitCode
}

async function start(server: CoordinationServer): Promise<void> {
  try {
    await server.start()
  } catch (error) {
    if (!(error instanceof DataDirectoryError)) throw error
    throw new StartError('Unable to access datadir', error, exitCodes.dataDirectory)
  }
}

/** What stands behind the names of secrets. */
const SECRETS = /^(.*(?:superDigest|[Pp]assword)[^=:]*[=:]).*$/gm

/** Returns how to stop it. @throws StartError for an address that it cannot have. */
async function startAdmin(
  ports: Ports,
  settings: AdminSettings | undefined,
  server: CoordinationServer,
): Promise<() => Promise<void>> {
  if (settings === undefined) return async () => {}
  const logger = ports.logger.named('org.apache.zookeeper.server.admin.JettyAdminServer')
  const { host, port, commandUrl, idleTimeoutMs } = settings
  // Who switches it off does not wait for its modules.
  const { createWebServer } = await import('../node/web-server.ts')
  const web = createWebServer({ keepAliveTimeoutMs: idleTimeoutMs, connectionsMax: 64 })
  serveAdmin(web, commandUrl, () => server.shown())
  try {
    const address = await web.listen({ host, port })
    logger.info(`Started AdminServer on address ${address} and command URL ${commandUrl}`)
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    const shown = new Error(`${cause} (admin.serverAddress ${host}, admin.serverPort ${port})`)
    throw new StartError('Unable to start AdminServer', shown, exitCodes.adminServer)
  }
  return () => web.close()
}

const USAGE = 'Usage: ZooKeeperServerMain configfile | port datadir [ticktime] [maxcnxns]'

/** @throws StartError that names the file, and the setting where there is one. */
function configuration(ports: Ports, given: readonly string[]) {
  const [path = ''] = given
  if (given.length < 1 || given.length > 4) {
    throw new StartError('Invalid arguments', new Error(USAGE), exitCodes.invalid)
  }
  try {
    const text = given.length === 1 ? readConfiguration(ports, path) : configurationOf(given)
    return { text, ...parseZooCfg(text) }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const cause = given.length === 1 ? new Error(`${path}: ${error.message}`) : error
    throw new StartError('Invalid config', cause, exitCodes.invalid)
  }
}

function readConfiguration(ports: Ports, path: string): string {
  try {
    return readFile(ports.disk, path).toString('utf8')
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(error.code === 'ENOENT' ? 'the file is missing' : error.message)
  }
}

/** The arguments without a file: port, data directory, tick and connections of one address. */
function configurationOf(given: readonly string[]): string {
  const names = ['clientPort', 'dataDir', 'tickTime', 'maxClientCnxns']
  return given.map((value, index) => `${names[index]}=${value.replaceAll('\\', '\\\\')}\n`).join('')
}

/** What envi tells, as far as there is something of the kind here. */
function javaProperties(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const properties = new Map([
    ['host.name', environment['HOSTNAME'] ?? 'localhost'],
    ['os.name', process.platform],
    ['os.arch', process.arch],
    ['os.version', process.version],
  ])
  const named = { 'user.name': 'USER', 'user.home': 'HOME', 'user.dir': 'PWD' }
  for (const [name, variable] of Object.entries(named)) {
    const value = environment[variable]
    if (value !== undefined) properties.set(name, value)
  }
  return properties
}
