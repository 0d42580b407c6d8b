/**
 * What coordination really holds about partitions, seen as each transaction is carried out: not what
 * some client reads of it later.
 */
import {
  decodePartitionState,
  decodeTopic,
  paths,
  type PartitionState,
  type TopicAssignment,
} from '../broker/znodes.ts'
import { dataBytes } from '../zookeeper/server/node-data.ts'
import { nameIn } from '../zookeeper/server/node.ts'
import type { DataTree } from '../zookeeper/server/tree.ts'
import type { Observation } from './observation.ts'

const brokerPattern = /^\/brokers\/ids\/(\d+)$/
const statePattern = /^\/brokers\/topics\/([^/]+)\/partitions\/(\d+)\/state$/

export class Truth {
  readonly #observe: (seen: Observation) => void
  #tree: DataTree | undefined
  /** By path: what was told last. */
  readonly #told = new Map<string, bigint>()

  constructor(observe: (seen: Observation) => void) {
    this.#observe = observe
  }

  /** The tree of the server's present life. */
  attach(tree: DataTree): void {
    this.#tree = tree
    const present = new Set<string>(tree.paths())
    for (const path of [...this.#told.keys()]) if (!present.has(path)) this.#look(path)
    for (const path of present) this.#look(path)
    const apply = tree.apply.bind(tree)
    tree.apply = (...transaction) => {
      const events = apply(...transaction)
      for (const { type, path } of events) if (type !== 'childrenChanged') this.#look(path)
      return events
    }
  }

  /** Topics and the replicas that their partitions are to have. */
  get topics(): Map<string, TopicAssignment> {
    const topics = new Map<string, TopicAssignment>()
    for (const node of this.#tree?.get(paths.topics)?.children ?? []) {
      const assignment = decodeTopic(dataBytes(node.data) ?? Buffer.alloc(0))
      if (assignment !== undefined) topics.set(nameIn(node), assignment)
    }
    return topics
  }

  state(topic: string, partition: number): PartitionState | undefined {
    const data = this.#data(paths.partitionState(topic, partition))
    return data && decodePartitionState(data)
  }

  #data(path: string): Buffer | undefined {
    const node = this.#tree?.get(path)
    return node === undefined ? undefined : (dataBytes(node.data) ?? undefined)
  }

  #look(path: string): void {
    const broker = brokerPattern.exec(path)?.[1]
    if (broker !== undefined) this.#lookAtBroker(Number(broker), path)
    const match = statePattern.exec(path)
    if (match !== null) this.#lookAtState(match, path)
  }

  #lookAtBroker(broker: number, path: string): void {
    const czxid = this.#tree?.get(path)?.czxid
    if (this.#told.get(path) === czxid) return
    if (czxid === undefined) this.#told.delete(path)
    else this.#told.set(path, czxid)
    this.#observe({ kind: 'registered', broker, czxid })
  }

  #lookAtState(match: RegExpExecArray, path: string): void {
    const place = { topic: match[1] ?? '', partition: Number(match[2]) }
    const node = this.#tree?.get(path)
    if (node === undefined) {
      if (this.#told.delete(path)) this.#observe({ kind: 'stateRemoved', ...place })
      return
    }
    if (this.#told.get(path) === node.mzxid) return
    this.#told.set(path, node.mzxid)
    const state = this.state(place.topic, place.partition)
    if (state === undefined) return
    const currentControllerEpoch = Number(this.#data(paths.controllerEpoch)?.toString() ?? 0)
    const zxids = { czxid: node.czxid, mzxid: node.mzxid }
    this.#observe({ kind: 'stateWritten', ...state, ...place, ...zxids, currentControllerEpoch })
  }
}
