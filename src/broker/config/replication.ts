import { UserError } from '../../runtime/service.ts'
import { interBrokerLevel, type InterBrokerLevel } from '../controller/level.ts'
import type { ReplicationSettings } from '../replication/settings.ts'
import type { brokerDeclarations } from './broker-settings.ts'

type Values = ReturnType<typeof brokerDeclarations.parse>['values']

/** Unset, the inter-broker level is not 3.9.1's own (docs/settings.md). */
export function levelOf(values: Values, given: ReadonlySet<string>): InterBrokerLevel {
  const isGiven = given.has('inter.broker.protocol.version')
  return interBrokerLevel(isGiven ? values['inter.broker.protocol.version'] : undefined)
}

export function replicationSettings(
  values: Values,
  given: ReadonlySet<string>,
): ReplicationSettings {
  return {
    level: levelOf(values, given),
    fetcherCount: Math.max(1, values['num.replica.fetchers']),
    fetchMaxBytes: values['replica.fetch.max.bytes'],
    fetchMinBytes: values['replica.fetch.min.bytes'],
    fetchResponseMaxBytes: values['replica.fetch.response.max.bytes'],
    fetchWaitMaxMs: values['replica.fetch.wait.max.ms'],
    fetchBackoffMs: values['replica.fetch.backoff.ms'],
    socketTimeoutMs: values['replica.socket.timeout.ms'],
    lagTimeMaxMs: values['replica.lag.time.max.ms'],
    quotaWindows: {
      windowCount: values['replication.quota.window.num'],
      windowMs: values['replication.quota.window.size.seconds'] * 1000,
    },
  }
}

const selectors: Readonly<Record<string, boolean>> = {
  'org.apache.kafka.common.replica.LeaderSelector': false,
  'org.apache.kafka.common.replica.RackAwareReplicaSelector': true,
}

/** Whether consumers are sent to replicas in their racks (KIP-392). @throws UserError */
export function readsByRack(selector: string | null): boolean {
  if (selector === null || selector === '') return false
  const isRackAware = selectors[selector]
  if (isRackAware === undefined)
    throw new UserError(`replica.selector.class: Class ${selector} could not be found.`)
  return isRackAware
}
