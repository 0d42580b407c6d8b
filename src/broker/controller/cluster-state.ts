/** Reads what the znodes say of brokers, topics and partitions. */
import {
  isZooKeeperError,
  type Watcher,
  type ZooKeeperClient,
} from '../../zookeeper/client/client.ts'
import {
  brokerIdOf,
  decodeBroker,
  decodePartitionState,
  decodeTopic,
  paths,
  type TopicAssignment,
} from '../znodes.ts'
import type { LiveBroker, StoredState } from './cluster.ts'
import type { IgnoreNode } from './unreadable.ts'

/** The live brokers; the watcher tells of comings, goings, and registrations that are rewritten. */
export async function readBrokers(
  zookeeper: ZooKeeperClient,
  ignore: IgnoreNode,
  watcher: Watcher,
): Promise<Map<number, LiveBroker>> {
  const { children } = await zookeeper.getChildren(paths.brokerIds, watcher)
  const brokers = new Map<number, LiveBroker>()
  await Promise.all(
    children.map(async (child) => {
      const id = brokerIdOf(child)
      if (id === undefined) {
        ignore(`${paths.brokerIds}/${child}`, 'its name is no broker id')
        return
      }
      const found = await readIfThere(zookeeper, paths.brokerId(id), watcher)
      const broker = found && decodeBroker(id, found.data)
      if (found === undefined) return
      if (broker === undefined) ignore(paths.brokerId(id))
      else brokers.set(broker.id, { ...broker, epoch: found.czxid })
    }),
  )
  return brokers
}

export interface TopicNode {
  readonly assignment: TopicAssignment
  readonly version: number
}

/** Undefined where the topic has gone, or its node is not to be read. */
export async function readTopic(
  zookeeper: ZooKeeperClient,
  topic: string,
  ignore: IgnoreNode,
  watcher?: Watcher,
): Promise<TopicNode | undefined> {
  const path = paths.topic(topic)
  const found = await readIfThere(zookeeper, path, watcher)
  if (found === undefined) return undefined
  const assignment = decodeTopic(found.data)
  if (assignment === undefined) {
    ignore(path)
    return undefined
  }
  return { assignment, version: found.version }
}

/** The states of these partitions; those that have none, or none that makes sense, are left out. */
export async function readStates(
  zookeeper: ZooKeeperClient,
  topic: string,
  partitions: Iterable<number>,
  ignore: IgnoreNode,
): Promise<Map<number, StoredState>> {
  const states = new Map<number, StoredState>()
  await Promise.all(
    [...partitions].map(async (index) => {
      const path = paths.partitionState(topic, index)
      const node = await readIfThere(zookeeper, path)
      const state = node && decodePartitionState(node.data)
      if (node === undefined) return
      if (state === undefined) ignore(path)
      else states.set(index, { ...state, version: node.version, mzxid: node.mzxid })
    }),
  )
  return states
}

export async function readIfThere(
  zookeeper: ZooKeeperClient,
  path: string,
  watcher?: Watcher,
): Promise<{ data: Buffer; version: number; czxid: bigint; mzxid: bigint } | undefined> {
  try {
    const { data, stat } = await zookeeper.getData(path, watcher)
    return { data, version: stat.version, czxid: stat.czxid, mzxid: stat.mzxid }
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
