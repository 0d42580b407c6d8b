/**
 * Mistakes made on purpose: parts of the system replaced by ones that break a promise, to show that the
 * simulator would notice. Each is put in place for the whole process, and taken back afterwards.
 */
import { Errors } from '../kafka/errors.ts'
import { Shard } from '../broker/groups/shard.ts'
import { Producers } from '../storage/producers.ts'
import { Segments } from '../storage/segments.ts'
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

const someTopicIsFlushed = ({ topics }: Plan): boolean => topics.some(({ flushed }) => flushed)

export const mutants: readonly Mutant[] = [
  {
    name: 'acknowledge-before-written',
    about: 'the broker answers while the records are still in its own memory',
    isNoticeable: (plan) => has(plan, ['kill'], 'broker'),
    apply: () => () => {},
    options: { keepsWritesInProcess: true },
  },
  {
    name: 'acknowledge-before-synced',
    about: 'flush.messages=1 is answered without the fsync',
    isNoticeable: (plan) => someTopicIsFlushed(plan) && has(plan, ['losePower'], 'broker'),
    apply: () => replace(Segments.prototype, 'sync', () => () => Promise.resolve()),
  },
  {
    name: 'coordination-without-sync',
    about: 'the coordination server answers before its log is on the disk',
    isNoticeable: (plan) => has(plan, ['losePower'], 'coordination'),
    apply: () => replace(TransactionLog.prototype, 'sync', () => () => Promise.resolve()),
  },
  {
    name: 'forget-watches',
    about: 'a client of the coordination server does not set its watches again after a reconnect',
    isNoticeable: (plan) => has(plan, ['kill', 'reset'], 'coordination'),
    apply: () => replace(ClientWatches.prototype, 'portions', () => () => []),
  },
  {
    name: 'commit-before-append',
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
    about: 'the broker appends what an idempotent producer sends again',
    isNoticeable: (plan) =>
      has(plan, ['reset', 'kill', 'slowDisk']) &&
      plan.producers.some(({ idempotent }) => idempotent),
    apply: () => replace(Producers.prototype, 'check', () => () => 'ok'),
  },
  {
    name: 'immortal-sessions',
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
]
