/**
 * Mistakes made on purpose: parts of the system replaced by ones that break a promise, to show that the
 * simulator would notice. Each is put in place for the whole process, and taken back afterwards.
 */
import { Errors } from '../kafka/errors.ts'
import { Shard } from '../broker/groups/shard.ts'
import { InSyncSet } from '../broker/replication/in-sync.ts'
import { LeaderLink } from '../broker/replication/leader-link.ts'
import { Producers } from '../storage/producers.ts'
import { Segments } from '../storage/segments.ts'
import { ZooKeeperSession } from '../zookeeper/client/session.ts'
import { ClientWatches } from '../zookeeper/client/watches.ts'
import { TransactionLog } from '../zookeeper/server/log.ts'
import { SessionTable } from '../zookeeper/server/sessions.ts'
import type { FaultKind, Plan } from './plan.ts'
import type { RunOptions } from './run.ts'

export interface Mutant {
  readonly name: string
  /** What it does wrong, in words. */
  readonly about: string
  /** Puts it in place; returns what takes it back. */
  readonly apply: () => () => void
  /** Whether a plan has what it takes to notice. */
  readonly isNoticeable: (plan: Plan) => boolean
  /** At most so many; default as each seed has it. */
  readonly brokers?: number
  readonly options?: RunOptions
}

/** Replaces one method of a class, given the original; returns what puts that back. */
function replace<T, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = prototype[name]
  prototype[name] = make(original)
  return () => {
    prototype[name] = original
  }
}

function has(plan: Plan, kinds: readonly FaultKind['kind'][], prefix = ''): boolean {
  return plan.faults.some(
    (fault) => kinds.includes(fault.kind) && 'host' in fault && fault.host.startsWith(prefix),
  )
}

/** Several replicas, and brokers that stop or are cut off. */
function isReplicated({ topics, faults }: Plan): boolean {
  const hasReplicas = topics.some(({ replicationFactor }) => replicationFactor > 1)
  return hasReplicas && faults.length > 0
}

const someTopicIsFlushed = ({ topics }: Plan): boolean => topics.some(({ flushed }) => flushed)

export const mutants: readonly Mutant[] = [
  {
    name: 'acknowledge-before-written',
    brokers: 1,
    about: 'the broker answers while the records are still in its own memory',
    isNoticeable: (plan) => has(plan, ['kill'], 'broker'),
    apply: () => () => {},
    options: { keepsWritesInProcess: true },
  },
  {
    name: 'acknowledge-before-synced',
    brokers: 1,
    about: 'flush.messages=1 is answered without the fsync',
    isNoticeable: (plan) => someTopicIsFlushed(plan) && has(plan, ['losePower'], 'broker'),
    apply: () => replace(Segments.prototype, 'sync', () => () => Promise.resolve()),
  },
  {
    name: 'coordination-without-sync',
    brokers: 1,
    about: 'the coordination server answers before its log is on the disk',
    isNoticeable: (plan) => has(plan, ['losePower'], 'coordination'),
    apply: () => replace(TransactionLog.prototype, 'sync', () => () => Promise.resolve()),
  },
  {
    name: 'forget-watches',
    brokers: 1,
    about: 'a client of the coordination server does not set its watches again after a reconnect',
    isNoticeable: (plan) => has(plan, ['kill', 'reset'], 'coordination'),
    apply: () => replace(ClientWatches.prototype, 'portions', () => () => []),
  },
  {
    name: 'commit-before-append',
    brokers: 1,
    about: 'an offset commit is answered before it is in the log',
    isNoticeable: (plan) => plan.groups.length > 0 && has(plan, ['kill'], 'broker'),
    apply: () => {
      const late = new WeakMap<Shard, Parameters<Shard['append']>[0]>()
      return replace(Shard.prototype, 'append', (original) => {
        return function append(this: Shard, records) {
          const earlier = late.get(this)
          late.set(this, records)
          if (earlier !== undefined) void original.call(this, earlier)
          return Promise.resolve(Errors.NONE)
        }
      })
    },
  },
  {
    name: 'skip-sequence-check',
    brokers: 1,
    about: 'the broker appends what an idempotent producer sends again',
    isNoticeable: (plan) =>
      has(plan, ['reset', 'kill', 'slowDisk']) &&
      plan.producers.some(({ idempotent }) => idempotent),
    apply: () => replace(Producers.prototype, 'check', () => () => 'ok'),
  },
  {
    name: 'immortal-sessions',
    brokers: 1,
    about: 'the coordination server never ends a session that is silent',
    isNoticeable: (plan) =>
      plan.coordinationClients.length > 0 && has(plan, ['kill'], 'coordination-client'),
    apply: () =>
      replace(SessionTable.prototype, 'expire', () => {
        return function expire(this: SessionTable, now) {
          for (const session of this.values()) this.touch(session, now)
          return []
        }
      }),
  },
  {
    name: 'acknowledge-before-replicated',
    about: 'the leader acknowledges before the in-sync set has it',
    isNoticeable: isReplicated,
    apply: () =>
      replace(
        InSyncSet.prototype,
        'replicatedOffset',
        () =>
          ({ logEndOffset }) =>
            logEndOffset,
      ),
  },
  {
    name: 'truncate-to-watermark',
    about: 'a follower cuts its log at its high watermark, whatever the epochs tell',
    isNoticeable: isReplicated,
    apply: () =>
      replace(LeaderLink.prototype, 'epochEnds', (original) => {
        return async function epochEnds(this: LeaderLink, questions) {
          const answers = await original.call(this, questions)
          return answers.map(({ partitions, ...topic }) => ({
            ...topic,
            partitions: partitions.map((row) => ({ ...row, leaderEpoch: -1, endOffset: -1 })),
          }))
        }
      }),
  },
  {
    name: 'skip-epoch-check',
    about: 'a leader writes its in-sync set over the state of whatever epoch is there',
    isNoticeable: isReplicated,
    apply: () =>
      replace(ZooKeeperSession.prototype, 'setData', (original) => {
        return function setData(this: ZooKeeperSession, path, data, version) {
          const isState = path.startsWith('/brokers/topics/')
          return original.call(this, path, data, isState ? -1 : version)
        }
      }),
  },
  {
    name: 'commit-before-replicated',
    about: 'an offset commit is answered before the in-sync set has it',
    isNoticeable: (plan) => isReplicated(plan) && plan.groups.length > 0,
    apply: () =>
      replace(Shard.prototype, 'append', (original) => {
        return function append(this: Shard, records) {
          void original.call(this, records)
          return Promise.resolve(this.partition.leaderProblem(-1))
        }
      }),
  },
]
