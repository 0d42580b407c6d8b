/** Time set forward, for the whole cluster at once. */
import { BrokerConnection } from '../client/connection.ts'
import { Heartbeat } from '../kafka/messages/heartbeat.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Network } from '../runtime/network.ts'
import { turnEnd, type JumpClock } from './clock.ts'
import { loopback, type BrokerNode } from './nodes.ts'
import type { Membership } from './members.ts'
import { ownClientId } from './tap.ts'

export interface AdvanceOptions {
  /**
   * keep (default): clients live in real time and have not missed a heartbeat, so members of groups whose
   * connection is open stay; one whose connection is gone ends when its session time is over. expire:
   * every member whose session time is over ends. Sessions with the coordination server always stay.
   */
  readonly sessions?: 'keep' | 'expire'
}

export interface Advance extends AdvanceOptions {
  readonly byMs: number
  /** The real clock, and the one to be moved. */
  readonly base: Clock
  readonly clock: JumpClock
  readonly network: Network
  readonly brokers: readonly BrokerNode[]
}

const requestTimeoutMs = 10_000

/**
 * Moves the clock, lets live clients be heard first, then runs what fell due: once each, in the order in
 * which it would have. Resolves when that is done.
 */
export async function advanceTime(advance: Advance): Promise<void> {
  const { byMs, sessions, base, clock, brokers } = advance
  await turnEnd(base)
  clock.jump(byMs)
  try {
    if (sessions !== 'expire') await Promise.all(brokers.map((broker) => beHeard(broker, advance)))
  } finally {
    await clock.release()
  }
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
