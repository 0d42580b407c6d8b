// Pure.
/**
 * What can be seen from outside of the system under test: what clients asked, were promised and saw,
 * and what was done to the machines. The invariants know nothing else.
 */

/** A record as a producer sent it. Its number is the first thing in its value. */
export interface SentRecord {
  readonly number: number
  /** One life of one producer: order and uniqueness are promised within it. */
  readonly producer: string
  readonly topic: string
  readonly partition: number
  readonly acks: -1 | 0 | 1
  readonly idempotent: boolean
  /** Its acks are those that SPEC.md section 1 promises something for. */
  readonly isPromised: boolean
}

export interface Place {
  readonly topic: string
  readonly partition: number
}

export interface AllowedLoss extends Place {
  /** The former leader may be alive, and show what it has until it learns that it leads no more. */
  readonly isSplit: boolean
}

export interface WrittenState {
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  /** Of the controller in whose name it was written. */
  readonly controllerEpoch: number
  /** As coordination had it at that moment. */
  readonly currentControllerEpoch: number
  /** Of the state's node: another creation, another life. */
  readonly czxid: bigint
  /** When it was written. */
  readonly mzxid: bigint
}

export interface ReplicaLog {
  readonly broker: number
  readonly batches: readonly StoredBatch[]
}

export interface StoredBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  /** Of all its bytes. */
  readonly crc: number
}

export type Observation =
  | {
      readonly kind: 'log'
      readonly host: string
      readonly level: string
      readonly name: string
      readonly message: string
      readonly error: unknown
    }
  /** A promise rejected and nobody heard. */
  | { readonly kind: 'unheard'; readonly error: unknown }
  | { readonly kind: 'processKilled'; readonly host: string }
  | { readonly kind: 'powerLost'; readonly host: string }
  | { readonly kind: 'diskLost'; readonly host: string }
  /** `on`: its name, where observers know this life of it by another. */
  | {
      readonly kind: 'topicCreated'
      readonly topic: string
      readonly on: string
      readonly flushed: boolean
      /** A replica that is not in sync may come to lead it. */
      readonly unclean: boolean
    }
  /** From now on a partition may have lost what it had: SPEC.md section 1 says when. */
  | ({ readonly kind: 'lossAllowed' } & AllowedLoss)
  /** The state of a partition as it was written in coordination, by whomever. */
  | ({ readonly kind: 'stateWritten' } & WrittenState & Place)
  | ({ readonly kind: 'stateRemoved' } & Place)
  /** A broker's ephemeral node was made, or (undefined) is gone. */
  | { readonly kind: 'registered'; readonly broker: number; readonly czxid: bigint | undefined }
  | { readonly kind: 'sent'; readonly record: SentRecord }
  | { readonly kind: 'acknowledged'; readonly number: number; readonly offset: number }
  | { readonly kind: 'failed'; readonly number: number }
  /** `reader`: one uninterrupted assignment of a partition to one consumer. */
  | ({
      readonly kind: 'delivered'
      readonly group: string
      readonly reader: string
      readonly offset: number
      readonly number: number
    } & Place)
  | ({ readonly kind: 'committed'; readonly group: string; readonly offset: number } & Place)
  | { readonly kind: 'committedAsked'; readonly question: number }
  | ({
      readonly kind: 'committedRead'
      readonly question: number
      readonly group: string
      readonly offset: number
    } & Place)
  | { readonly kind: 'endsAsked'; readonly question: number }
  | ({ readonly kind: 'endOffset'; readonly question: number; readonly offset: number } & Place)
  /** The whole of a partition, read when all was well again. */
  | ({
      readonly kind: 'wholeLog'
      readonly records: readonly { readonly offset: number; readonly number: number }[]
    } & Place)
  /** What the disks of its brokers hold of a partition; the last look is when all is done. */
  | ({
      readonly kind: 'replicaLogs'
      readonly replicas: readonly ReplicaLog[]
      /** Where everything below must be in all of them; -1 where nobody can tell. */
      readonly committed: number
    } & Place)
  /** A group has read its topics, at least all records with smaller numbers than `before`. */
  | {
      readonly kind: 'groupDone'
      readonly group: string
      readonly topics: readonly string[]
      readonly before: number
    }
  | { readonly kind: 'coordinationAsked'; readonly question: number }
  | {
      readonly kind: 'coordinationWritten'
      readonly question: number
      readonly path: string
      readonly zxid: bigint
    }
  | {
      readonly kind: 'coordinationRead'
      readonly session: string
      readonly path: string
      /** mzxid of the node; 0n where there is none. */
      readonly zxid: bigint
    }
  /** All of the counter's increments that were answered, and its value as read at the end. */
  | {
      readonly kind: 'counterRead'
      readonly value: number
      readonly answered: number
      readonly unanswered: number
    }
  | {
      readonly kind: 'ephemeralSeen'
      readonly path: string
      readonly present: boolean
      /** alive: its owner knows that it holds the session. ended: long enough ago. */
      readonly owner: 'alive' | 'doubtful' | 'ended'
    }
  | ({
      readonly kind: 'partitionState'
      readonly leaderEpoch: number
      readonly controllerEpoch: number
      /** Of the state's node: another creation, another life. */
      readonly czxid: bigint
    } & Place)
  /** A topic made again: what was acknowledged in its former lives, and what is found in it now. */
  | {
      readonly kind: 'recreated'
      readonly topic: string
      readonly former: readonly number[]
      readonly found: readonly number[]
    }
  /** Something that had to happen within its bound did not. */
  | { readonly kind: 'stuck'; readonly what: string }

export function placeKey({ topic, partition }: Place): string {
  return `${topic}-${partition}`
}
