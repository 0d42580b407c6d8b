/**
 * Makes a plan of one broker a plan of several: who holds which replicas, what they promise, who moves
 * them about, and faults that set brokers against each other. Drawn apart from the rest of the seed, so
 * that the plan with one broker stays what it is.
 */
import type { Random } from '../runtime/random.ts'
import { Draw } from './draw.ts'
import {
  type AdminPlan,
  brokerHost,
  coordinationHost,
  type Fault,
  type FaultKind,
  hostsOf,
  type Plan,
  type TopicPlan,
} from './plan.ts'
import { drawFault, machineFaults } from './swarm.ts'

const brokersMax = 5
const replicasMax = 3

/** One plan in five stays as it is. */
export function drawCluster(base: Plan, random: Random): Plan {
  const draw = new Draw(random)
  if (draw.chance(20)) return base
  const brokerCount = draw.between(2, brokersMax)
  const mayElectUnclean = draw.chance(10)
  const topics = base.topics.map((topic) => drawReplicas(draw, topic, brokerCount, mayElectUnclean))
  const plan = {
    ...base,
    brokerCount,
    topics,
    broker: { ...base.broker, ...drawReplication(draw, brokerCount) },
    recreatedFactor: draw.between(1, Math.min(replicasMax, brokerCount)),
    admins: Array.from({ length: draw.skewed(0, 2) }, (_, index) => drawAdmin(draw, index)),
  }
  return { ...plan, clockRates: drawRates(draw, plan), faults: drawFaults(draw, plan) }
}

/** The same plan with fewer brokers: what concerned only the others goes. */
export function withBrokers(plan: Plan, brokerCount: number): Plan {
  if (brokerCount >= plan.brokerCount) return plan
  const clip = (count: number): number => Math.min(count, brokerCount)
  const isLeft = (host: string): boolean => {
    const id = /^broker-(\d+)$/.exec(host)?.[1]
    return id === undefined || Number(id) < brokerCount
  }
  const factor = 'offsets.topic.replication.factor'
  return {
    ...plan,
    brokerCount,
    broker: { ...plan.broker, [factor]: String(clip(Number(plan.broker[factor] ?? 1))) },
    topics: plan.topics.map((topic) => ({
      ...topic,
      replicationFactor: clip(topic.replicationFactor),
    })),
    recreatedFactor: clip(plan.recreatedFactor),
    faults: plan.faults.filter((fault) => hostsOf(fault).every(isLeft)),
  }
}

/** Without these clients, and what was to befall them. */
export function withoutClients(plan: Plan, names: readonly string[]): Plan {
  const isLeft = ({ name }: { readonly name: string }): boolean => !names.includes(name)
  const isGone = (host: string): boolean =>
    names.some((name) => host === name || host.startsWith(`${name}-member-`))
  return {
    ...plan,
    producers: plan.producers.filter(isLeft),
    groups: plan.groups.filter(isLeft),
    coordinationClients: plan.coordinationClients.filter(isLeft),
    admins: plan.admins.filter(isLeft),
    recreated: plan.recreated.filter((name) => isLeft({ name })),
    faults: plan.faults.filter((fault) => !hostsOf(fault).some(isGone)),
  }
}

function drawReplicas(
  draw: Draw,
  topic: TopicPlan,
  brokerCount: number,
  mayElectUnclean: boolean,
): TopicPlan {
  const replicationFactor = Math.min(draw.of([1, 2, 3, 3]), brokerCount)
  const minimum = String(Math.min(draw.of([1, 2]), replicationFactor))
  const configs = {
    ...topic.configs,
    'min.insync.replicas': minimum,
    ...(mayElectUnclean ? { 'unclean.leader.election.enable': 'true' } : {}),
  }
  return { ...topic, replicationFactor, configs }
}

function drawReplication(draw: Draw, brokerCount: number): Record<string, string> {
  const factor = Math.min(draw.of([1, 2, 3, 3]), brokerCount)
  const level = draw.of(['', '', '2.0', '2.3', '2.7'])
  return {
    'offsets.topic.replication.factor': String(factor),
    'min.insync.replicas': String(Math.min(draw.of([1, 2]), factor)),
    'replica.lag.time.max.ms': draw.of(['1500', '5000', '30000']),
    'replica.fetch.wait.max.ms': draw.of(['100', '500']),
    'replica.fetch.backoff.ms': draw.of(['100', '1000']),
    'replica.socket.timeout.ms': draw.of(['3000', '30000']),
    'controller.socket.timeout.ms': draw.of(['3000', '30000']),
    'num.replica.fetchers': draw.of(['1', '2']),
    'auto.leader.rebalance.enable': draw.of(['true', 'false']),
    'leader.imbalance.check.interval.seconds': draw.of(['2', '300']),
    'controlled.shutdown.enable': draw.of(['true', 'true', 'false']),
    'controlled.shutdown.retry.backoff.ms': draw.of(['500', '5000']),
    ...(level === '' ? {} : { 'inter.broker.protocol.version': level }),
  }
}

function drawAdmin(draw: Draw, index: number): AdminPlan {
  return {
    name: `admin-${index}`,
    actions: draw.some(['grow', 'reassign', 'elect', 'alterConfigs']),
    gapMs: draw.of([300, 1500, 4000]),
  }
}

function drawRates(draw: Draw, { clockRates, brokerCount }: Plan): Record<string, number> {
  const rates: Record<string, number> = { ...clockRates }
  if (draw.chance(60)) return rates
  for (let id = 1; id < brokerCount; id += 1)
    if (draw.chance(40)) rates[brokerHost(id)] = 1 + draw.between(-20, 20) / 1000
  return rates
}

const clusterFaults = [
  ...machineFaults,
  // Twice as likely as the others: that is where replication breaks.
  ...(['kill', 'losePower', 'restart', 'freeze', 'cut', 'cut'] as const),
  ...(['wipeDisk', 'expireSession', 'moveController'] as const),
]

function drawFaults(draw: Draw, plan: Plan): Fault[] {
  const kinds = draw.some(clusterFaults)
  const count = draw.chance(5) ? 0 : draw.skewed(1, 10)
  const brokers = Array.from({ length: plan.brokerCount }, (_, id) => brokerHost(id))
  const clients = [
    ...plan.producers.map(({ name }) => name),
    ...plan.groups.flatMap(({ name, memberCount }) =>
      Array.from({ length: memberCount }, (_, index) => `${name}-member-${index}`),
    ),
    ...plan.admins.map(({ name }) => name),
  ]
  const pick = (hosts: readonly string[]): string => draw.of([coordinationHost, ...hosts])
  const faults: Fault[] = []
  for (let left = count; left > 0; left -= 1) {
    const kind = kinds[draw.between(0, kinds.length - 1)] ?? 'kill'
    const broker = brokers[draw.between(0, brokers.length - 1)] ?? brokerHost(0)
    const parties = { broker, server: pick(brokers), client: pick(clients), brokers }
    const fault = drawClusterFault(draw, kind, parties)
    // What one machine lost for ever, the others must have kept.
    const isSecondWipe =
      fault.kind === 'wipeDisk' && faults.some(({ kind: one }) => one === fault.kind)
    if (!isSecondWipe) faults.push({ atMs: draw.between(0, plan.durationMs), ...fault })
  }
  return faults.sort((one, other) => one.atMs - other.atMs)
}

interface Parties {
  readonly broker: string
  /** A broker, or the coordination server. */
  readonly server: string
  readonly client: string
  readonly brokers: readonly string[]
}

function drawClusterFault(
  draw: Draw,
  kind: FaultKind['kind'],
  { broker, server, client, brokers }: Parties,
): FaultKind {
  const downMs = draw.of([0, 100, 1000, 8000])
  const forMs = draw.of([50, 500, 3000, 9000])
  if (kind === 'wipeDisk') return { kind, host: broker, downMs }
  if (kind === 'expireSession') return { kind, host: broker }
  if (kind === 'moveController') return { kind }
  if (kind !== 'cut' && kind !== 'reset') return drawFault(draw, kind, { server, client })
  const all = [...brokers, ...brokers, coordinationHost, client]
  const others = all.filter((host) => host !== broker)
  const other = others[draw.between(0, others.length - 1)] ?? coordinationHost
  if (kind === 'reset') return { kind, host: broker, other }
  const [from, to] = draw.chance(50) ? [broker, other] : [other, broker]
  return { kind, from, to, bothWays: draw.chance(50), forMs }
}
