// Requests that the admin client has no call for: sent to one broker over a connection of their own.
import type { KafkaClient } from '../client/client.ts'
import { BrokerConnection } from '../client/connection.ts'
import { clientError } from '../client/errors.ts'
import type { BrokerNode } from '../client/types.ts'
import type { Tool } from './tool.ts'

const requestTimeoutMs = 30_000

/** Runs `action` with a connection to any broker. @throws KafkaError */
export async function atAnyBroker<T>(
  tool: Tool,
  client: KafkaClient,
  action: (connection: BrokerConnection) => Promise<T>,
): Promise<T> {
  const { brokers } = await client.admin().describeCluster()
  const node = brokers[0]
  if (node === undefined) throw clientError('NO_BROKER_REACHABLE', 'the cluster names no broker')
  return atBroker(tool, node, action)
}

/** The same with this one. @throws KafkaError */
export async function atBroker<T>(
  tool: Tool,
  { host, port }: Pick<BrokerNode, 'host' | 'port'>,
  action: (connection: BrokerConnection) => Promise<T>,
): Promise<T> {
  const settings = { host, port, clientId: 'adminclient-1', requestTimeoutMs }
  const connection = new BrokerConnection(tool.ports, settings)
  try {
    await connection.connect()
    return await action(connection)
  } finally {
    connection.close()
  }
}
