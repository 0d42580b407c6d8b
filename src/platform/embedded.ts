/** A broker and its coordination server in one process: server.properties and zookeeper.properties. */
import { makeBroker, openHttp, readProperties } from '../broker/main.ts'
import { brokerSettings } from '../broker/config/broker.ts'
import { realPorts } from '../node/ports.ts'
import type { ProcessContext } from '../runtime/process.ts'
import { inFile, UserError } from '../runtime/service.ts'
import { readFile } from '../runtime/disk.ts'
import { CoordinationServer } from '../zookeeper/server/server.ts'
import { parseZooCfg } from '../zookeeper/server/settings.ts'

/** argv: `kafka.Kafka server.properties zookeeper.properties`; the class name is for `ps`. */
export async function main(context: ProcessContext): Promise<number> {
  const [, serverFile, zookeeperFile] = context.arguments
  if (serverFile === undefined || zookeeperFile === undefined)
    throw new UserError('usage: broker-with-coordination kafka.Kafka SERVER_FILE ZOOKEEPER_FILE')
  const ports = realPorts({ logStream: context.stdout, logName: 'kafka.Kafka$' })
  const properties = readProperties({ ...context, arguments: [serverFile] }, ports)
  const { settings, warnings } = inFile(serverFile, () => brokerSettings(properties))
  for (const warning of warnings) ports.logger.named('kafka.server.KafkaConfig').warn(warning)
  const zooCfg = inFile(zookeeperFile, () =>
    parseZooCfg(readFile(ports.disk, zookeeperFile).toString('utf8')),
  )
  for (const warning of zooCfg.warnings) ports.logger.named('QuorumPeerConfig').warn(warning)
  const coordination = new CoordinationServer(ports, zooCfg.settings)
  await coordination.start()
  const broker = await makeBroker(ports, settings)
  const closeHttp = await openHttp(broker, ports, settings.httpAddress, context.environment)
  try {
    await broker.start()
    const disk = coordination.failed.then(() => 'a failing disk of the coordination server')
    const failed = Promise.race([disk, broker.failed])
    const asked = context.stopRequested.then(() => undefined)
    const failure = await Promise.race([asked, failed])
    if (failure !== undefined) ports.logger.fatal(`Terminating process due to ${failure}`)
    return failure === undefined ? 0 : 1
  } finally {
    await broker.stop()
    await closeHttp()
    await coordination.stop()
  }
}
