// kafka-broker-api-versions: what every broker of a cluster speaks, and what of it our client does.
import { KafkaError } from '../../client/errors.ts'
import type { BrokerNode } from '../../client/types.ts'
import { ApiVersions } from '../../kafka/messages/api-versions.ts'
import { everyApi } from '../../kafka/messages/every.ts'
import { atBroker } from '../ask-broker.ts'
import { withCluster } from '../cluster-tool.ts'
import { clusterOptions } from '../common-options.ts'
import { exceptionText } from '../java-names.ts'
import type { Options } from '../options.ts'
import { write } from '../output.ts'
import type { Command, Tool } from '../tool.ts'

export const apiVersionsCommand: Command<typeof clusterOptions> = {
  name: 'kafka-broker-api-versions',
  className: 'kafka.admin.BrokerApiVersionsCommand',
  about: 'Prints the versions of all requests that each broker takes.',
  options: clusterOptions,
  run,
}

/** What a broker says of one request. */
export interface SpokenApi {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

function run(given: Options<typeof clusterOptions>, tool: Tool): Promise<number> {
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    config: given.text('command-config'),
    clientId: 'admin-1',
  }
  return withCluster(tool, whereabouts, async (client) => {
    const { stdout, stderr } = tool.context
    const { brokers } = await client.admin().describeCluster()
    for (const broker of brokers.toSorted((one, other) => one.nodeId - other.nodeId)) {
      try {
        const answer = await atBroker(tool, broker, (connection) =>
          connection.request(ApiVersions, 0, {}),
        )
        await write(stdout, versionText(broker, answer.apiKeys))
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        stderr.write(`${nodeText(broker)} -> ERROR: ${exceptionText(error)}\n`)
      }
    }
    return 0
  })
}

function nodeText({ host, port, nodeId, rack }: BrokerNode): string {
  return `${host}:${port} (id: ${nodeId} rack: ${rack})`
}

/** Only controllers in KRaft mode are asked these, so that no broker is said to lack them. */
const controllerOnly: ReadonlySet<number> = new Set([52, 53, 54, 59, 62, 63, 70, 73, 82])
/** Of 3.9.1: newer ones are shown where a broker has them. */
const keyMax = 87

export function versionText(broker: BrokerNode, spoken: readonly SpokenApi[]): string {
  const theirs = new Map(spoken.map((one) => [one.apiKey, one]))
  const lines: (readonly [number, string])[] = []
  for (const { key, name, versions } of everyApi) {
    const one = theirs.get(key)
    theirs.delete(key)
    if (one === undefined && (controllerOnly.has(key) || key > keyMax)) continue
    lines.push([
      key,
      `\t${name}(${key}): ${one === undefined ? 'UNSUPPORTED' : usable(one, versions)}`,
    ])
  }
  for (const one of theirs.values())
    lines.push([one.apiKey, `\tUNKNOWN(${one.apiKey}): ${range(one)}`])
  const sorted = lines.toSorted(([one], [other]) => one - other).map(([, line]) => line)
  return `${nodeText(broker)} -> (\n${sorted.join(',\n')}\n)\n`
}

function range({ minVersion, maxVersion }: SpokenApi): string {
  return minVersion === maxVersion ? String(minVersion) : `${minVersion} to ${maxVersion}`
}

function usable(theirs: SpokenApi, ours: { readonly min: number; readonly max: number }): string {
  const version = Math.min(theirs.maxVersion, ours.max)
  if (version >= Math.max(theirs.minVersion, ours.min))
    return `${range(theirs)} [usable: ${version}]`
  const why = theirs.minVersion > ours.max ? 'node too new' : 'node too old'
  return `${range(theirs)} [unusable: ${why}]`
}
