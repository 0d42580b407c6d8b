import { isDeepStrictEqual } from 'node:util'
import { UserError, type Ports } from '../runtime/service.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../zookeeper/client/client.ts'
import { readMetaProperties } from '../storage/meta-properties.ts'
import type { BrokerSettings } from './config/broker.ts'
import { deleteIfThere, readIfThere } from './controller/cluster-state.ts'
import { randomTopicId } from './topic-ids.ts'
import {
  brokerVersion,
  decodeBroker,
  decodeClusterId,
  encodeBroker,
  encodeClusterId,
  paths,
  persistentPaths,
  type BrokerRegistration,
} from './znodes.ts'

/** The cluster's id, made by the first broker that ever starts; a UUID as Kafka prints it. */
export async function clusterId(
  zookeeper: ZooKeeperClient,
  ports: Pick<Ports, 'random'>,
): Promise<string> {
  const known = await readIfThere(zookeeper, paths.clusterId)
  if (known !== undefined) return decodeClusterId(known.data) ?? ''
  const data = encodeClusterId(randomTopicId(ports.random))
  await zookeeper.makePath('/cluster')
  try {
    await zookeeper.create(paths.clusterId, data, { stat: false })
  } catch (error) {
    if (!isZooKeeperError(error, 'NODEEXISTS')) throw error
  }
  const made = await readIfThere(zookeeper, paths.clusterId)
  return (made && decodeClusterId(made.data)) ?? ''
}

/** They hold null, which is not the same as nothing: Kafka reads an empty producer id block as damaged. */
export async function makePersistentPaths(zookeeper: ZooKeeperClient): Promise<void> {
  // The empty path is the chroot, which may be missing as well.
  await zookeeper.makePath('')
  const wanted = [...new Set(persistentPaths.flatMap(withParents))]
  const found = await Promise.all(wanted.map((path) => zookeeper.exists(path)))
  // Asked for together they are done in this order, parents first, and one flush serves them all.
  await Promise.all(
    wanted.filter((_, at) => found[at] === null).map((path) => createIfMissing(zookeeper, path)),
  )
}

function withParents(path: string): string[] {
  const parts = path.split('/').slice(1)
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)
}

async function createIfMissing(zookeeper: ZooKeeperClient, path: string): Promise<void> {
  try {
    await zookeeper.create(path, null, { stat: false })
  } catch (error) {
    if (!isZooKeeperError(error, 'NODEEXISTS')) throw error
  }
}

/** broker.id, or what the log directories say, or a new one above reserved.broker.max.id. */
export async function brokerId(
  zookeeper: ZooKeeperClient,
  { disk }: Pick<Ports, 'disk'>,
  settings: BrokerSettings,
): Promise<number> {
  if (settings.brokerId >= 0) return settings.brokerId
  const stored = new Set<number>()
  for (const directory of settings.logDirectories) {
    const meta = readMetaProperties(disk, `${directory}/meta.properties`)
    if (meta !== undefined) stored.add(meta.brokerId)
  }
  const [known, ...others] = stored
  if (others.length > 0)
    throw new UserError(`log.dirs: the directories belong to brokers ${[...stored].join(', ')}`)
  if (known !== undefined) return known
  if (!settings.brokerIdGenerationEnable)
    throw new UserError('broker.id is missing, and broker.id.generation.enable is false')
  const { version } = await zookeeper.setData(paths.brokerSequence, Buffer.alloc(0))
  return settings.reservedBrokerIdMax + version
}

/**
 * Makes the broker's ephemeral node, and returns the broker's epoch: its czxid. One that names the very endpoints which this process has bound is
 * left over from an earlier life of this broker, killed a moment ago: it is replaced, without the wait
 * for its session to end. Any other is a taken broker id.
 */
export async function register(
  zookeeper: ZooKeeperClient,
  broker: BrokerRegistration,
  nowMs: number,
): Promise<bigint> {
  const path = paths.brokerId(broker.id)
  const data = encodeBroker(broker, nowMs)
  for (let attempt = 0; ; attempt += 1) {
    try {
      await zookeeper.create(path, data, { ephemeral: true, stat: false })
      return (await zookeeper.exists(path))?.czxid ?? -1n
    } catch (error) {
      if (!isZooKeeperError(error, 'NODEEXISTS')) throw error
    }
    const found = await readIfThere(zookeeper, path)
    const left = found && decodeBroker(broker.id, found.data)
    if (left !== undefined && (attempt > 0 || !isDeepStrictEqual(left.endpoints, broker.endpoints)))
      throw new UserError(
        `broker.id=${broker.id} is registered already, at ${left.endpoints.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
      )
    if (found !== undefined) await deleteIfThere(zookeeper, path, found.version)
  }
}

/**
 * What the other brokers of the cluster rule out: a level that this one does not speak, or an address
 * that is one of theirs. @throws UserError
 */
export async function refuseStrangers(
  zookeeper: ZooKeeperClient,
  { id, endpoints }: BrokerRegistration,
): Promise<void> {
  const { children } = await zookeeper.getChildren(paths.brokerIds)
  for (const child of children) {
    if (child === String(id)) continue
    const node = await readIfThere(zookeeper, `${paths.brokerIds}/${child}`)
    if (node === undefined) continue
    if (brokerVersion(node.data) >= 5)
      throw new UserError(
        `broker ${child} of this cluster speaks a newer level: set its inter.broker.protocol.version to 2.3 or below`,
      )
    const theirs = decodeBroker(Number(child), node.data)?.endpoints ?? []
    const taken = endpoints.find(({ host, port }) =>
      theirs.some((other) => other.host === host && other.port === port),
    )
    if (taken !== undefined)
      throw new UserError(
        `listeners: ${taken.host}:${taken.port} is registered already by broker ${child}`,
      )
  }
}
