import type { Coordination } from './coordination.ts'
import type { Logger } from '../runtime/logger.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../zookeeper/client/client.ts'
import { readIfThere } from './controller/cluster-state.ts'
import {
  decodeProducerIdBlock,
  encodeProducerIdBlock,
  paths,
  type ProducerIdBlock,
} from './znodes.ts'

const blockSize = 1000

/**
 * Producer ids, unique in the cluster: taken in blocks of 1000 from a znode that is changed only at the
 * version read, so that no two brokers get the same block.
 */
export class ProducerIds {
  readonly #coordination: Coordination
  readonly #brokerId: number
  readonly #logger: Logger
  #block: ProducerIdBlock = { first: 0, last: -1 }
  #refill: Promise<void> | undefined

  constructor(coordination: Coordination, brokerId: number, logger: Logger) {
    this.#coordination = coordination
    this.#brokerId = brokerId
    this.#logger = logger
  }

  get #zookeeper(): ZooKeeperClient {
    return this.#coordination.session
  }

  async next(): Promise<number> {
    while (this.#block.first > this.#block.last) {
      this.#refill ??= this.#takeBlock().finally(() => {
        this.#refill = undefined
      })
      await this.#refill
    }
    const { first, last } = this.#block
    this.#block = { first: first + 1, last }
    return first
  }

  async #takeBlock(): Promise<void> {
    for (;;) {
      const node = await readIfThere(this.#zookeeper, paths.producerIdBlock)
      const previous = node && decodeProducerIdBlock(node.data)
      const first = previous === undefined ? 0 : previous.last + 1
      if (!Number.isSafeInteger(first))
        throw new Error(`${paths.producerIdBlock} is not readable: ${node?.data.toString()}`)
      const block = { first, last: first + blockSize - 1 }
      const data = encodeProducerIdBlock(this.#brokerId, block)
      try {
        await this.#zookeeper.setData(paths.producerIdBlock, data, node?.version ?? -1)
        this.#block = block
        this.#logger.info(`Acquired new producer ID block ${block.first}-${block.last}`)
        return
      } catch (error) {
        if (!isZooKeeperError(error, 'BADVERSION')) throw error
      }
    }
  }
}
