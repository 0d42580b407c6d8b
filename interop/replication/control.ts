/** Moves of the controller and of leaders, as an operator makes them, and what they come to. */
import assert from 'node:assert/strict'
import { KafkaClient } from '../../src/client/client.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import { isZooKeeperError } from '../../src/zookeeper/client/client.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { until } from '../../test/platform/chain.ts'
import { ask, awaitPartitions, ports } from './cluster.ts'

export async function withZooKeeper<T>(
  connect: string,
  action: (session: ZooKeeperSession) => Promise<T>,
): Promise<T> {
  const limits = { sessionTimeoutMs: 10_000, connectTimeoutMs: 30_000 }
  const session = new ZooKeeperSession(ports, { connect, ...limits })
  await session.start()
  try {
    return await action(session)
  } finally {
    await session.close()
  }
}

/** Takes the office away until this broker has it, and waits until the broker that is asked knows. */
export async function makeController(connect: string, id: number, port: number): Promise<void> {
  await withZooKeeper(connect, async (session) => {
    await until(`broker ${id} is the controller`, 60_000, async () => {
      try {
        const { data } = await session.getData('/controller')
        if ((JSON.parse(data.toString()) as { brokerid: number }).brokerid === id) return true
        await session.delete('/controller')
      } catch (error) {
        if (!isZooKeeperError(error, 'NONODE')) throw error
      }
      return undefined
    })
  })
  await until(`broker ${id} is known as the controller`, 30_000, async () => {
    const { controllerId } = await ask(port, Metadata, 1, { topics: [] })
    return controllerId === id ? true : undefined
  })
}

export interface Moving {
  readonly bootstrap: string
  readonly topic: string
  readonly count: number
  /** Of the broker to ask whether it is done. */
  readonly port: number
}

/** The replicas in an order that prefers this broker, then an election of the preferred. */
export async function moveLeaders(
  { bootstrap, topic, count, port }: Moving,
  leader: number,
): Promise<void> {
  const client = new KafkaClient(ports, {
    bootstrapServers: bootstrap.split(','),
    clientId: 'mover',
  })
  try {
    const admin = client.clusterAdmin()
    const of = Array.from({ length: count }, (_, partition) => ({ topic, partition }))
    const replicas = [leader, 1 - leader]
    const ordered = await admin.alterPartitionReassignments(of.map((one) => ({ ...one, replicas })))
    for (const { error } of ordered) assert.equal(error, undefined)
    await until('the reassignment is over', 30_000, async () => {
      const under = await admin.listPartitionReassignments()
      return under.length === 0 ? true : undefined
    })
    for (const { error } of await admin.electLeaders('preferred', of))
      if (error !== undefined) assert.match(String(error), /ELECTION_NOT_NEEDED/)
  } finally {
    await client.close()
  }
  const is = (view: { readonly leader: number }) => view.leader === leader
  await awaitPartitions(port, topic, { count, what: `broker ${leader} leads`, is })
}
