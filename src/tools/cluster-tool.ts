// What every tool shares that asks a cluster: finding brokers, opening a client, ending early.
import type { KafkaClient } from '../client/client.ts'
import { adminSettings } from './client-settings.ts'
import { OptionError } from './options.ts'
import { findBrokers, openClient, propertiesOf, stoppedCode, type Tool } from './tool.ts'

export interface ClusterWhereabouts {
  readonly brokers: string | undefined
  readonly zookeeper?: readonly string[]
  /** A properties file of the admin client. */
  readonly config: string | undefined
  readonly clientId: string
  /** Limit of one call with its retries; over the properties'. */
  readonly callTimeoutMs?: number | undefined
}

/**
 * Runs `action` with a client that is closed afterwards; a stop ends it at once. Resolves to the exit
 * code. @throws OptionError where no broker is named
 */
export async function withCluster(
  tool: Tool,
  { brokers, zookeeper = [], config, clientId, callTimeoutMs }: ClusterWhereabouts,
  action: (client: KafkaClient) => Promise<number>,
): Promise<number> {
  if (brokers === undefined && zookeeper.length === 0) {
    throw new OptionError('Missing required argument "[bootstrap-server]"')
  }
  const bootstrapServers = await findBrokers(tool, { brokers, zookeeper })
  const { client: settings, warnings } = adminSettings(propertiesOf(tool, config))
  const limited = callTimeoutMs === undefined ? settings : { ...settings, callTimeoutMs }
  const client = openClient(tool, { settings: limited, warnings, bootstrapServers, clientId })
  const stopped = tool.context.stopRequested.then(stoppedCode)
  try {
    return await Promise.race([action(client), stopped])
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}
