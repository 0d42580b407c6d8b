/** Leaders' notices of changed in-sync sets: read, passed on to all brokers, removed (kafka.md C). */
import { decodePartitionList, paths } from '../znodes.ts'
import type { KnownPartition } from './cluster.ts'
import { readIfThere } from './cluster-state.ts'
import type { Desk } from './desk.ts'
import { OrderBatch } from './order-batch.ts'

export class IsrNotices {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  readonly #due = (): void => this.#desk.enqueue('in-sync set change', () => this.look())

  async look(): Promise<void> {
    const { cluster, states } = this.#desk
    const names = await this.#names()
    const changed = new Set<KnownPartition>()
    for (const data of await this.#read(names))
      for (const { topic, partition: index } of decodePartitionList(data) ?? []) {
        const partition = cluster.partition(topic, index)
        if (partition !== undefined) changed.add(partition)
      }
    const batch = new OrderBatch(cluster)
    for (const partition of await states.refresh(changed)) batch.tell(partition)
    this.#desk.send(batch)
    await this.#remove(names)
  }

  /** As a term begins: what they tell is read anew anyway. */
  async drop(): Promise<void> {
    await this.#remove(await this.#names())
  }

  async #names(): Promise<string[]> {
    const { children } = await this.#desk.zookeeper.getChildren(paths.isrChanges, this.#due)
    return children
  }

  async #read(names: readonly string[]): Promise<Buffer[]> {
    const { zookeeper } = this.#desk
    const nodes = await Promise.all(
      names.map((name) => readIfThere(zookeeper, `${paths.isrChanges}/${name}`)),
    )
    return nodes.flatMap((node) => (node === undefined ? [] : [node.data]))
  }

  async #remove(names: readonly string[]): Promise<void> {
    await this.#desk.office.remove(names.map((name) => `${paths.isrChanges}/${name}`))
  }
}
