/** Admins: give topics more partitions, move replicas, call elections, change settings, one after another. */
import type { ClusterAdmin } from '../../client/admin/types.ts'
import { KafkaError } from '../../client/errors.ts'
import { delay } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { AdminAction, AdminPlan, TopicPlan } from '../plan.ts'
import type { ClientMain } from './processes.ts'
import type { Scene } from './scene.ts'

const partitionsMax = 6

export function adminMain(scene: Scene, plan: AdminPlan): ClientMain {
  return async (ports) => {
    const { random, clock } = ports
    const client = scene.client(ports, plan.name)
    const admin = client.clusterAdmin()
    while (!scene.isEnding) {
      await delay(clock, plan.gapMs)
      const action = plan.actions[random.below(plan.actions.length)]
      const topic = scene.plan.topics[random.below(scene.plan.topics.length)]
      if (action === undefined || topic === undefined || scene.isEnding) continue
      try {
        const brokerCount = scene.plan.brokerCount
        const outcome = await carryOut(action, topic, { admin, random, brokerCount })
        scene.world.note(`${plan.name}: ${action} ${topic.name}: ${outcome}`)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        scene.world.note(`${plan.name}: ${action} ${topic.name}: ${error.message}`)
      }
    }
    await client.close()
  }
}

interface Tools {
  readonly admin: ClusterAdmin
  readonly random: Random
  readonly brokerCount: number
}

/** Returns what became of it, in a word. @throws KafkaError */
async function carryOut(
  action: AdminAction,
  topic: TopicPlan,
  { admin, random, brokerCount }: Tools,
): Promise<string> {
  const { name, replicationFactor } = topic
  const partition = random.below(topic.partitionCount)
  switch (action) {
    case 'grow': {
      const [described] = await admin.describeTopics([name])
      const count = (described?.partitions.length ?? 0) + 1
      if (count < 2 || count > partitionsMax) return 'not now'
      return told(await admin.createPartitions([{ name, count }]))
    }
    case 'reassign': {
      const replicas = someBrokers(random, { count: replicationFactor, of: brokerCount })
      const isCancelled = random.below(5) === 0
      const wanted = { topic: name, partition, replicas: isCancelled ? null : replicas }
      return told(await admin.alterPartitionReassignments([wanted]))
    }
    case 'elect':
      return told(await admin.electLeaders('preferred', [{ topic: name, partition }]))
    case 'alterConfigs': {
      const set = { 'segment.bytes': ['2000', '9000'][random.below(2)] ?? '2000' }
      return told(await admin.alterConfigs([{ type: 'topic', name, set }]))
    }
  }
}

function told([outcome]: readonly { readonly error: KafkaError | undefined }[]): string {
  return outcome?.error?.message ?? 'done'
}

/** In an order of chance: the first is the preferred leader. */
function someBrokers(random: Random, { count, of }: { count: number; of: number }): number[] {
  const left = Array.from({ length: of }, (_, id) => id)
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0] ?? 0)
}
