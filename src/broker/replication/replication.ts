import type { Ports } from '../../runtime/service.ts'
import type { LogDirectory } from '../../storage/log-directory.ts'
import type { Coordination } from '../coordination.ts'
import type { Turn } from '../turn.ts'
import { Fetchers, type FetchersOptions } from './fetchers.ts'
import { InSyncUpdates } from './in-sync-updates.ts'
import type { Throttles } from './partition.ts'
import { RateQuota } from './rate-quota.ts'
import { Replicas } from './replicas.ts'
import type { ReplicationSettings } from './settings.ts'

export interface ReplicationParts {
  readonly brokerId: number
  readonly turn: Turn
  readonly coordination: Coordination
  readonly directories: readonly LogDirectory[]
  readonly isIncomplete: boolean
  readonly isAlive: (brokerId: number) => boolean
  readonly addressOf: FetchersOptions['addressOf']
  /** min.insync.replicas of a topic */
  readonly minInSyncOf: (topic: string) => number
  readonly tookFromLeader: (topic: string, bytes: number) => void
  readonly throttledOf: Throttles['of']
  /** leader.replication.throttled.rate and its like; undefined: no limit. */
  readonly rateOf: (setting: string) => string | undefined
}

/** This broker's replicas, and what keeps them the same as those of others: assembly only. */
export class Replication {
  readonly replicas: Replicas
  readonly #fetchers: Fetchers
  readonly #updates: InSyncUpdates

  constructor(
    ports: Pick<Ports, 'clock' | 'network' | 'logger'>,
    settings: ReplicationSettings,
    parts: ReplicationParts,
  ) {
    const { clock } = ports
    const { brokerId, coordination, addressOf, throttledOf, rateOf, ...rest } = parts
    const { lagTimeMaxMs } = settings
    const logger = ports.logger.named('kafka.server.ReplicaManager')
    const quota = (setting: string): RateQuota => {
      const limit = (): number => Number(rateOf(setting) ?? Number.POSITIVE_INFINITY)
      return new RateQuota({ ...settings.quotaWindows, limit })
    }
    const throttles = {
      of: throttledOf,
      leader: quota('leader.replication.throttled.rate'),
      follower: quota('follower.replication.throttled.rate'),
    }
    this.#fetchers = new Fetchers(ports, {
      ...{ brokerId, settings, addressOf, quota: throttles.follower },
    })
    this.#updates = new InSyncUpdates({
      ...{ clock, coordination, lagTimeMaxMs },
      logger: ports.logger.named('kafka.cluster.Partition'),
      partitions: () => this.replicas.all(),
    })
    this.replicas = new Replicas({
      ...{ ...rest, brokerId, clock, logger, lagTimeMaxMs, throttles },
      fetchers: this.#fetchers,
      proposeInSync: (partition, proposal) => this.#updates.propose(partition, proposal),
    })
  }

  /** Nothing is fetched, and no in-sync set is changed, any more. */
  stop(): void {
    this.#fetchers.stop()
    this.#updates.stop()
  }
}
