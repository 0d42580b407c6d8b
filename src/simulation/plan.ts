// Pure.
/** Everything that a seed decides before a run begins: plain data, so that a run can be cut down. */

export interface Plan {
  readonly seed: number
  /** How long act one lasts. */
  readonly durationMs: number
  readonly network: NetworkPlan
  readonly coordination: CoordinationPlan
  readonly broker: Readonly<Record<string, string>>
  readonly brokerCount: number
  /** Milliseconds that a host's clocks count in one of the world's; 1 where none is given. */
  readonly clockRates: Readonly<Record<string, number>>
  readonly diskLatencyMs: number
  readonly topics: readonly TopicPlan[]
  readonly producers: readonly ProducerPlan[]
  readonly groups: readonly GroupPlan[]
  /** Names of topics that are deleted and made again all the time. */
  readonly recreated: readonly string[]
  /** How many replicas those have. */
  readonly recreatedFactor: number
  readonly admins: readonly AdminPlan[]
  readonly coordinationClients: readonly CoordinationClientPlan[]
  readonly faults: readonly Fault[]
}

export interface NetworkPlan {
  readonly splitChunks: boolean
  /** One way. */
  readonly latencyMs: number
  /** Most that a delivery is late, by chance. */
  readonly jitterMs: number
}

export interface CoordinationPlan {
  readonly tickMs: number
  readonly snapCount: number
  readonly preallocateBytes: number
}

export interface TopicPlan {
  readonly name: string
  readonly partitionCount: number
  readonly replicationFactor: number
  /** flush.messages=1: acknowledged means synced. */
  readonly flushed: boolean
  readonly configs: Readonly<Record<string, string>>
}

export interface ProducerPlan {
  readonly name: string
  readonly topics: readonly string[]
  readonly acks: -1 | 0 | 1
  readonly idempotent: boolean
  readonly lingerMs: number
  readonly batchBytes: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly maxInFlight: number
  readonly requestTimeoutMs: number
  readonly deliveryTimeoutMs: number
  readonly recordCount: number
  readonly burst: number
  readonly gapMs: number
  readonly valueBytesMax: number
}

export interface GroupPlan {
  readonly name: string
  readonly topics: readonly string[]
  readonly memberCount: number
  readonly assignor: 'range' | 'roundrobin'
  readonly sessionTimeoutMs: number
  readonly maxPollRecords: number
  readonly fetchMaxWaitMs: number
  /** Commits after every so many polls that gave something. */
  readonly pollsPerCommit: number
  readonly processingMs: number
}

export interface CoordinationClientPlan {
  readonly name: string
  readonly sessionTimeoutMs: number
  readonly gapMs: number
}

export type AdminAction = 'grow' | 'reassign' | 'elect' | 'alterConfigs'

/** Does one thing after another to the topics. */
export interface AdminPlan {
  readonly name: string
  readonly actions: readonly AdminAction[]
  readonly gapMs: number
}

export type Fault = { readonly atMs: number } & FaultKind

export type FaultKind =
  | { readonly kind: 'kill'; readonly host: string; readonly downMs: number }
  | {
      readonly kind: 'losePower'
      readonly host: string
      readonly downMs: number
      readonly keepsSome: boolean
    }
  /** Dies at a change of its disk: in the middle of a turn. */
  | {
      readonly kind: 'dieAtDiskChange'
      readonly host: string
      readonly operations: number
      readonly downMs: number
      readonly power: boolean
    }
  | { readonly kind: 'restart'; readonly host: string; readonly downMs: number }
  | { readonly kind: 'freeze'; readonly host: string; readonly forMs: number }
  | {
      readonly kind: 'cut'
      readonly from: string
      readonly to: string
      readonly bothWays: boolean
      readonly forMs: number
    }
  | { readonly kind: 'reset'; readonly host: string; readonly other: string }
  | { readonly kind: 'jumpClock'; readonly host: string; readonly byMs: number }
  | {
      readonly kind: 'slowDisk'
      readonly host: string
      readonly latencyMs: number
      readonly forMs: number
    }
  | { readonly kind: 'fullDisk'; readonly host: string; readonly forMs: number }
  | {
      readonly kind: 'failDisk'
      readonly host: string
      readonly operation: 'write' | 'sync' | 'read' | 'syncDirectory' | 'rename' | 'open'
      readonly times: number
    }
  /** The machine comes back with an empty disk. */
  | { readonly kind: 'wipeDisk'; readonly host: string; readonly downMs: number }
  /** Cut off from coordination until its session is over for sure. */
  | { readonly kind: 'expireSession'; readonly host: string }
  /** Somebody removes the controller's node: the brokers hold an election. */
  | { readonly kind: 'moveController' }

export const coordinationHost = 'coordination'
export const observerHost = 'observer'
export const brokerHost = (id: number): string => `broker-${id}`

/** The hosts that a fault concerns. */
export function hostsOf(fault: FaultKind): string[] {
  if (fault.kind === 'cut') return [fault.from, fault.to]
  if (fault.kind === 'reset') return [fault.host, fault.other]
  return 'host' in fault ? [fault.host] : []
}
