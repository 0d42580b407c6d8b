/** Time set forward, for the whole cluster at once. */
import { BrokerConnection } from '../client/connection.ts'
import { Heartbeat } from '../kafka/messages/heartbeat.ts'
import { delay, type Clock } from '../runtime/clock.ts'
import type { Network } from '../runtime/network.ts'
import { loopback } from './node-parts.ts'
import type { BrokerNode } from './broker-node.ts'
import { turnEnd, type JumpClock } from './clock.ts'
import type { Fleet } from './fleet.ts'
import type { Membership } from './members.ts'
import { ownClientId } from './tap.ts'

export interface AdvanceOptions {
  /**
   * Clients and brokers that are there have not slept, so by default (false) their sessions last: those
   * of group members, and those of brokers with the coordination server. Sessions whose owner is gone,
   * paused or cut off end when their time is over. members: those of members end as well. brokers: those
   * of brokers do, as if all had been paused for too long: some 25 s, which a member must outlast. true: both.
   */
  readonly expireSessions?: boolean | 'members' | 'brokers'
}

export interface Advance extends AdvanceOptions {
  readonly byMs: number
  /** The real clock, and the one to be moved. */
  readonly base: Clock
  readonly clock: JumpClock
  readonly network: Network
  readonly fleet: Fleet
}

const requestTimeoutMs = 10_000
/** Longer than followers' fetches wait at their leader (replica.fetch.wait.max.ms). */
const fetchWaitMs = 1000
/** A follower that is not heard of for so long of real time has something else to do. */
const patienceMs = 500

/**
 * Moves the clock, lets those who live be heard first, then runs what fell due: once each, in the order
 * in which it would have. Resolves when that is done.
 */
export async function advanceTime(advance: Advance): Promise<void> {
  const { byMs, expireSessions = false, base, clock, fleet } = advance
  const membersStay = expireSessions === false || expireSessions === 'brokers'
  const brokersStay = expireSessions === false || expireSessions === 'members'
  const { links, running, coordination } = fleet
  const expiryMs = brokersStay ? 0 : timeToExpire(fleet)
  await turnEnd(base)
  clock.jump(Math.max(0, byMs - expiryMs))
  try {
    coordination.hear((port) => fleet.isSilentFor('coordination', links.callerAt(port)))
    const connected = running.filter(({ id }) => !links.areParted(id, 'coordination'))
    await Promise.all(connected.map((node) => node.beHeard()))
    if (membersStay) await Promise.all(running.map((node) => beHeard(node, advance)))
    const fetches = Promise.all(followersFetches(fleet))
    await clock.releaseFirst(fetchWaitMs)
    await Promise.race([fetches, delay(base, patienceMs)])
  } finally {
    await clock.release()
  }
  if (!brokersStay) await expireBrokers(advance, expiryMs)
}

function timeToExpire({ running, coordination }: Fleet): number {
  const timesMs = running.map(({ sessionTimeoutMs }) => sessionTimeoutMs)
  return Math.max(0, ...timesMs) + 2 * coordination.tickMs
}

/**
 * As if all brokers that run had been paused for longer than their sessions last. The next controller is
 * chosen when all have a new one, so that no broker is taken for dead by another that was faster.
 */
async function expireBrokers({ fleet, clock }: Advance, expiryMs: number): Promise<void> {
  const { links, running, coordination, witness } = fleet
  const concerned = running.filter(({ id }) => !links.areParted(id, 'coordination'))
  const sessions = new Map(concerned.map((node) => [node, node.sessionId]))
  // Before the jump, so that none of them is heard of after it.
  await Promise.all(concerned.map((node) => node.pause()))
  clock.jump(expiryMs)
  // What speaks ZooKeeper's protocol and is no broker keeps its session in any case.
  coordination.hear((port) => links.callerAt(port) !== undefined)
  await clock.release()
  await witness.until(async () => {
    const live = new Set(await witness.brokers())
    return concerned.some(({ id }) => live.has(id)) ? undefined : true
  })
  await witness.holdOffice()
  for (const node of concerned) node.resume()
  await witness.until(async () => {
    const live = new Set(await witness.brokers())
    const isBack = (node: BrokerNode): boolean =>
      live.has(node.id) && node.hasSessionAfter(sessions.get(node))
    return concerned.every(isBack) ? true : undefined
  })
  await witness.releaseOffice()
  await witness.until(async () => {
    const controller = await witness.controller()
    return fleet.nodes[controller] === undefined ? undefined : true
  })
  await fleet.settled()
}

/** The next fetch of each follower whose leader it reaches: its present one ends by the jump. */
function followersFetches(fleet: Fleet): Promise<void>[] {
  const fetches: Promise<void>[] = []
  for (const node of fleet.running)
    for (const connection of node.connections)
      if (!fleet.isSilentFor(node.id, fleet.links.callerAt(connection.remotePort)))
        fetches.push(connection.nextFollowerFetch())
  return fetches
}

/** One heartbeat for every member that lives on an open connection to this broker. */
async function beHeard(broker: BrokerNode, { base, network }: Advance): Promise<void> {
  const members: Membership[] = []
  for (const { members: known } of broker.connections) members.push(...known.all)
  const [address] = broker.addresses
  if (members.length === 0 || address === undefined) return
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  const connection = new BrokerConnection(
    { clock: base, network },
    { host: loopback, port, clientId: ownClientId, requestTimeoutMs },
  )
  try {
    await connection.connect()
    const version = connection.version(Heartbeat)
    await Promise.all(members.map((member) => connection.request(Heartbeat, version, member)))
  } finally {
    connection.close()
  }
}
