// Finds brokers through ZooKeeper, for command lines of the time before --bootstrap-server.
import type { Ports } from '../runtime/service.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../zookeeper/client/client.ts'
import { ZooKeeperSession } from '../zookeeper/client/session.ts'
import { OptionError } from './options.ts'

const sessionTimeoutMs = 30_000
const brokersPath = '/brokers/ids'

export type SessionPorts = Pick<Ports, 'clock' | 'network' | 'random' | 'logger'>

/**
 * host:port of every live broker's PLAINTEXT listener.
 * @param connect as zookeeper.connect
 * @throws OptionError where ZooKeeper does not answer or knows no such broker
 */
export function brokersFromZooKeeper(ports: SessionPorts, connect: string): Promise<string[]> {
  return withZooKeeper(ports, connect, (session) => readBrokers(session, connect))
}

/**
 * Runs `action` with a session that is closed afterwards.
 * @param connect as zookeeper.connect
 * @throws OptionError where ZooKeeper does not answer or refuses
 */
export async function withZooKeeper<T>(
  ports: SessionPorts,
  connect: string,
  action: (session: ZooKeeperClient) => Promise<T>,
): Promise<T> {
  const session = openSession(ports, connect)
  try {
    await session.start()
    return await action(session)
  } catch (error) {
    if (isZooKeeperError(error)) throw new OptionError(`ZooKeeper at ${connect}: ${error.message}`)
    throw error
  } finally {
    await session.close()
  }
}

/** Of the words of --zookeeper: each may bring the chroot, or the last one only. */
export function connectString(words: readonly string[]): string {
  const hosts = words.map((word) => word.replace(/\/.*$/, ''))
  const chroot = words.findLast((word) => word.includes('/'))?.replace(/^[^/]*/, '') ?? ''
  return hosts.join(',') + chroot
}

function openSession(ports: SessionPorts, connect: string): ZooKeeperSession {
  try {
    return new ZooKeeperSession(ports, {
      connect,
      sessionTimeoutMs,
      connectTimeoutMs: sessionTimeoutMs,
    })
  } catch (error) {
    if (error instanceof RangeError) throw new OptionError(`--zookeeper: ${error.message}`)
    throw error
  }
}

async function readBrokers(
  session: Pick<ZooKeeperClient, 'getChildren' | 'getData'>,
  connect: string,
): Promise<string[]> {
  const found: string[] = []
  for (const id of (await idsOf(session)).sort()) {
    try {
      const { data } = await session.getData(`${brokersPath}/${id}`)
      const address = plaintextAddress(data)
      if (address !== undefined) found.push(address)
    } catch (error) {
      // It stopped meanwhile.
      if (!isZooKeeperError(error, 'NONODE')) throw error
    }
  }
  if (found.length > 0) return found
  throw new OptionError(`no broker with a PLAINTEXT listener is registered in ZooKeeper ${connect}`)
}

async function idsOf(session: Pick<ZooKeeperClient, 'getChildren'>): Promise<string[]> {
  try {
    return (await session.getChildren(brokersPath)).children
  } catch (error) {
    if (isZooKeeperError(error, 'NONODE')) return []
    throw error
  }
}

/** From a broker's znode, versions 1 to 5. undefined where it has no such listener. */
export function plaintextAddress(data: Uint8Array): string | undefined {
  let znode: unknown
  try {
    znode = JSON.parse(Buffer.from(data).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof znode !== 'object' || znode === null) return undefined
  const endpoints = 'endpoints' in znode && Array.isArray(znode.endpoints) ? znode.endpoints : []
  const protocols =
    'listener_security_protocol_map' in znode ? znode.listener_security_protocol_map : undefined
  for (const endpoint of endpoints.map(String)) {
    const [, listener = '', address] = /^([^:]+):\/\/(.+:\d+)$/.exec(endpoint) ?? []
    const mapped = new Map<string, unknown>(Object.entries(protocols ?? {})).get(listener)
    if (address !== undefined && (mapped ?? listener) === 'PLAINTEXT') return address
  }
  if (endpoints.length > 0 || !('host' in znode) || !('port' in znode)) return undefined
  return typeof znode.host === 'string' && znode.host !== ''
    ? `${znode.host}:${Number(znode.port)}`
    : undefined
}
