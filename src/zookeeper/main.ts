/** The entry of a coordination server: zoo.cfg's path as only argument, as QuorumPeerMain has it. */
import { realPorts } from '../node/ports.ts'
import { DiskError, readFile } from '../runtime/disk.ts'
import type { Main } from '../runtime/process.ts'
import { type Ports, UserError } from '../runtime/service.ts'
import { CoordinationServer } from './server/server.ts'
import { parseZooCfg } from './server/settings.ts'

export const main: Main = async (context) => {
  const [path, ...rest] = context.arguments.filter((one) => !one.endsWith('QuorumPeerMain'))
  if (path === undefined || rest.length > 0) throw new UserError('usage: coordination zoo.cfg')
  const server = makeCoordinationServer(realPorts({ logStream: context.stdout }), path)
  await server.start()
  const stopped = context.stopRequested.then(() => 0)
  const exitCode = await Promise.race([stopped, server.failed.then(() => 1)])
  await server.stop()
  return exitCode
}

/** A server as the file says, not yet started. @throws UserError */
export function makeCoordinationServer(ports: Ports, path: string): CoordinationServer {
  const logger = ports.logger.named('org.apache.zookeeper.server.quorum.QuorumPeerConfig')
  logger.info(`Reading configuration from: ${path}`)
  const { settings, warnings } = parseZooCfg(readConfiguration(ports, path))
  for (const warning of warnings) logger.warn(warning)
  return new CoordinationServer(ports, settings)
}

function readConfiguration({ disk }: Ports, path: string): string {
  try {
    return readFile(disk, path).toString('utf8')
  } catch (error) {
    if (error instanceof DiskError) throw new UserError(`cannot read ${path}: ${error.code}`)
    throw error
  }
}
