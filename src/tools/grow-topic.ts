// Adds partitions by the topic's znode, as kafka-topics did before brokers had an API for it (0.10.2 and
// older ones have none).
import type { Admin } from '../client/admin/types.ts'
import { connectString, withZooKeeper } from './bootstrap.ts'
import { objectAt, parseObject } from './json-shape.ts'
import { proposeReplicas } from './reassign/plan.ts'
import type { Tool } from './tool.ts'
import { TopicCommandError } from './topic-options.ts'

export interface Growth {
  readonly topic: string
  /** Of partitions, then. */
  readonly count: number
  /** Brokers of the partitions that are added; chosen where left out. */
  readonly assignments?: readonly (readonly number[])[] | undefined
}

/** @throws TopicCommandError, UserError, OptionError */
export async function growThroughZooKeeper(
  tool: Tool,
  { zookeeper, admin }: { readonly zookeeper: readonly string[]; readonly admin: Admin },
  { topic, count, assignments }: Growth,
): Promise<void> {
  const { brokers } = await admin.describeCluster()
  const path = `/brokers/topics/${topic}`
  await withZooKeeper(tool.ports, connectString(zookeeper), async (session) => {
    const { data, stat } = await session.getData(path)
    const json = parseObject(data.toString('utf8'), path)
    const partitions = { ...objectAt(json['partitions'], `${path}: partitions`) }
    const present = Object.keys(partitions).length
    if (count <= present) {
      throw new TopicCommandError('The number of partitions for a topic can only be increased')
    }
    const first = partitions['0']
    const counts = {
      partitions: count - present,
      replicas: Array.isArray(first) ? first.length : 1,
    }
    const nodes = brokers.map(({ nodeId, rack }) => ({ id: nodeId, rack }))
    const draw = (limit: number): number => tool.ports.random.below(limit)
    const added = assignments ?? proposeReplicas(nodes, counts, draw)
    if (added.length !== counts.partitions) {
      throw new TopicCommandError(
        `--replica-assignment names ${added.length + present} partitions, not ${count}`,
      )
    }
    for (const [index, replicas] of added.entries()) partitions[present + index] = replicas
    // With the version, so that two that grow a topic at once do not undo each other.
    await session.setData(path, Buffer.from(JSON.stringify({ ...json, partitions })), stat.version)
  })
}
