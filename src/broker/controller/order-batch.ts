// Pure.
/** Gathers what a change means for each broker, and words it as requests. */
import type { LeaderAndIsr } from '../../kafka/messages/leader-and-isr.ts'
import type { StopReplica } from '../../kafka/messages/stop-replica.ts'
import type { UpdateMetadata } from '../../kafka/messages/update-metadata.ts'
import { ZERO_UUID } from '../../wire/reader.ts'
import type { RequestOf } from '../../wire/schema.ts'
import type { Endpoint } from '../znodes.ts'
import type { Cluster, KnownPartition, LiveBroker } from './cluster.ts'
import { leaderDuringDeletion, noLeader } from './election.ts'

export type LeaderAndIsrRequest = RequestOf<typeof LeaderAndIsr>
export type StopReplicaRequest = RequestOf<typeof StopReplica>
export type UpdateMetadataRequest = RequestOf<typeof UpdateMetadata>

/** What one broker is told, in this order. */
export interface BrokerOrders {
  readonly broker: number
  readonly leaderAndIsr?: LeaderAndIsrRequest
  readonly updateMetadata?: UpdateMetadataRequest
  readonly stopReplica?: StopReplicaRequest
}

/** Who gives the orders. */
export interface OrderGiver {
  readonly controllerId: number
  readonly controllerEpoch: number
  /** Where brokers reach each other. Undefined: this one does not listen there. */
  readonly endpointOf: (broker: LiveBroker) => Endpoint | undefined
}

interface ReplicaStop {
  readonly isDeletion: boolean
  /** -1: none is known, -2: the topic is being deleted. */
  readonly leaderEpoch: number
}

const epochDuringDeletion = -2
const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

type LeaderAndIsrTopic = LeaderAndIsrRequest['topicStates'][number]
type MetadataTopic = UpdateMetadataRequest['topicStates'][number]

export class OrderBatch {
  readonly #cluster: Cluster
  readonly #leads = new Map<number, Map<KnownPartition, boolean>>()
  readonly #stops = new Map<number, Map<KnownPartition, ReplicaStop>>()
  /** Partitions that all brokers are told of. */
  readonly #told = new Set<KnownPartition>()
  /** Brokers that are told of who lives, whatever else there is. */
  readonly #addressed = new Set<number>()
  /** Brokers that are told of everything. */
  readonly #newcomers = new Set<number>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** These brokers take up their replicas of a partition as its state says; all are told of it. */
  lead(partition: KnownPartition, brokers: Iterable<number>, isNew = false): void {
    if (partition.state === undefined) return
    this.#told.add(partition)
    for (const id of brokers) if (this.#cluster.brokers.has(id)) this.#lead(id, partition, isNew)
  }

  #lead(broker: number, partition: KnownPartition, isNew: boolean): void {
    let leads = this.#leads.get(broker)
    if (leads === undefined) this.#leads.set(broker, (leads = new Map()))
    leads.set(partition, isNew || leads.get(partition) === true)
  }

  /** All brokers are told of a partition, as it is when the batch is worded; or that its topic is going. */
  tell(partition: KnownPartition): void {
    this.#told.add(partition)
  }

  /** These brokers are told who lives. */
  tellBrokers(brokers: Iterable<number>): void {
    for (const id of brokers) this.#addressed.add(id)
  }

  /** A newcomer is told of all partitions that have, or had, a leader. */
  introduce(broker: number): void {
    this.#newcomers.add(broker)
  }

  stop(broker: number, partition: KnownPartition): void {
    this.#stop(broker, partition, {
      isDeletion: false,
      leaderEpoch: partition.state?.leaderEpoch ?? -1,
    })
  }

  /** The broker removes its data of a partition: the whole topic goes, or this replica only. */
  remove(broker: number, partition: KnownPartition, isTopicDeletion: boolean): void {
    const leaderEpoch = isTopicDeletion ? epochDuringDeletion : (partition.state?.leaderEpoch ?? -1)
    this.#stop(broker, partition, { isDeletion: true, leaderEpoch })
  }

  #stop(broker: number, partition: KnownPartition, stop: ReplicaStop): void {
    if (!this.#cluster.brokers.has(broker)) return
    let stops = this.#stops.get(broker)
    if (stops === undefined) this.#stops.set(broker, (stops = new Map()))
    stops.set(partition, stop)
  }

  /** Each live broker's orders. */
  worded(giver: OrderGiver): BrokerOrders[] {
    const common = {
      controllerId: giver.controllerId,
      isKRaftController: false,
      controllerEpoch: giver.controllerEpoch,
    }
    const isForAll = this.#told.size > 0
    const told = this.#metadataTopics(this.#told)
    const liveBrokers = this.#liveBrokers()
    const orders: BrokerOrders[] = []
    for (const [broker, { epoch }] of this.#cluster.brokers) {
      const leads = this.#leads.get(broker)
      const stops = this.#stops.get(broker)
      const isNewcomer = this.#newcomers.has(broker)
      const hears = isForAll || isNewcomer || this.#addressed.has(broker)
      if (leads === undefined && stops === undefined && !hears) continue
      const head = { ...common, brokerEpoch: Number(epoch) }
      const topicStates = isNewcomer ? this.#metadataTopics(this.#cluster.partitions()) : told
      orders.push({
        broker,
        ...(leads && { leaderAndIsr: this.#leaderAndIsr(leads, giver, head) }),
        ...(hears && {
          updateMetadata: {
            ...{ ...head, type: 0, topicStates, liveBrokers, ungroupedPartitionStates: [] },
          },
        }),
        ...(stops && { stopReplica: stopReplica(stops, head) }),
      })
    }
    return orders
  }

  #leaderAndIsr(
    leads: ReadonlyMap<KnownPartition, boolean>,
    { endpointOf }: OrderGiver,
    head: Pick<
      LeaderAndIsrRequest,
      'controllerId' | 'controllerEpoch' | 'brokerEpoch' | 'isKRaftController'
    >,
  ): LeaderAndIsrRequest {
    const topics = new Map<string, LeaderAndIsrTopic>()
    const leaders = new Set<number>()
    for (const [partition, isNew] of leads) {
      const { state, index, topic, assignment } = partition
      if (state === undefined) continue
      leaders.add(state.leader)
      grouped(topics, topic, this.#idOf(topic)).partitionStates.push({
        partitionIndex: index,
        ...fieldsOf(state),
        partitionEpoch: state.version,
        replicas: [...assignment.replicas],
        addingReplicas: [...assignment.adding],
        removingReplicas: [...assignment.removing],
        isNew,
        leaderRecoveryState: 0,
      })
    }
    const liveLeaders: LeaderAndIsrRequest['liveLeaders'] = []
    for (const id of leaders) {
      const broker = this.#cluster.brokers.get(id)
      const endpoint = broker && endpointOf(broker)
      if (endpoint === undefined) continue
      liveLeaders.push({ brokerId: id, hostName: endpoint.host, port: endpoint.port })
    }
    const topicStates = [...topics.values()]
    return { ...head, type: 0, ungroupedPartitionStates: [], topicStates, liveLeaders }
  }

  #metadataTopics(partitions: Iterable<KnownPartition>): MetadataTopic[] {
    const topics = new Map<string, MetadataTopic>()
    for (const partition of partitions) {
      const { state, index, topic, assignment } = partition
      const isGoing = this.#cluster.isGoing(topic)
      if (state === undefined && !isGoing) continue
      grouped(topics, topic, this.#idOf(topic)).partitionStates.push({
        partitionIndex: index,
        ...fieldsOf(state ?? neverLed),
        ...(isGoing ? { leader: leaderDuringDeletion } : {}),
        zkVersion: state?.version ?? 0,
        replicas: [...assignment.replicas],
        offlineReplicas: this.#offlineReplicas(partition),
      })
    }
    return [...topics.values()]
  }

  #offlineReplicas(partition: KnownPartition): number[] {
    return partition.assignment.replicas.filter((id) => !this.#cluster.isAlive(id, partition))
  }

  #idOf(topic: string): string {
    return this.#cluster.topics.get(topic)?.topicId ?? ZERO_UUID
  }

  #liveBrokers(): UpdateMetadataRequest['liveBrokers'] {
    return [...this.#cluster.brokers.values()].map(({ id, endpoints, rack }) => ({
      id,
      v0Host: endpoints[0]?.host ?? '',
      v0Port: endpoints[0]?.port ?? -1,
      endpoints: endpoints.map(({ port, host, listener, securityProtocol }) => ({
        ...{ port, host, listener },
        securityProtocol: Math.max(0, securityProtocols.indexOf(securityProtocol)),
      })),
      rack,
    }))
  }
}

const neverLed = { controllerEpoch: 0, leader: noLeader, leaderEpoch: 0, isr: [] }

function fieldsOf({
  controllerEpoch,
  leader,
  leaderEpoch,
  isr,
}: Pick<
  NonNullable<KnownPartition['state']>,
  'controllerEpoch' | 'leader' | 'leaderEpoch' | 'isr'
>) {
  return { controllerEpoch, leader, leaderEpoch, isr: [...isr] }
}

/** The topic's group, made where it is missing. */
function grouped<P>(
  topics: Map<string, { topicName: string; topicId: string; partitionStates: P[] }>,
  topicName: string,
  topicId: string,
): { partitionStates: P[] } {
  let group = topics.get(topicName)
  if (group === undefined)
    topics.set(topicName, (group = { topicName, topicId, partitionStates: [] }))
  return group
}

function stopReplica(
  stops: ReadonlyMap<KnownPartition, ReplicaStop>,
  head: Pick<
    StopReplicaRequest,
    'controllerId' | 'controllerEpoch' | 'brokerEpoch' | 'isKRaftController'
  >,
): StopReplicaRequest {
  const topics = new Map<string, StopReplicaRequest['topicStates'][number]>()
  for (const [{ topic, index }, { isDeletion, leaderEpoch }] of stops) {
    let group = topics.get(topic)
    if (group === undefined) topics.set(topic, (group = { topicName: topic, partitionStates: [] }))
    group.partitionStates.push({
      partitionIndex: index,
      leaderEpoch,
      deletePartition: isDeletion,
    })
  }
  const topicStates = [...topics.values()]
  const none = { deletePartitions: false, ungroupedPartitions: [], topics: [] }
  return { ...head, ...none, topicStates }
}
