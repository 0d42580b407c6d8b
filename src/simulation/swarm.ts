/**
 * Draws a plan from a seed. Each seed leaves most features out and exaggerates a few, since what never
 * happens together with everything else is what nobody tested.
 */
import type { Random } from '../runtime/random.ts'
import { Draw } from './draw.ts'
import {
  brokerHost,
  type CoordinationClientPlan,
  coordinationHost,
  type Fault,
  type FaultKind,
  type GroupPlan,
  type Plan,
  type ProducerPlan,
  type TopicPlan,
} from './plan.ts'

export function drawPlan(seed: number, random: Random): Plan {
  const draw = new Draw(random)
  const durationMs = draw.between(3000, 12_000)
  // Whether acknowledged means synced: for all topics, or as each of them says.
  const flushed = draw.chance(30)
  const topics = drawTopics(draw, flushed)
  const names = topics.map(({ name }) => name)
  const producers = Array.from({ length: draw.between(1, 3) }, (_, index) =>
    drawProducer(draw, index, names),
  )
  const groups = Array.from({ length: draw.between(0, 2) }, (_, index) =>
    drawGroup(draw, index, names),
  )
  const coordinationClients = Array.from({ length: draw.skewed(0, 2) }, (_, index) =>
    drawCoordinationClient(draw, index),
  )
  const clients = [
    ...producers.map(({ name }) => name),
    ...groups.flatMap(({ name, memberCount }) =>
      Array.from({ length: memberCount }, (_, index) => memberName(name, index)),
    ),
    ...coordinationClients.map(({ name }) => name),
  ]
  return {
    seed,
    durationMs,
    network: drawNetwork(draw),
    coordination: {
      tickMs: draw.of([500, 1000, 2000]),
      snapCount: draw.of([4, 20, 100_000]),
      preallocateBytes: draw.of([0, 512, 4096]),
    },
    brokerCount: 1,
    broker: drawBroker(draw, flushed),
    clockRates: drawClockRates(draw, [coordinationHost, brokerHost(0), ...clients]),
    diskLatencyMs: draw.of([0, 1, 5, 20]),
    topics,
    producers,
    groups,
    recreated: draw.chance(30) ? ['recreated'] : [],
    recreatedFactor: 1,
    admins: [],
    coordinationClients,
    faults: drawFaults(draw, durationMs, clients),
  }
}

export function memberName(group: string, index: number): string {
  return `${group}-member-${index}`
}

/** Each chunk of a split message pays the latency, so only one of the two is large. */
function drawNetwork(draw: Draw): Plan['network'] {
  if (draw.chance(40)) return { splitChunks: true, latencyMs: draw.of([0, 0, 1]), jitterMs: 0 }
  return { splitChunks: false, latencyMs: draw.of([0, 1, 10]), jitterMs: draw.of([0, 1, 20]) }
}

function drawBroker(draw: Draw, flushed: boolean): Record<string, string> {
  return {
    'log.index.size.max.bytes': '1024',
    'offsets.topic.num.partitions': String(draw.between(1, 3)),
    'offsets.topic.segment.bytes': draw.of(['2000', '10485760']),
    'group.initial.rebalance.delay.ms': draw.of(['0', '300']),
    'group.min.session.timeout.ms': '1000',
    'zookeeper.session.timeout.ms': draw.of(['2000', '6000', '18000']),
    'zookeeper.connection.timeout.ms': draw.of(['3000', '18000']),
    'num.recovery.threads.per.data.dir': draw.of(['1', '2']),
    'log.flush.offset.checkpoint.interval.ms': draw.of(['500', '60000']),
    'replica.high.watermark.checkpoint.interval.ms': draw.of(['500', '5000']),
    'log.initial.task.delay.ms': draw.of(['0', '30000']),
    'log.retention.check.interval.ms': draw.of(['700', '300000']),
    'log.segment.delete.delay.ms': draw.of(['0', '1000', '60000']),
    ...(flushed ? { 'log.flush.interval.messages': '1' } : {}),
  }
}

function drawTopics(draw: Draw, flushed: boolean): TopicPlan[] {
  return Array.from({ length: draw.skewed(1, 3) }, (_, index) => {
    const isFlushed = flushed || draw.chance(40)
    const configs: Record<string, string> = {
      'segment.bytes': draw.of(['1500', '5000', '1073741824']),
      'index.interval.bytes': draw.of(['0', '200', '4096']),
      ...(isFlushed && !flushed ? { 'flush.messages': '1' } : {}),
      ...(draw.chance(20) ? { 'message.timestamp.type': 'LogAppendTime' } : {}),
    }
    return {
      name: `topic-${index}`,
      partitionCount: draw.skewed(1, 4),
      replicationFactor: 1,
      flushed: isFlushed,
      configs,
    }
  })
}

function drawProducer(draw: Draw, index: number, topics: readonly string[]): ProducerPlan {
  const acks = draw.of([-1, -1, -1, 1, 0])
  const requestTimeoutMs = draw.of([1000, 3000, 30_000])
  return {
    name: `producer-${index}`,
    topics: draw.some(topics),
    acks,
    idempotent: acks === -1 && draw.chance(70),
    lingerMs: draw.of([0, 0, 5, 100]),
    // Together with the segments below: no batch is too large for its topic.
    batchBytes: draw.of([100, 500, 1000]),
    compression: draw.chance(70) ? 'none' : draw.of(['gzip', 'snappy', 'lz4', 'zstd']),
    maxInFlight: draw.of([1, 2, 5]),
    requestTimeoutMs,
    deliveryTimeoutMs: draw.of([requestTimeoutMs + 1000, 30_000, Infinity]),
    recordCount: draw.skewed(10, 150),
    burst: draw.skewed(1, 12),
    gapMs: draw.of([0, 10, 50, 300]),
    valueBytesMax: draw.of([10, 100, 100, 1000]),
  }
}

function drawGroup(draw: Draw, index: number, topics: readonly string[]): GroupPlan {
  return {
    name: `group-${index}`,
    topics: draw.some(topics),
    memberCount: draw.skewed(1, 3),
    assignor: draw.of(['range', 'roundrobin']),
    sessionTimeoutMs: draw.of([1500, 6000, 10_000]),
    maxPollRecords: draw.of([1, 10, 500]),
    fetchMaxWaitMs: draw.of([10, 100, 500]),
    pollsPerCommit: draw.skewed(1, 5),
    processingMs: draw.of([0, 0, 20, 100]),
  }
}

function drawCoordinationClient(draw: Draw, index: number): CoordinationClientPlan {
  return {
    name: `coordination-client-${index}`,
    sessionTimeoutMs: draw.of([2000, 4000, 10_000]),
    gapMs: draw.of([5, 20, 200]),
  }
}

function drawClockRates(draw: Draw, hosts: readonly string[]): Record<string, number> {
  const rates: Record<string, number> = {}
  if (draw.chance(60)) return rates
  for (const host of hosts) if (draw.chance(40)) rates[host] = 1 + draw.between(-20, 20) / 1000
  return rates
}

function drawFaults(draw: Draw, durationMs: number, clients: readonly string[]): Fault[] {
  // Each seed has its own mix: most kinds of fault never happen in it.
  const kinds = draw.some(machineFaults)
  const count = draw.chance(5) ? 0 : draw.skewed(1, 8)
  const faults: Fault[] = []
  for (let left = count; left > 0 && kinds.length > 0; left -= 1) {
    const [first, ...rest] = kinds
    if (first === undefined) break
    const kind = draw.of([first, ...rest])
    const servers: [string, ...string[]] = [brokerHost(0), brokerHost(0), coordinationHost]
    const server = draw.of(servers)
    const [client, ...others] = clients
    const peer = client === undefined ? coordinationHost : draw.of([client, ...others])
    const fault = drawFault(draw, kind, { server, client: peer })
    faults.push({ atMs: draw.between(0, durationMs), ...fault })
  }
  return faults.sort((one, other) => one.atMs - other.atMs)
}

/** Those that need no second broker. */
export type MachineFault = Exclude<
  FaultKind['kind'],
  'wipeDisk' | 'expireSession' | 'moveController'
>

export const machineFaults: readonly MachineFault[] = [
  'kill',
  'losePower',
  'dieAtDiskChange',
  'restart',
  'freeze',
  'cut',
  'reset',
  'jumpClock',
  'slowDisk',
  'fullDisk',
  'failDisk',
]

export function drawFault(
  draw: Draw,
  kind: MachineFault,
  { server, client }: { readonly server: string; readonly client: string },
): FaultKind {
  const downMs = draw.of([0, 100, 1000, 8000])
  const forMs = draw.of([50, 500, 3000, 9000])
  const any = draw.chance(75) ? server : client
  switch (kind) {
    case 'kill':
      return { kind, host: any, downMs }
    case 'losePower':
      return { kind, host: server, downMs, keepsSome: draw.chance(70) }
    case 'dieAtDiskChange': {
      const operations = draw.skewed(0, 200)
      return { kind, host: server, operations, downMs, power: draw.chance(50) }
    }
    case 'restart':
      return { kind, host: server, downMs }
    case 'freeze':
      return { kind, host: any, forMs }
    case 'cut': {
      const other = server === coordinationHost || draw.chance(50) ? brokerHost(0) : client
      const pair = server === other ? [server, coordinationHost] : [server, other]
      if (draw.chance(50)) pair.reverse()
      const [from = server, to = client] = pair
      return { kind, from, to, bothWays: draw.chance(50), forMs }
    }
    case 'reset':
      return { kind, host: server, other: draw.chance(50) ? client : otherServer(server) }
    case 'jumpClock':
      return { kind, host: any, byMs: draw.of([-3_600_000, -5000, 5000, 3_600_000]) }
    case 'slowDisk':
      return { kind, host: server, latencyMs: draw.of([50, 500, 3000]), forMs }
    case 'fullDisk':
      return { kind, host: server, forMs }
    case 'failDisk': {
      const operation = draw.of(['write', 'sync', 'read', 'syncDirectory', 'rename', 'open'])
      return { kind, host: server, operation, times: draw.of([1, 3]) }
    }
  }
}

function otherServer(server: string): string {
  return server === coordinationHost ? brokerHost(0) : coordinationHost
}
