import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../runtime/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { isZooKeeperError } from '../zookeeper/client/client.ts'
import { allBrokers, type ConfigEntity, type ConfigStore } from './config-store.ts'
import type { BrokerSettings } from './config/broker.ts'
import { usablePart } from './config/dynamic.ts'
import type { Properties } from './config/layers.ts'
import { topicConfig, type TopicConfig } from './config/topic.ts'
import { deleteIfThere, readIfThere } from './controller/cluster-state.ts'
import type { Coordination } from './coordination.ts'
import { decodeConfigChange, paths } from './znodes.ts'

export interface TopicConfigsParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly coordination: Coordination
  readonly store: ConfigStore
  readonly brokerId: number
}

/** A topic's own settings, and what they come to with the broker's. */
interface Known {
  readonly overrides: Properties
  readonly config: TopicConfig
}

/** Notices of changes are of no use after this long: every broker has seen them. */
const noticeLifeMs = 15 * 60 * 1000

/**
 * Each topic's own settings and the broker's dynamic ones, read from their znodes and kept up to date by
 * the notices of changes.
 */
export class TopicConfigs {
  readonly #parts: TopicConfigsParts
  readonly #settings: BrokerSettings
  readonly #configs = new Map<string, Known>()
  #defaults: TopicConfig
  #onChange: (topic: string | undefined) => void = () => {}
  /** Number of the last notice that was acted on. */
  #lastNotice = -1
  #tail: Promise<void> = Promise.resolve()

  constructor(parts: TopicConfigsParts, settings: BrokerSettings) {
    this.#parts = parts
    this.#settings = settings
    this.#defaults = topicConfig({}, settings)
  }

  of(topic: string): TopicConfig {
    return this.#configs.get(topic)?.config ?? this.#defaults
  }

  /** Runs after a topic's settings were read; undefined: those of all topics may have changed. */
  onChange(listener: (topic: string | undefined) => void): void {
    this.#onChange = listener
  }

  /** Reads the settings of all topics, and from then on every change of them. @throws ZooKeeperError */
  async start(): Promise<void> {
    const { coordination } = this.#parts
    // Watched first: what changes while the rest is read is read once more.
    const notices = await this.#watch()
    this.#lastNotice = notices.at(-1)?.number ?? -1
    await this.#readBroker()
    const { children } = await coordination.insist((zookeeper) =>
      zookeeper.getChildren(paths.configs('topics')),
    )
    const present = new Set(children)
    for (const topic of this.#configs.keys()) if (!present.has(topic)) this.forget(topic)
    await Promise.all(children.map((topic) => this.read(topic)))
  }

  /** Reads one topic's settings. @throws ZooKeeperError */
  async read(topic: string): Promise<void> {
    const overrides = await this.#parts.store.read({ type: 'topics', name: topic })
    if (Object.keys(overrides).length === 0) this.#configs.delete(topic)
    else this.#configs.set(topic, { overrides, config: topicConfig(overrides, this.#settings) })
    this.#onChange(topic)
  }

  /** Somebody changed them. @throws ZooKeeperError */
  async reread({ type, name }: ConfigEntity): Promise<void> {
    if (type === 'topics') await this.read(name)
    else await this.#readBroker()
  }

  /** What was changed of brokers, all or this one. What cannot be is left out. @throws ZooKeeperError */
  async #readBroker(): Promise<void> {
    const { store, brokerId, logger } = this.#parts
    const read = (name: string) => store.read({ type: 'brokers', name })
    const kept = { forAll: await read(allBrokers), own: await read(String(brokerId)) }
    const before = this.#settings.dynamic()
    const forAll = usablePart({ properties: kept.forAll, isOwn: false }, this.#settings)
    const own = usablePart({ properties: kept.own, isOwn: true }, this.#settings)
    for (const problem of [...forAll.problems, ...own.problems])
      logger.warn(`Dynamic broker configuration is left out: ${problem}`)
    const next = { forAll: forAll.properties, own: own.properties }
    if (isDeepStrictEqual(next, before)) return
    this.#settings.applyDynamic(next)
    this.#defaults = topicConfig({}, this.#settings)
    for (const [topic, { overrides }] of this.#configs)
      this.#configs.set(topic, { overrides, config: topicConfig(overrides, this.#settings) })
    this.#onChange(undefined)
  }

  forget(topic: string): void {
    this.#configs.delete(topic)
  }

  /** The notices there are, oldest first; `#noticed` runs at the next change. */
  async #watch(): Promise<{ readonly name: string; readonly number: number }[]> {
    const { children } = await this.#parts.coordination.insist((zookeeper) =>
      zookeeper.getChildren(paths.configChanges, this.#noticed),
    )
    return children
      .map((name) => ({ name, number: Number(/(\d+)$/.exec(name)?.[1] ?? -1) }))
      .sort((one, other) => one.number - other.number)
  }

  readonly #noticed = (): void => {
    this.#tail = this.#tail.then(async () => {
      try {
        await this.#readNotices()
      } catch (error) {
        if (!isZooKeeperError(error)) throw error
        // The session is over; with the next one everything is read anew.
        this.#parts.logger.warn(`Could not read the changes of settings: ${error.message}`)
      }
    })
  }

  async #readNotices(): Promise<void> {
    const { coordination } = this.#parts
    const notices = await this.#watch()
    for (const { name, number } of notices) {
      if (number <= this.#lastNotice) continue
      const path = `${paths.configChanges}/${name}`
      const node = await coordination.insist((zookeeper) => readIfThere(zookeeper, path))
      const entity = node && decodeConfigChange(node.data)
      if (entity?.startsWith('topics/') === true) await this.read(entity.slice('topics/'.length))
      else if (entity?.startsWith('brokers/') === true) await this.#readBroker()
      this.#lastNotice = number
    }
    for (const { name } of notices) await this.#removeIfOld(`${paths.configChanges}/${name}`)
  }

  async #removeIfOld(path: string): Promise<void> {
    const { clock, coordination } = this.#parts
    const stat = await coordination.insist((zookeeper) => zookeeper.exists(path))
    if (stat === null || clock.now() - Number(stat.ctime) <= noticeLifeMs) return
    await coordination.insist((zookeeper) => deleteIfThere(zookeeper, path))
  }
}
