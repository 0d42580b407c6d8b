/** A broker that is about to stop asks the controller to move its leaders away (kafka.md D). */
import { BrokerConnection } from '../client/connection.ts'
import { Errors } from '../kafka/errors.ts'
import { ControlledShutdown } from '../kafka/messages/controlled-shutdown.ts'
import { delay } from '../runtime/clock.ts'
import type { Ports } from '../runtime/service.ts'
import { isZooKeeperError } from '../zookeeper/client/client.ts'
import type { BrokerSettings } from './config/broker.ts'
import { readIfThere } from './controller/cluster-state.ts'
import type { Controller } from './controller/controller.ts'
import type { Coordination } from './coordination.ts'
import { decodeBroker, decodeController, paths, type Endpoint } from './znodes.ts'

export interface ControlledShutdownParts {
  readonly brokerId: number
  readonly brokerEpoch: bigint
  readonly settings: BrokerSettings
  readonly coordination: Coordination
  readonly controller: Controller
}

type ShutdownPorts = Pick<Ports, 'clock' | 'network' | 'logger'>

/** Tries as often as controlled.shutdown.max.retries says; stopping goes on either way. Never rejects. */
export async function askForRelief(
  ports: ShutdownPorts,
  parts: ControlledShutdownParts,
): Promise<void> {
  const { clock, logger } = ports
  const { shutdownAttemptsMax, shutdownBackoffMs } = parts.settings.control
  for (let attempt = 1; attempt <= shutdownAttemptsMax; attempt += 1) {
    // Without a session nobody takes this broker for alive: there is nothing to hand over.
    if (parts.coordination.session.state !== 'connected') return
    try {
      if (await isRelieved(ports, parts)) return
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      logger.warn(`Error during controlled shutdown: ${text}`)
    }
    if (attempt < shutdownAttemptsMax) await delay(clock, shutdownBackoffMs)
  }
  if (shutdownAttemptsMax > 0)
    logger.warn(
      'Proceeding to do an unclean shutdown as all the controlled shutdown attempts failed',
    )
}

/** @throws KafkaError, ZooKeeperError */
async function isRelieved(ports: ShutdownPorts, parts: ControlledShutdownParts): Promise<boolean> {
  const { controller, brokerId, brokerEpoch } = parts
  const own = await controller.relieve(brokerId, brokerEpoch)
  if (own !== undefined) return own.kind === 'relieved' && own.remaining.length === 0
  const endpoint = await controllerEndpoint(parts)
  if (endpoint === undefined) return false
  const { settings } = parts
  const connection = new BrokerConnection(ports, {
    ...{ host: endpoint.host, port: endpoint.port, clientId: String(brokerId) },
    requestTimeoutMs: settings.control.socketTimeoutMs,
  })
  try {
    await connection.connect()
    const max = settings.replication.level.controlledShutdown
    const version = connection.version(ControlledShutdown, { max })
    const answer = await connection.request(ControlledShutdown, version, {
      brokerId,
      brokerEpoch: Number(brokerEpoch),
    })
    return answer.errorCode === Errors.NONE && answer.remainingPartitions.length === 0
  } finally {
    connection.close()
  }
}

/** Where the controller listens to brokers; undefined where there is none at the moment. */
async function controllerEndpoint({
  coordination,
  settings,
}: ControlledShutdownParts): Promise<Endpoint | undefined> {
  try {
    const { session } = coordination
    const office = await readIfThere(session, paths.controller)
    const id = office && decodeController(office.data)
    const node = id === undefined ? undefined : await readIfThere(session, paths.brokerId(id))
    const broker = node && decodeBroker(id ?? -1, node.data)
    return broker?.endpoints.find(({ listener }) => listener === settings.interBrokerListener)
  } catch (error) {
    if (isZooKeeperError(error)) return undefined
    throw error
  }
}
