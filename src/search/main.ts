/** `millrace search`: makes the real ports, reads the settings, runs the server until it is stopped. */
import { realPorts } from '../node/ports.ts'
import { createWebServer } from '../node/web-server.ts'
import { DiskError, readFile, type Disk } from '../runtime/disk.ts'
import type { Main } from '../runtime/process.ts'
import { UserError } from '../runtime/service.ts'
import { parseConfiguration, parseFlags, readSettings } from './flags.ts'
import { SearchService } from './service.ts'

export const main: Main = async (context) => {
  const flags = parseFlags(context.arguments)
  const ports = realPorts({ logStream: context.stdout, logName: 'search' })
  const configured =
    flags.configurationPath === undefined
      ? new Map<string, string>()
      : readConfiguration(ports.disk, flags.configurationPath)
  const settings = readSettings(new Map([...configured, ...flags.settings]))
  for (const warning of settings.warnings) ports.logger.warn(warning)
  const webServer = createWebServer({
    bodyLimitBytes: settings.bodyBytesMax,
    connectionsMax: 1024,
    requestTimeoutMs: 120_000,
  })
  const service = new SearchService(
    { ...ports, webServer },
    { ...settings, memoryBytesMax: 1_000_000_000, threads: 2, statementMsMax: 30_000 },
  )
  await service.start()
  await context.stopRequested
  await service.stop()
  return 0
}

/** The file itself, or elasticsearch.yml in the directory. */
function readConfiguration(disk: Disk, path: string): Map<string, string> {
  try {
    const isDirectory = disk.stat(path)?.kind === 'directory'
    const file = isDirectory ? `${path}/elasticsearch.yml` : path
    return parseConfiguration(readFile(disk, file).toString('utf8'), file)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(`cannot read ${path}: ${error.code}`, { cause: error })
  }
}
