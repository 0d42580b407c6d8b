/** One run: act one under faults, then healing, then act two. */
import { SeededRandom } from '../memory/random.ts'
import { Cluster } from './cluster.ts'
import { Faults } from './faults.ts'
import { observerHost, type Plan } from './plan.ts'
import { drawPlan, memberName } from './swarm.ts'
import { drawCluster, withBrokers } from './swarm-cluster.ts'
import { adminMain } from './workload/admins.ts'
import { coordinationClientMain } from './workload/coordination-clients.ts'
import { Finale } from './workload/finale.ts'
import { memberMain } from './workload/groups.ts'
import { Observer } from './workload/observer.ts'
import { Processes } from './workload/processes.ts'
import { producerMain } from './workload/producers.ts'
import { recreatorMain } from './workload/recreator.ts'
import { Scene } from './workload/scene.ts'
import { type Violation, World } from './world.ts'

export interface RunOptions {
  /** Gets each line of the trace. */
  readonly trace?: (line: string) => void
  /** A mutant: brokers lose with their process what they have not synced. */
  readonly keepsWritesInProcess?: boolean
}

export interface Outcome {
  /** Of the trace: 64 hexadecimal digits. */
  readonly hash: string
  readonly violations: readonly Violation[]
  readonly events: number
  readonly virtualMs: number
}

/** Far from the seeds themselves: what clusters add is drawn apart. */
const clusterSeeds = 2 ** 40

const startLimitMs = 60_000

/** @param brokers at most so many; 1: a plan that was drawn for one broker. Default: as the seed has it. */
export function planOf(seed: number, brokers = Infinity): Plan {
  const base = drawPlan(seed, new SeededRandom(seed))
  if (brokers === 1) return base
  return withBrokers(drawCluster(base, new SeededRandom(seed + clusterSeeds)), brokers)
}

export async function run(plan: Plan, options: RunOptions = {}): Promise<Outcome> {
  const { trace } = options
  const world = new World(plan.seed, { ...plan.network, ...(trace === undefined ? {} : { trace }) })
  const cluster = new Cluster(world, plan, options.keepsWritesInProcess === true)
  const scene = new Scene(world, cluster, plan)
  const processes = new Processes(world)
  const observer = new Observer(scene, world.addHost(observerHost).boot().ports)
  const zookeeper = () => observer.zookeeper()
  const faults = new Faults(world, { cluster, clients: processes, zookeeper })
  addClients(scene, processes)
  world.note(JSON.stringify(plan))
  cluster.start()
  if (await prepare(world, cluster, observer)) {
    processes.start()
    observer.watch().catch((error: unknown) => world.onUnheard(error))
    faults.schedule(plan)
    await world.run(plan.durationMs)
    faults.heal()
    await new Finale(scene, observer, processes).run()
  }
  const { violations, nowMs } = world
  const { events } = world.trace
  return { hash: world.trace.digest(), violations, events, virtualMs: nowMs }
}

function addClients(scene: Scene, processes: Processes): void {
  const { plan } = scene
  const rate = (host: string): number => plan.clockRates[host] ?? 1
  for (const producer of plan.producers)
    processes.add(producer.name, producerMain(scene, producer), rate(producer.name))
  for (const group of plan.groups)
    for (let index = 0; index < group.memberCount; index += 1) {
      const host = memberName(group.name, index)
      processes.add(host, memberMain(scene, group, host), rate(host))
    }
  for (const admin of plan.admins)
    processes.add(admin.name, adminMain(scene, admin), rate(admin.name))
  for (const topic of plan.recreated) processes.add(topic, recreatorMain(scene, topic))
  for (const client of plan.coordinationClients)
    processes.add(client.name, coordinationClientMain(scene, client), rate(client.name))
}

async function prepare(world: World, cluster: Cluster, observer: Observer): Promise<boolean> {
  let isPrepared = false
  if (await world.run(startLimitMs, () => cluster.isReady)) {
    observer.prepare().then(
      () => {
        isPrepared = true
      },
      (error: unknown) => world.onUnheard(error),
    )
    if (await world.run(startLimitMs, () => isPrepared)) return true
  }
  if (world.violations.length === 0)
    world.observe({ kind: 'stuck', what: 'the cluster does not start' })
  return false
}
