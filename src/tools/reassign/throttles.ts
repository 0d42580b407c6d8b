// Sets and clears the limits on the traffic of moves (KIP-73, KIP-113).
import type { ClusterAdmin, ConfigChange } from '../../client/admin/types.ts'
import type { Throttles } from './plan.ts'

const brokerRates = [
  'leader.replication.throttled.rate',
  'follower.replication.throttled.rate',
] as const
const logDirsRate = 'replica.alter.log.dirs.io.max.bytes.per.second'
const leaderReplicas = 'leader.replication.throttled.replicas'
const followerReplicas = 'follower.replication.throttled.replicas'

type Print = (text: string) => Promise<void>

/** @throws KafkaError */
async function change(admin: ClusterAdmin, changes: readonly ConfigChange[]): Promise<void> {
  if (changes.length === 0) return
  for (const { error } of await admin.alterConfigs(changes)) if (error !== undefined) throw error
}

export async function setTopicThrottles(admin: ClusterAdmin, throttles: Throttles): Promise<void> {
  const { leaders, followers } = throttles
  const topics = new Set([...leaders.keys(), ...followers.keys()])
  await change(
    admin,
    [...topics].map((name) => {
      const leading = leaders.get(name)
      const following = followers.get(name)
      const set = {
        ...(leading === undefined ? {} : { [leaderReplicas]: leading }),
        ...(following === undefined ? {} : { [followerReplicas]: following }),
      }
      return { type: 'topic' as const, name, set }
    }),
  )
}

export async function setBrokerThrottles(
  admin: ClusterAdmin,
  brokers: readonly number[],
  bytesPerSecond: number,
): Promise<void> {
  const rate = String(bytesPerSecond)
  const set = Object.fromEntries(brokerRates.map((name) => [name, rate]))
  await change(
    admin,
    brokers.map((id) => ({ type: 'broker' as const, name: String(id), set })),
  )
}

export async function setLogDirThrottles(
  admin: ClusterAdmin,
  brokers: readonly number[],
  bytesPerSecond: number,
): Promise<void> {
  const set = { [logDirsRate]: String(bytesPerSecond) }
  await change(
    admin,
    brokers.map((id) => ({ type: 'broker' as const, name: String(id), set })),
  )
}

/** Takes all of them away and says so. @throws KafkaError */
export async function clearThrottles(
  admin: ClusterAdmin,
  { brokers, topics }: { readonly brokers: readonly number[]; readonly topics: readonly string[] },
  print: Print,
): Promise<void> {
  const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`)
  await print(
    `Clearing broker-level throttles on ${plural('broker', brokers.length)} ${brokers.join(',')}`,
  )
  const rates = Object.fromEntries([...brokerRates, logDirsRate].map((name) => [name, null]))
  await change(
    admin,
    brokers.map((id) => ({ type: 'broker' as const, name: String(id), set: rates })),
  )
  await print(
    `Clearing topic-level throttles on ${plural('topic', topics.length)} ${topics.join(',')}`,
  )
  const replicas = { [leaderReplicas]: null, [followerReplicas]: null }
  await change(
    admin,
    topics.map((name) => ({ type: 'topic' as const, name, set: replicas })),
  )
}
