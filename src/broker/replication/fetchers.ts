import type { Ports } from '../../runtime/service.ts'
import { javaHashCode } from '../topic-names.ts'
import { Fetcher } from './fetcher.ts'
import { LeaderLink } from './leader-link.ts'
import type { Partition } from './partition.ts'
import type { RateQuota } from './rate-quota.ts'
import type { ReplicationSettings } from './settings.ts'

export interface FetchersOptions {
  readonly brokerId: number
  readonly settings: ReplicationSettings
  readonly quota: RateQuota
  /** Where brokers reach a broker; undefined: it is not known to live. */
  readonly addressOf: (
    brokerId: number,
  ) => { readonly host: string; readonly port: number } | undefined
}

/** Everything this broker follows: num.replica.fetchers connections to each leader that it follows. */
export class Fetchers {
  readonly #ports: Pick<Ports, 'clock' | 'network' | 'logger'>
  readonly #options: FetchersOptions
  /** By leader and number. */
  readonly #fetchers = new Map<string, Fetcher>()
  /** By `topic-partition`: the name of its fetcher. */
  readonly #nameOf = new Map<string, string>()
  #isStopped = false

  constructor(ports: Pick<Ports, 'clock' | 'network' | 'logger'>, options: FetchersOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** Follows the partition's leader, in the epoch that the partition knows. */
  follow(partition: Partition): void {
    const leader = partition.leadership?.leader ?? -1
    const key = partition.log.name
    const { settings } = this.#options
    const hash = Math.abs((31 * javaHashCode(partition.topic) + partition.index) | 0)
    const number = hash % settings.fetcherCount
    const name = `${leader}-${number}`
    const isSameLeader = this.#nameOf.get(key) === name && !partition.log.offline
    if (isSameLeader && this.#fetchers.get(name)?.goesOn(partition) === true) return
    void this.release(key)
    if (leader < 0 || this.#isStopped || partition.log.offline) return
    let fetcher = this.#fetchers.get(name)
    if (fetcher === undefined) {
      fetcher = this.#make(leader, number)
      this.#fetchers.set(name, fetcher)
    }
    this.#nameOf.set(key, name)
    fetcher.add(partition)
  }

  /** Resolves when nobody fetches for this partition, nor cuts its log. */
  async release(key: string): Promise<void> {
    const name = this.#nameOf.get(key)
    const fetcher = name === undefined ? undefined : this.#fetchers.get(name)
    if (name === undefined || fetcher === undefined) return
    this.#nameOf.delete(key)
    const released = fetcher.remove(key)
    if (fetcher.size === 0) {
      this.#fetchers.delete(name)
      fetcher.stop()
    }
    await released
  }

  stop(): void {
    this.#isStopped = true
    for (const fetcher of this.#fetchers.values()) fetcher.stop()
    this.#fetchers.clear()
    this.#nameOf.clear()
  }

  #make(leader: number, number: number): Fetcher {
    const { brokerId, settings, quota, addressOf } = this.#options
    const prefix = `ReplicaFetcher replicaId=${brokerId}, leaderId=${leader}, fetcherId=${number}`
    const logger = this.#ports.logger.named('kafka.server.ReplicaFetcherThread', prefix)
    const link = new LeaderLink(this.#ports, {
      brokerId,
      clientId: `broker-${brokerId}-fetcher-${number}`,
      settings,
      address: () => addressOf(leader),
    })
    return new Fetcher({ clock: this.#ports.clock, logger, link, settings, quota })
  }
}
