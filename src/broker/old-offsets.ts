/**
 * Offsets that clients of version 0 of OffsetCommit and OffsetFetch keep in ZooKeeper, where the consumers
 * of Kafka before 0.8.2 have them: /consumers/GROUP/offsets/TOPIC/PARTITION, as decimal text.
 */
import { isZooKeeperError } from '../zookeeper/client/client.ts'
import { readIfThere } from './controller/cluster-state.ts'
import type { Coordination } from './coordination.ts'

export class OldOffsets {
  readonly #coordination: Coordination

  constructor(coordination: Coordination) {
    this.#coordination = coordination
  }

  /** A group's name becomes part of a path: one that would lead elsewhere is none. */
  isPossible(groupId: string): boolean {
    return groupId !== '' && groupId !== '.' && groupId !== '..' && !/[/\p{Cc}]/u.test(groupId)
  }

  /** @throws ZooKeeperError */
  async commit(groupId: string, topic: string, partition: number, offset: number): Promise<void> {
    const zookeeper = this.#coordination.session
    const path = pathOf(groupId, topic, partition)
    const data = Buffer.from(String(offset))
    try {
      await zookeeper.setData(path, data)
    } catch (error) {
      if (!isZooKeeperError(error, 'NONODE')) throw error
      await zookeeper.makePath(path, data)
    }
  }

  /** Undefined: there is none. @throws ZooKeeperError */
  async committed(groupId: string, topic: string, partition: number): Promise<number | undefined> {
    const found = await readIfThere(this.#coordination.session, pathOf(groupId, topic, partition))
    const text = found?.data.toString('latin1') ?? ''
    return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined
  }
}

function pathOf(groupId: string, topic: string, partition: number): string {
  return `/consumers/${groupId}/offsets/${topic}/${partition}`
}
