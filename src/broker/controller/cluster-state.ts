import {
  isZooKeeperError,
  type Watcher,
  type ZooKeeperClient,
} from '../../zookeeper/client/client.ts'
import {
  decodeBroker,
  decodePartitionState,
  decodeTopic,
  paths,
  type BrokerRegistration,
  type PartitionState,
  type TopicAssignment,
} from '../znodes.ts'

/** A partition's state with the version of its znode, which is the partition epoch. */
export interface StoredState extends PartitionState {
  readonly version: number
}

export interface KnownTopic {
  readonly assignment: TopicAssignment
  /** zkVersion of the topic's node. */
  readonly version: number
  readonly states: Map<number, StoredState>
  /** Brokers know of it as it is now. */
  isTold: boolean
}

export async function readBrokers(
  zookeeper: ZooKeeperClient,
  watcher: Watcher,
): Promise<Map<number, BrokerRegistration>> {
  const { children } = await zookeeper.getChildren(paths.brokerIds, watcher)
  const brokers = new Map<number, BrokerRegistration>()
  await Promise.all(
    children.map(async (child) => {
      const found = await readIfThere(zookeeper, `${paths.brokerIds}/${child}`)
      const broker = found && decodeBroker(Number(child), found.data)
      if (broker !== undefined) brokers.set(broker.id, broker)
    }),
  )
  return brokers
}

/** Undefined where the topic has gone, or its node is not to be read. */
export async function readTopic(
  zookeeper: ZooKeeperClient,
  topic: string,
  watcher: Watcher,
): Promise<KnownTopic | undefined> {
  const found = await readIfThere(zookeeper, paths.topic(topic), watcher)
  const assignment = found && decodeTopic(found.data)
  if (found === undefined || assignment === undefined) return undefined
  const states = new Map<number, StoredState>()
  await Promise.all(
    [...assignment.partitions.keys()].map(async (index) => {
      const node = await readIfThere(zookeeper, paths.partitionState(topic, index))
      const state = node && decodePartitionState(node.data)
      if (node !== undefined && state !== undefined)
        states.set(index, { ...state, version: node.version })
    }),
  )
  return { assignment, version: found.version, states, isTold: false }
}

export async function readIfThere(
  zookeeper: ZooKeeperClient,
  path: string,
  watcher?: Watcher,
): Promise<{ data: Buffer; version: number } | undefined> {
  try {
    const { data, stat } = await zookeeper.getData(path, watcher)
    return { data, version: stat.version }
  } catch (error) {
    if (isZooKeeperError(error, 'NONODE')) return undefined
    throw error
  }
}

export async function deleteIfThere(
  zookeeper: ZooKeeperClient,
  path: string,
  version = -1,
): Promise<void> {
  try {
    await zookeeper.delete(path, version)
  } catch (error) {
    if (!isZooKeeperError(error, 'NONODE')) throw error
  }
}

/** A node and all below it, children before their parents; empty where there is none. */
export async function treeOf(zookeeper: ZooKeeperClient, path: string): Promise<string[]> {
  try {
    const { children } = await zookeeper.getChildren(path)
    const below = await Promise.all(children.map((child) => treeOf(zookeeper, `${path}/${child}`)))
    return [...below.flat(), path]
  } catch (error) {
    if (isZooKeeperError(error, 'NONODE')) return []
    throw error
  }
}
