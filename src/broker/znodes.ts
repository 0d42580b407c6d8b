// Pure.
/**
 * The znodes of a Kafka 3.9 cluster in ZooKeeper mode: their paths, and the JSON in them as the
 * original writes it. Readers accept what 0.10.1 to 3.9 write; what cannot be read is `undefined`.
 */

export const paths = {
  clusterId: '/cluster/id',
  brokerIds: '/brokers/ids',
  brokerId: (id: number) => `/brokers/ids/${id}`,
  topics: '/brokers/topics',
  topic: (topic: string) => `/brokers/topics/${topic}`,
  partitions: (topic: string) => `/brokers/topics/${topic}/partitions`,
  partition: (topic: string, partition: number) =>
    `/brokers/topics/${topic}/partitions/${partition}`,
  partitionState: (topic: string, partition: number) =>
    `/brokers/topics/${topic}/partitions/${partition}/state`,
  controller: '/controller',
  controllerEpoch: '/controller_epoch',
  config: (entityType: string, name: string) => `/config/${entityType}/${name}`,
  configs: (entityType: string) => `/config/${entityType}`,
  configChanges: '/config/changes',
  configChangePrefix: '/config/changes/config_change_',
  topicDeletions: '/admin/delete_topics',
  topicDeletion: (topic: string) => `/admin/delete_topics/${topic}`,
  brokerSequence: '/brokers/seqid',
  producerIdBlock: '/latest_producer_id_block',
  reassignments: '/admin/reassign_partitions',
  preferredElection: '/admin/preferred_replica_election',
  isrChanges: '/isr_change_notification',
  isrChangePrefix: '/isr_change_notification/isr_change_',
  logDirectoryEvents: '/log_dir_event_notification',
  logDirectoryEventPrefix: '/log_dir_event_notification/log_dir_event_',
} as const

/** What every broker makes sure of when it starts, parents included. */
export const persistentPaths: readonly string[] = [
  '/consumers',
  '/brokers/ids',
  '/brokers/topics',
  '/config/changes',
  '/admin/delete_topics',
  '/brokers/seqid',
  '/isr_change_notification',
  '/latest_producer_id_block',
  '/log_dir_event_notification',
  '/config/topics',
  '/config/clients',
  '/config/users',
  '/config/brokers',
  '/config/ips',
]

type Json = Readonly<Record<string, unknown>>

function parse(data: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

const write = (value: Json): Buffer => Buffer.from(JSON.stringify(value))

/** What goes into requests must fit there, whoever wrote it. */
const isInt32 = (value: unknown): value is number =>
  typeof value === 'number' && (value | 0) === value

const numbers = (value: unknown): number[] | undefined =>
  Array.isArray(value) && value.every(isInt32) ? value : undefined

/** A znode cannot list more partitions; a larger index than that is nonsense, and would cost memory. */
const isIndex = (text: string): boolean => /^\d{1,6}$/.test(text)

export interface Endpoint {
  readonly listener: string
  readonly securityProtocol: string
  readonly host: string
  readonly port: number
}

export interface BrokerRegistration {
  readonly id: number
  readonly endpoints: readonly Endpoint[]
  readonly rack: string | null
}

/** Version 4, as brokers at inter.broker.protocol.version 0.10.0 to 2.6 write it. */
export function encodeBroker(broker: BrokerRegistration, nowMs: number): Buffer {
  const plain = broker.endpoints.find((endpoint) => endpoint.securityProtocol === 'PLAINTEXT')
  const map = broker.endpoints.map((endpoint) => [endpoint.listener, endpoint.securityProtocol])
  return write({
    listener_security_protocol_map: Object.fromEntries(map),
    endpoints: broker.endpoints.map((one) => `${one.listener}://${one.host}:${one.port}`),
    ...(broker.rack === null ? {} : { rack: broker.rack }),
    jmx_port: -1,
    port: plain?.port ?? -1,
    host: plain?.host ?? null,
    version: 4,
    timestamp: String(nowMs),
  })
}

/** The id that a registration's node is named by; undefined: it is no registration's name. */
export function brokerIdOf(name: string): number | undefined {
  return /^\d{1,10}$/.test(name) && isInt32(Number(name)) ? Number(name) : undefined
}

/** Versions 1 to 5; an endpoint's protocol is its listener's name where no map says otherwise. */
export function decodeBroker(id: number, data: Uint8Array): BrokerRegistration | undefined {
  const json = parse(data)
  if (json === undefined) return undefined
  const map = (json['listener_security_protocol_map'] ?? {}) as Json
  const texts = Array.isArray(json['endpoints'])
    ? (json['endpoints'] as unknown[]).map(String)
    : [`PLAINTEXT://${String(json['host'])}:${String(json['port'])}`]
  const endpoints: Endpoint[] = []
  for (const text of texts) {
    const match = /^([^:]+):\/\/\[?([^\]]*)\]?:(\d+)$/.exec(text)
    if (match === null) continue
    const listener = match[1] ?? ''
    const mapped = map[listener]
    const securityProtocol = typeof mapped === 'string' ? mapped : listener
    const port = Number(match[3])
    if (port > 65535) continue
    endpoints.push({ listener, securityProtocol, host: match[2] ?? '', port })
  }
  const rack = typeof json['rack'] === 'string' ? json['rack'] : null
  return { id, endpoints, rack }
}

/** The version number of a registration: 5 tells a broker at level 2.7 or later. */
export function brokerVersion(data: Uint8Array): number {
  return Number(parse(data)?.['version'] ?? 0)
}

type ReplicaLists = ReadonlyMap<number, readonly number[]>

export interface TopicAssignment {
  /** Index: partition; value: replica ids, the preferred leader first. */
  readonly partitions: ReplicaLists
  readonly topicId: string | undefined
  /** Of partitions that are being reassigned: which of their replicas come, and which go (KIP-455). */
  readonly adding?: ReplicaLists
  readonly removing?: ReplicaLists
}

const listsOf = (lists: ReplicaLists | undefined): Json =>
  Object.fromEntries([...(lists ?? [])].map(([index, replicas]) => [String(index), replicas]))

function readLists(value: unknown): Map<number, readonly number[]> {
  const lists = new Map<number, readonly number[]>()
  if (typeof value !== 'object' || value === null) return lists
  for (const [index, replicas] of Object.entries(value)) {
    const ids = numbers(replicas)
    if (ids !== undefined && isIndex(index)) lists.set(Number(index), ids)
  }
  return lists
}

/** Version 3, which 3.9 always writes. */
export function encodeTopic(assignment: TopicAssignment): Buffer {
  return write({
    removing_replicas: listsOf(assignment.removing),
    partitions: listsOf(assignment.partitions),
    ...(assignment.topicId === undefined ? {} : { topic_id: assignment.topicId }),
    adding_replicas: listsOf(assignment.adding),
    version: 3,
  })
}

/** Versions 1 to 3. */
export function decodeTopic(data: Uint8Array): TopicAssignment | undefined {
  const json = parse(data)
  const partitions = readLists(json?.['partitions'])
  if (json === undefined || partitions.size === 0) return undefined
  const topicId = typeof json['topic_id'] === 'string' ? json['topic_id'] : undefined
  const adding = readLists(json['adding_replicas'])
  const removing = readLists(json['removing_replicas'])
  return {
    ...{ partitions, topicId },
    ...(adding.size === 0 ? {} : { adding }),
    ...(removing.size === 0 ? {} : { removing }),
  }
}

export interface PartitionState {
  readonly leader: number
  readonly leaderEpoch: number
  readonly controllerEpoch: number
  readonly isr: readonly number[]
}

export function encodePartitionState(state: PartitionState): Buffer {
  return write({
    controller_epoch: state.controllerEpoch,
    leader: state.leader,
    version: 1,
    leader_epoch: state.leaderEpoch,
    isr: state.isr,
  })
}

export function decodePartitionState(data: Uint8Array): PartitionState | undefined {
  const json = parse(data)
  const isr = numbers(json?.['isr'])
  if (json === undefined || isr === undefined) return undefined
  const { leader, leader_epoch: leaderEpoch, controller_epoch: controllerEpoch } = json
  if (!isInt32(leader) || !isInt32(leaderEpoch) || !isInt32(controllerEpoch)) return undefined
  return { leader, leaderEpoch, controllerEpoch, isr }
}

export function encodeController(brokerId: number, nowMs: number): Buffer {
  return write({
    version: 2,
    brokerid: brokerId,
    timestamp: String(nowMs),
    kraftControllerEpoch: -1,
  })
}

export function decodeController(data: Uint8Array): number | undefined {
  const id = parse(data)?.['brokerid']
  return typeof id === 'number' ? id : undefined
}

export function encodeClusterId(id: string): Buffer {
  return write({ version: '1', id })
}

export function decodeClusterId(data: Uint8Array): string | undefined {
  const id = parse(data)?.['id']
  return typeof id === 'string' ? id : undefined
}

export function encodeConfig(config: Readonly<Record<string, string>>): Buffer {
  return write({ version: 1, config })
}

export function decodeConfig(data: Uint8Array): Record<string, string> {
  const config = parse(data)?.['config']
  if (typeof config !== 'object' || config === null) return {}
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]))
}

export function encodeConfigChange(entityPath: string): Buffer {
  return write({ version: 2, entity_path: entityPath })
}

/** The changed entity, as `topics/NAME`; version 1 names type and name apart. */
export function decodeConfigChange(data: Uint8Array): string | undefined {
  const json = parse(data)
  if (typeof json?.['entity_path'] === 'string') return json['entity_path']
  const [type, name] = [json?.['entity_type'], json?.['entity_name']]
  return typeof type === 'string' && typeof name === 'string' ? `${type}/${name}` : undefined
}

export interface ProducerIdBlock {
  readonly first: number
  readonly last: number
}

export function encodeProducerIdBlock(brokerId: number, block: ProducerIdBlock): Buffer {
  return write({
    version: 1,
    broker: brokerId,
    block_start: String(block.first),
    block_end: String(block.last),
  })
}

export function decodeProducerIdBlock(data: Uint8Array): ProducerIdBlock | undefined {
  const json = parse(data)
  if (json === undefined) return undefined
  return { first: Number(json['block_start']), last: Number(json['block_end']) }
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The rows of a list of partitions; what is no row is passed over. Undefined: it is no such list. */
function partitionRows(data: Uint8Array): (TopicPartition & { readonly row: Json })[] | undefined {
  const list = parse(data)?.['partitions']
  if (!Array.isArray(list)) return undefined
  const rows: (TopicPartition & { row: Json })[] = []
  for (const row of list as unknown[]) {
    if (typeof row !== 'object' || row === null) continue
    const { topic, partition } = row as Json
    if (typeof topic === 'string' && isInt32(partition))
      rows.push({ topic, partition, row: row as Json })
  }
  return rows
}

export interface WantedReplicas extends TopicPartition {
  readonly replicas: readonly number[]
}

/** /admin/reassign_partitions, as kafka-reassign-partitions of 0.8 to 2.x writes it. */
export function encodeReassignments(wanted: readonly WantedReplicas[]): Buffer {
  const partitions = wanted.map(({ topic, partition, replicas }) => ({
    ...{ topic, partition, replicas },
  }))
  return write({ version: 1, partitions })
}

export function decodeReassignments(data: Uint8Array): WantedReplicas[] | undefined {
  return partitionRows(data)?.flatMap(({ topic, partition, row }) => {
    const replicas = numbers(row['replicas'])
    return replicas === undefined ? [] : [{ topic, partition, replicas }]
  })
}

/** /admin/preferred_replica_election, and the notices of changed in-sync sets. */
export function encodePartitionList(list: readonly TopicPartition[]): Buffer {
  const partitions = list.map(({ topic, partition }) => ({ topic, partition }))
  return write({ version: 1, partitions })
}

export function decodePartitionList(data: Uint8Array): TopicPartition[] | undefined {
  return partitionRows(data)?.map(({ topic, partition }) => ({ topic, partition }))
}

/** A broker's notice that a log directory of its own has failed. */
export function encodeLogDirectoryEvent(brokerId: number): Buffer {
  return write({ version: 1, broker: brokerId, event: 1 })
}

export function decodeLogDirectoryEvent(data: Uint8Array): number | undefined {
  const id = parse(data)?.['broker']
  return isInt32(id) ? id : undefined
}
