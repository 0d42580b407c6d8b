/** The entry of a coordination server: zoo.cfg's path as only argument, as QuorumPeerMain has it. */
import { nodeDisk } from '../node/disk.ts'
import { realPorts } from '../node/ports.ts'
import { DiskError, readFile } from '../runtime/disk.ts'
import type { Main } from '../runtime/process.ts'
import { UserError } from '../runtime/service.ts'
import { CoordinationServer } from './server/server.ts'
import { parseZooCfg } from './server/settings.ts'

export const main: Main = async (context) => {
  const [path, ...rest] = context.arguments
  if (path === undefined || rest.length > 0) throw new UserError('Usage: coordination zoo.cfg')
  const { settings, warnings } = parseZooCfg(readConfiguration(path))
  const ports = realPorts({ logStream: context.stdout })
  const logger = ports.logger.named('org.apache.zookeeper.server.quorum.QuorumPeerConfig')
  logger.info(`Reading configuration from: ${path}`)
  for (const warning of warnings) logger.warn(warning)
  const server = new CoordinationServer(ports, settings)
  await server.start()
  const stopped = context.stopRequested.then(() => 'stopped' as const)
  const end = await Promise.race([stopped, server.failed.then(() => 'failed' as const)])
  await server.stop()
  return end === 'stopped' ? 0 : 1
}

function readConfiguration(path: string): string {
  try {
    return readFile(nodeDisk, path).toString('utf8')
  } catch (error) {
    if (error instanceof DiskError) throw new UserError(`cannot read ${path}: ${error.code}`)
    throw error
  }
}
