import type { Partition } from '../replication/partition.ts'
import type { Replicas } from '../replication/replicas.ts'
import type { Waiter } from '../turn.ts'
import type { Asked, FetchSession, SessionPartition } from './session.ts'

export interface Surroundings {
  readonly nowMs: number
  readonly replicas: Replicas
  /** The topic of an id, where it is known. */
  readonly nameOf: (topicId: string) => string | undefined
}

/** Up to so many are looked at every time: less work than to keep an eye on them. */
const smallMax = 16
/** All are looked at so often, whatever happened: not everything that counts wakes who waits. */
const fullEveryMs = 1000

/**
 * Which partitions of a session a request has to look at: those that moved since the last look, those it
 * names, and those that had more than an answer could carry. So an answer costs what happened, not what
 * is followed.
 */
export class SessionWatch {
  readonly #session: FetchSession
  readonly #members = new Map<SessionPartition, Member>()
  /** In the order in which they are to be served. */
  readonly #ready = new Set<SessionPartition>()
  #fullAtMs = Number.NEGATIVE_INFINITY
  #waiter: Waiter | undefined

  constructor(session: FetchSession) {
    this.#session = session
    session.onClose = () => this.#unbind(this.#members.keys())
  }

  /** What is to be looked at; `isFull` where that is everything. */
  due(surroundings: Surroundings): {
    readonly partitions: readonly SessionPartition[]
    readonly isFull: boolean
  } {
    const { nowMs, nameOf } = surroundings
    const isSmall = this.#session.size <= smallMax
    if (!isSmall && nowMs < this.#fullAtMs) return { partitions: this.#readyOnes(), isFull: false }
    const partitions = this.#session.partitions(nameOf)
    this.#fullAtMs = nowMs + fullEveryMs
    const present = new Set(partitions)
    this.#unbind([...this.#members.keys()].filter((one) => !present.has(one)))
    this.#ready.clear()
    for (const one of partitions) {
      this.#bind(one, surroundings)
      this.#ready.add(one)
    }
    return { partitions, isFull: true }
  }

  /** A request names these: they are looked at by it. */
  named(asked: readonly Asked[], surroundings: Surroundings): void {
    for (const one of asked) {
      const member = this.#session.memberOf(one)
      if (member === undefined) continue
      this.#bind(member, surroundings)
      this.#ready.add(member)
    }
  }

  #readyOnes(): SessionPartition[] {
    const forgotten = [...this.#ready].filter((one) => !this.#session.holds(one))
    this.#unbind(forgotten)
    return [...this.#ready]
  }

  /** There is nothing to tell of this one until it moves. */
  settled(partition: SessionPartition): void {
    this.#ready.delete(partition)
  }

  /** It got records, and there may be more: the others come first. */
  served(partition: SessionPartition): void {
    if (this.#ready.delete(partition)) this.#ready.add(partition)
  }

  /** The waiter looks when any of the partitions has moved; undefined: nobody does. */
  park(waiter: Waiter | undefined): void {
    this.#waiter = waiter
  }

  /** The waiter does not wait any more. */
  unpark(waiter: Waiter): void {
    if (this.#waiter === waiter) this.#waiter = undefined
  }

  #bind(member: SessionPartition, { replicas }: Surroundings): void {
    const { topic, wanted } = member
    const partition = topic === undefined ? undefined : replicas.get(topic, wanted.partition)
    const known = this.#members.get(member)
    if (known?.partition === partition) return
    known?.leave()
    if (partition === undefined) this.#members.delete(member)
    else this.#members.set(member, new Member(partition, () => this.#moved(member, partition)))
  }

  #moved(member: SessionPartition, partition: Partition): void {
    this.#ready.add(member)
    if (this.#waiter !== undefined) partition.wakeLater(this.#waiter)
  }

  #unbind(members: Iterable<SessionPartition>): void {
    for (const member of [...members]) {
      this.#members.get(member)?.leave()
      this.#members.delete(member)
      this.#ready.delete(member)
    }
  }
}

/** The watch of each session, as long as there is the session. */
export class SessionWatches {
  readonly #watches = new WeakMap<FetchSession, SessionWatch>()

  of(session: FetchSession): SessionWatch {
    let watch = this.#watches.get(session)
    if (watch === undefined) this.#watches.set(session, (watch = new SessionWatch(session)))
    return watch
  }
}

class Member implements Waiter {
  readonly partition: Partition
  readonly look: () => void

  constructor(partition: Partition, moved: () => void) {
    this.partition = partition
    this.look = moved
    partition.wait(this)
  }

  leave(): void {
    this.partition.forget(this)
  }
}
