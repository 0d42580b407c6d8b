/** All servers of a cluster together: started, stopped, put back, parted, and what they agree on. */
import type { DiskSnapshot } from '../memory/disk.ts'
import { turnEnd } from './clock.ts'
import { BrokerNode } from './broker-node.ts'
import { CoordinationNode } from './coordination-node.ts'
import type { Links, Party } from './links.ts'
import type { NodeParts } from './node-parts.ts'
import type { TapParts } from './tap.ts'
import { Witness } from './witness.ts'

export interface FleetOptions {
  readonly brokers: number
  readonly properties: Readonly<Record<string, string>>
}

export interface FleetSnapshot {
  readonly coordination: DiskSnapshot
  readonly brokers: readonly {
    readonly disk: DiskSnapshot | undefined
    readonly isUp: boolean
  }[]
}

export class Fleet {
  readonly witness: Witness
  readonly coordination: CoordinationNode
  nodes: readonly BrokerNode[] = []
  readonly #parts: NodeParts
  readonly #tapParts: Pick<TapParts, 'faults' | 'topicNames'>
  readonly #options: FleetOptions

  constructor(
    parts: NodeParts,
    tapParts: Pick<TapParts, 'faults' | 'topicNames'>,
    options: FleetOptions,
  ) {
    this.#parts = parts
    this.#tapParts = tapParts
    this.#options = options
    this.coordination = new CoordinationNode(parts)
    this.witness = new Witness(parts)
  }

  get links(): Links {
    return this.#parts.links
  }

  /** Those that run, and are not paused. */
  get running(): readonly BrokerNode[] {
    return this.nodes.filter(({ state }) => state === 'running')
  }

  /**
   * Starts the servers. No broker is the controller before all are there, so that none is taken for
   * dead, and no leader moved. @throws UserError
   */
  async start(isWanted: (id: number) => boolean = () => true): Promise<void> {
    await this.coordination.start()
    await this.witness.start(this.coordination.address)
    this.#makeNodes()
    await this.witness.holdOffice()
    await this.witness.forgetBrokers(this.nodes.map(({ id }) => id))
    const wanted = this.nodes.filter(({ id }) => isWanted(id))
    const outcomes = await Promise.allSettled(wanted.map((node) => node.start()))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    await this.witness.releaseOffice()
    await this.settled()
  }

  #makeNodes(): void {
    if (this.nodes.length > 0) return
    const { brokers, properties } = this.#options
    const zookeeperConnect = this.coordination.address
    this.nodes = Array.from({ length: brokers }, (_, id) => {
      const options = { id, zookeeperConnect, properties, changed: this.witness.changed }
      return new BrokerNode(this.#parts, this.#tapParts, options)
    })
  }

  /** Leaders stay where they are, since nobody has the office meanwhile. */
  async stop(): Promise<void> {
    this.links.healAll()
    for (const node of this.nodes) node.resume()
    if (this.running.length > 0) await this.witness.holdOffice()
    await Promise.all(this.nodes.map((node) => node.stopForRestart()))
    await this.witness.stop()
    await this.coordination.stop()
  }

  /** Frees the ports. */
  async close(): Promise<void> {
    this.witness.end()
    this.links.closeAll()
    await Promise.all(this.nodes.map((node) => node.close()))
    await this.coordination.close()
  }

  /** Undefined: the files are not in memory. */
  async snapshot(): Promise<FleetSnapshot | undefined> {
    // What was gathered in this turn is written at its end.
    await turnEnd(this.#parts.steadyClock)
    const coordination = this.coordination.snapshot()
    const brokers = this.nodes.map((node) => {
      return { disk: node.snapshot(), isUp: node.state !== 'down' }
    })
    return coordination && { coordination, brokers }
  }

  async restore({ coordination, brokers }: FleetSnapshot, betweenLives: () => void): Promise<void> {
    this.links.healAll()
    await Promise.all(this.nodes.map((node) => node.kill('waits')))
    await this.witness.stop()
    await this.coordination.stop()
    this.coordination.restore(coordination)
    for (const [index, node] of this.nodes.entries()) node.restore(brokers[index]?.disk)
    betweenLives()
    const isUp = (id: number): boolean => brokers[id]?.isUp === true
    await this.start(isUp)
    for (const node of this.nodes) if (!isUp(node.id)) node.refuse()
  }

  async restart(betweenLives: () => void): Promise<void> {
    const ups = new Set(this.nodes.filter(({ state }) => state !== 'down').map(({ id }) => id))
    await this.stop()
    betweenLives()
    await this.start((id) => ups.has(id))
    for (const node of this.nodes) if (!ups.has(node.id)) node.refuse()
  }

  /** Resolves when all that run know of each other, of their controller and of all topics. */
  async settled(): Promise<void> {
    await this.witness.until(async () => {
      const ids = this.running.map(({ id }) => id)
      const topics = await this.witness.topics()
      const isSettled = this.running.every(({ metadata }) => {
        if (metadata === undefined) return false
        const { brokers, controllerId } = metadata
        const knowsAll = ids.every((id) => brokers.has(id)) && brokers.size === ids.length
        return knowsAll && brokers.has(controllerId) && topics.every((one) => metadata.topic(one))
      })
      return isSettled || ids.length === 0 ? true : undefined
    })
  }

  /**
   * Resolves when a broker that has just started knows itself and all topics, as the controller tells
   * them; at once where there is no controller to tell it.
   */
  async introduced(node: BrokerNode): Promise<void> {
    await this.witness.until(async () => {
      const topics = await this.witness.topics()
      const controller = await this.witness.controller()
      const isReached =
        this.nodes[controller]?.state === 'running' && !this.links.areParted(controller, node.id)
      const { metadata } = node
      const isKnown =
        metadata?.brokers.has(node.id) === true && topics.every((one) => metadata.topic(one))
      return isKnown || !isReached ? true : undefined
    })
  }

  /** Whether all whom the controller reaches know this leader. */
  haveHeard(leader: number, { topic, partition }: { topic: string; partition: number }): boolean {
    return this.#reached().every(
      ({ metadata }) => metadata?.topic(topic)?.partitions[partition]?.leader === leader,
    )
  }

  /** Resolves when all whom the controller reaches know these topics, and who leads. */
  async knowTopics(names: readonly string[]): Promise<void> {
    const isKnown = ({ metadata }: BrokerNode): boolean =>
      names.every((name) => {
        const partitions = metadata?.topic(name)?.partitions ?? []
        return partitions.length > 0 && partitions.every((one) => (one?.leader ?? -1) >= 0)
      })
    await this.witness.until(async () => (this.#reached().every(isKnown) ? true : undefined))
  }

  /** Where to ask for the truth: at a broker that is cut off it would be out of date. */
  get soundAddresses(): readonly string[] {
    const addresses = this.#reached().flatMap((node) => node.addresses)
    return addresses.length > 0 ? addresses : this.nodes.flatMap((node) => node.addresses)
  }

  #reached(): readonly BrokerNode[] {
    const { links, running } = this
    const sound = running.filter(({ id }) => !links.areParted(id, 'coordination'))
    const controllers = new Set(sound.map(({ metadata }) => metadata?.controllerId ?? -1))
    return sound.filter(({ id }) =>
      [...controllers].every((controller) => !links.areParted(controller, id)),
    )
  }

  /** A broker or the coordination server whose processes run, and who hear each other. */
  isSilentFor(other: Party, party: Party | undefined): boolean {
    if (party === undefined || party === 'coordination') return false
    return this.nodes[party]?.state !== 'running' || this.links.areParted(party, other)
  }
}
