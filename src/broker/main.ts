/** The broker as a process: server.properties [--override key=value]*, until it is asked to stop. */
import { hostname } from 'node:os'
import { realPorts } from '../node/ports.ts'
import { readFile } from '../runtime/disk.ts'
import type { ProcessContext } from '../runtime/process.ts'
import { parseProperties } from '../runtime/properties.ts'
import { inFile, UserError, type Ports } from '../runtime/service.ts'
import { parseConnectString } from '../zookeeper/client/connect-string.ts'
import { ZooKeeperSession } from '../zookeeper/client/session.ts'
import { Broker } from './broker.ts'
import { brokerSettings, type BrokerSettings } from './config/broker.ts'
import { refuseTwoStandalone } from './coordination.ts'
import { httpAddress, serveMetrics } from './metrics/endpoint.ts'

const usage = `USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*
`

/** The file's properties under the overrides of the command line. @throws UserError */
export function readProperties(
  context: ProcessContext,
  { disk }: Pick<Ports, 'disk'>,
): Record<string, string> {
  const [file, ...rest] = context.arguments
  if (file === undefined) throw new UserError(`no properties file is given\n${usage}`)
  let properties: Record<string, string>
  try {
    properties = parseProperties(readFile(disk, file).toString('utf8'))
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${error instanceof Error ? error.message : ''}`)
  }
  for (let at = 0; at < rest.length; at += 2) {
    const [flag, pair] = [rest[at], rest[at + 1]]
    const match = /^([^=]+)=(.*)$/.exec(pair ?? '')
    if (flag !== '--override' || match === null)
      throw new UserError(`${flag ?? ''} ${pair ?? ''} is not an override\n${usage}`)
    properties[match[1] ?? ''] = match[2] ?? ''
  }
  return properties
}

function serversOf(settings: BrokerSettings) {
  try {
    return parseConnectString(settings.zookeeperConnect).servers
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`zookeeper.connect: ${error.message}`)
    throw error
  }
}

/** A broker on real ports, ready to start. */
export async function makeBroker(ports: Ports, settings: BrokerSettings): Promise<Broker> {
  await refuseTwoStandalone(ports, serversOf(settings))
  const openSession = () =>
    new ZooKeeperSession(
      {
        ...ports,
        logger: ports.logger.named(
          'kafka.zookeeper.ZooKeeperClient',
          'ZooKeeperClient Kafka server',
        ),
      },
      {
        connect: settings.zookeeperConnect,
        sessionTimeoutMs: settings.zookeeperSessionTimeoutMs,
        connectTimeoutMs: settings.zookeeperConnectionTimeoutMs,
      },
    )
  return new Broker(ports, settings, { openSession, hostName: hostname() })
}

/**
 * Opens the broker's HTTP address, where one is set, before the broker starts: a taken port is an error
 * of the start. Returns how to close it. @throws UserError
 */
export async function openHttp(
  broker: Broker,
  ports: Ports,
  setting: string | null,
  environment: ProcessContext['environment'],
): Promise<() => Promise<void>> {
  const address = httpAddress(setting, environment['KAFKA_OPTS'])
  if (address === undefined) return async () => {}
  // Who does not ask for it does not wait for its modules.
  const { createWebServer } = await import('../node/web-server.ts')
  const web = createWebServer({ connectionsMax: 64 })
  serveMetrics(web, {
    renderMetrics: () => ports.metrics.render(),
    unreadyBecause: () => broker.unreadyBecause,
  })
  try {
    const url = await web.listen(address)
    ports.logger.named('kafka.server.KafkaServer').info(`Metrics are at ${url}/metrics`)
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    throw new UserError(`millrace.http.address: ${cause}`)
  }
  return () => web.close()
}

export async function main(context: ProcessContext): Promise<number> {
  if (context.arguments[0] === '--help') {
    context.stdout.write(usage)
    return 0
  }
  const ports = realPorts({ logStream: context.stdout, logName: 'kafka.Kafka$' })
  const properties = readProperties(context, ports)
  const [file = ''] = context.arguments
  const { settings, warnings } = inFile(file, () => brokerSettings(properties))
  for (const warning of warnings) ports.logger.named('kafka.server.KafkaConfig').warn(warning)
  const broker = await makeBroker(ports, settings)
  const closeHttp = await openHttp(broker, ports, settings.httpAddress, context.environment)
  await broker.start()
  const failure = broker.failed.then((reason) => ({ reason, code: 1 }))
  const request = context.stopRequested.then((reason) => ({ reason, code: 0 }))
  const { reason, code } = await Promise.race([failure, request])
  if (code === 0) ports.logger.info(`Terminating process due to ${reason}`)
  else ports.logger.fatal(`Shutdown broker because ${reason}`)
  await broker.stop()
  await closeHttp()
  return code
}
