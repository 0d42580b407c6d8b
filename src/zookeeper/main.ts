/** The entry of a coordination server: zoo.cfg's path as only argument, as QuorumPeerMain has it. */
import { realPorts } from '../node/ports.ts'
import { DiskError, readFile } from '../runtime/disk.ts'
import type { Main } from '../runtime/process.ts'
import { type Ports, UserError } from '../runtime/service.ts'
import { serveAdmin } from './server/admin-http.ts'
import { CoordinationServer } from './server/server.ts'
import { type AdminSettings, parseZooCfg } from './server/settings.ts'

export const main: Main = async (context) => {
  const [path, ...rest] = context.arguments.filter((one) => !one.endsWith('QuorumPeerMain'))
  if (path === undefined || rest.length > 0) throw new UserError('usage: coordination zoo.cfg')
  const ports = realPorts({ logStream: context.stdout })
  const text = readConfiguration(ports, path)
  const { settings, warnings } = parseZooCfg(text)
  for (const warning of warnings) configurationLogger(ports).warn(warning)
  const environment = javaProperties(context.environment)
  const server = new CoordinationServer(ports, settings, {
    environment,
    configurationText: text.replace(SECRETS, '$1[hidden]'),
  })
  await server.start()
  const stopAdmin = await startAdmin(ports, settings.admin, server)
  const stopped = context.stopRequested.then(() => 0)
  const exitCode = await Promise.race([stopped, server.failed.then(() => 1)])
  await stopAdmin()
  await server.stop()
  return exitCode
}

/** What stands behind the names of secrets. */
const SECRETS = /^(.*(?:superDigest|[Pp]assword)[^=:]*[=:]).*$/gm

/** Returns how to stop it. One that cannot listen is told of, and missed: clients matter more. */
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
    logger.warn(`Problem starting AdminServer on ${host}:${port}: ${cause}`)
  }
  return () => web.close()
}

function configurationLogger(ports: Ports) {
  return ports.logger.named('org.apache.zookeeper.server.quorum.QuorumPeerConfig')
}

function readConfiguration(ports: Ports, path: string): string {
  configurationLogger(ports).info(`Reading configuration from: ${path}`)
  try {
    return readFile(ports.disk, path).toString('utf8')
  } catch (error) {
    if (error instanceof DiskError) throw new UserError(`cannot read ${path}: ${error.code}`)
    throw error
  }
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
