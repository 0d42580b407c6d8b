/** A broker's controller with its links: in process to itself, by connection to the others. */
import type { Ports } from '../../runtime/service.ts'
import type { BrokerSettings } from '../config/broker.ts'
import type { Coordination } from '../coordination.ts'
import type { MetadataCache } from '../metadata-cache.ts'
import type { Replicas } from '../replication/replicas.ts'
import type { Endpoint } from '../znodes.ts'
import type { BrokerLink } from './broker-link.ts'
import type { LiveBroker } from './cluster.ts'
import { Controller } from './controller.ts'
import { LinkClosed, type ClosableLink } from './links.ts'
import { RemoteLink } from './remote-link.ts'

export interface ControllerSurroundings {
  readonly brokerId: number
  readonly settings: BrokerSettings
  readonly coordination: Coordination
  readonly subordinate: BrokerLink
  readonly metadata: MetadataCache
  readonly replicas: Replicas
}

export function makeController(
  ports: Pick<Ports, 'clock' | 'network' | 'random' | 'logger'>,
  { brokerId, settings, coordination, subordinate, metadata, replicas }: ControllerSurroundings,
): Controller {
  const named = (name: string) => ports.logger.named(name, `Controller id=${brokerId}`)
  const logger = named('kafka.controller.KafkaController')
  const linkPorts = { ...ports, logger: named('kafka.controller.RequestSendThread') }
  const endpointOf = ({ endpoints }: LiveBroker): Endpoint | undefined =>
    endpoints.find(({ listener }) => listener === settings.interBrokerListener)
  const openLink = (broker: LiveBroker): ClosableLink => {
    if (broker.id === brokerId) return new OwnLink(subordinate)
    const endpoint = endpointOf(broker)
    if (endpoint !== undefined)
      return new RemoteLink(linkPorts, {
        endpoint,
        clientId: String(brokerId),
        requestTimeoutMs: settings.control.socketTimeoutMs,
        level: settings.replication.level,
      })
    logger.error(
      `Broker ${broker.id} does not listen on ${settings.interBrokerListener}: it cannot be told anything`,
    )
    return deafLink
  }
  return new Controller(
    {
      ports: { ...ports, logger },
      ...{ coordination, openLink, endpointOf },
      usesTopicIds: settings.replication.level.usesTopicIds,
      storedTopicId: (topic) => replicas.topicId(topic) ?? metadata.topic(topic)?.topicId,
    },
    {
      brokerId,
      topicDeletionAllowed: settings.deleteTopicEnable,
      // This one may change while the broker runs.
      isUncleanElectionAllowed: () => settings.uncleanElectionEnable,
      ...(settings.control.rebalance && { rebalance: settings.control.rebalance }),
    },
  )
}

/** Orders to this broker itself need no connection; those of a term that is over are not given. */
class OwnLink implements ClosableLink {
  readonly #subordinate: BrokerLink
  #isClosed = false

  constructor(subordinate: BrokerLink) {
    this.#subordinate = subordinate
  }

  leaderAndIsr: BrokerLink['leaderAndIsr'] = (order) =>
    this.#ifOpen(() => this.#subordinate.leaderAndIsr(order))

  stopReplica: BrokerLink['stopReplica'] = (order) =>
    this.#ifOpen(() => this.#subordinate.stopReplica(order))

  updateMetadata: BrokerLink['updateMetadata'] = (order) =>
    this.#ifOpen(() => this.#subordinate.updateMetadata(order))

  #ifOpen<T>(action: () => Promise<T>): Promise<T> {
    return this.#isClosed ? Promise.reject(new LinkClosed()) : action()
  }

  close(): void {
    this.#isClosed = true
  }
}

const deafLink: ClosableLink = {
  leaderAndIsr: () => Promise.reject(new LinkClosed()),
  stopReplica: () => Promise.reject(new LinkClosed()),
  updateMetadata: () => Promise.reject(new LinkClosed()),
  close() {},
}
