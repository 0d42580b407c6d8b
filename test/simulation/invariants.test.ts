/** Goal: each invariant refuses what breaks it and nothing else. Method: made-up observations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledgedSurvives } from '../../src/simulation/invariants/acknowledged-survives.ts'
import { commitsStay } from '../../src/simulation/invariants/commits-stay.ts'
import { ephemeralsEnd } from '../../src/simulation/invariants/ephemerals-end.ts'
import { groupsSkipNothing } from '../../src/simulation/invariants/groups-skip-nothing.ts'
import type { Invariant } from '../../src/simulation/invariants/invariant.ts'
import { fencedWriteNothing } from '../../src/simulation/invariants/fenced-write-nothing.ts'
import { noGapNoDuplicate } from '../../src/simulation/invariants/no-gap-no-duplicate.ts'
import { noInternalError } from '../../src/simulation/invariants/no-internal-error.ts'
import { nothingResurrected } from '../../src/simulation/invariants/nothing-resurrected.ts'
import { oneController } from '../../src/simulation/invariants/one-controller.ts'
import { oneLeader } from '../../src/simulation/invariants/one-leader.ts'
import { oneLog } from '../../src/simulation/invariants/one-log.ts'
import { readersAgree } from '../../src/simulation/invariants/readers-agree.ts'
import { allInvariants } from '../../src/simulation/invariants/table.ts'
import { watermarkGrows } from '../../src/simulation/invariants/watermark-grows.ts'
import { zxidsInOrder } from '../../src/simulation/invariants/zxids-in-order.ts'
import type { Observation, SentRecord, WrittenState } from '../../src/simulation/observation.ts'

const place = { topic: 't', partition: 0 } as const
const lossAllowed = { kind: 'lossAllowed', ...place, isSplit: false } as const

function sent(number: number, differs: Partial<SentRecord> = {}): Observation {
  const usual = { producer: 'p', acks: -1, idempotent: true, isPromised: true } as const
  return { kind: 'sent', record: { ...place, ...usual, number, ...differs } }
}

function acknowledged(number: number, offset: number): Observation {
  return { kind: 'acknowledged', number, offset }
}

/** The records of a log, from offset `first` on. */
function log(numbers: readonly number[], first = 0): Observation {
  const records = numbers.map((number, index) => ({ number, offset: first + index }))
  return { kind: 'wholeLog', ...place, records }
}

function delivered(number: number, offset: number, reader = 'r'): Observation {
  return { kind: 'delivered', group: 'g', reader, ...place, number, offset }
}

function logLine(message: string, error?: unknown): Observation {
  return { kind: 'log', host: 'broker-0', level: 'ERROR', name: 'n', message, error }
}

/** How many of the observations an invariant finds fault with. */
function faults(invariant: Invariant, seen: readonly Observation[]): number {
  return seen.filter((one) => invariant.observe(one) !== undefined).length
}

test('each invariant has a number of its own', () => {
  const numbers = allInvariants().map(({ number }) => number)
  assert.equal(new Set(numbers).size, numbers.length)
})

test('an acknowledged record must stand at its offset', () => {
  const before = [sent(1), sent(2), acknowledged(1, 0), acknowledged(2, 1)]
  assert.equal(faults(acknowledgedSurvives(), [...before, log([1, 2])]), 0)
  assert.equal(faults(acknowledgedSurvives(), [...before, log([1])]), 1)
  assert.equal(faults(acknowledgedSurvives(), [...before, log([2, 1])]), 1)
})

test('a record that was acknowledged without an offset must stand somewhere', () => {
  const before = [sent(1), acknowledged(1, -1)]
  assert.equal(faults(acknowledgedSurvives(), [...before, log([2, 1])]), 0)
  assert.equal(faults(acknowledgedSurvives(), [...before, log([2])]), 1)
  assert.equal(faults(acknowledgedSurvives(), [...before, lossAllowed, log([2])]), 0)
})

test('an allowed loss may take the end of a log, but leaves no hole', () => {
  const before = [sent(1), sent(2), acknowledged(1, 0), acknowledged(2, 1), lossAllowed]
  assert.equal(faults(acknowledgedSurvives(), [...before, log([1])]), 0)
  assert.equal(faults(acknowledgedSurvives(), [...before, log([])]), 0)
  assert.equal(faults(acknowledgedSurvives(), [...before, log([2], 1)]), 1)
  const unpromised = [sent(1, { isPromised: false }), acknowledged(1, 0), log([])]
  assert.equal(faults(acknowledgedSurvives(), unpromised), 0)
  const late = [sent(1), lossAllowed, acknowledged(1, 0), log([])]
  assert.equal(faults(acknowledgedSurvives(), late), 0)
})

test('gaps, strangers, duplicates and a wrong order in a log are found', () => {
  const before = [sent(1), sent(2), acknowledged(1, 0), acknowledged(2, 1)]
  assert.equal(faults(noGapNoDuplicate(), [...before, log([1, 2])]), 0)
  assert.equal(faults(noGapNoDuplicate(), [...before, log([1, 2], 1)]), 1)
  assert.equal(faults(noGapNoDuplicate(), [...before, log([1, 2, 3])]), 1)
  assert.equal(faults(noGapNoDuplicate(), [...before, log([1, 2, 1])]), 1)
  assert.equal(faults(noGapNoDuplicate(), [...before, log([2, 1])]), 1)
  const plain = [sent(1, { idempotent: false }), acknowledged(1, 0), log([1, 1])]
  assert.equal(faults(noGapNoDuplicate(), plain), 0)
})

test('a watermark may fall back over an allowed loss only', () => {
  const asked = (question: number): Observation => ({ kind: 'endsAsked', question })
  const end = (offset: number, question: number): Observation => {
    return { kind: 'endOffset', question, ...place, offset }
  }
  const before = [asked(1), asked(2), end(3, 1)]
  assert.equal(faults(watermarkGrows(), [...before, asked(3), end(3, 3)]), 0)
  assert.equal(faults(watermarkGrows(), [...before, asked(3), end(2, 3)]), 1)
  assert.equal(faults(watermarkGrows(), [...before, end(2, 2)]), 0)
  assert.equal(faults(watermarkGrows(), [...before, lossAllowed, asked(3), end(2, 3)]), 0)
  assert.equal(faults(watermarkGrows(), [...before, asked(3), lossAllowed, end(2, 3)]), 0)
  const later = [asked(3), end(3, 3), asked(4), end(2, 4)]
  assert.equal(faults(watermarkGrows(), [lossAllowed, ...later]), 1)
  assert.equal(faults(watermarkGrows(), [{ ...lossAllowed, isSplit: true }, ...later]), 0)
})

test('a commit that was answered before the question is not forgotten', () => {
  const group = 'g'
  const commit = (offset: number): Observation => ({ kind: 'committed', group, ...place, offset })
  const asked: Observation = { kind: 'committedAsked', question: 1 }
  const read = (offset: number): Observation => {
    return { kind: 'committedRead', question: 1, group, ...place, offset }
  }
  assert.equal(faults(commitsStay(), [commit(4), asked, read(4)]), 0)
  assert.equal(faults(commitsStay(), [commit(4), asked, read(-1)]), 1)
  assert.equal(faults(commitsStay(), [asked, commit(4), read(-1)]), 0)
})

test('readers find one log, in order', () => {
  assert.equal(faults(readersAgree(), [delivered(1, 0), delivered(2, 1), delivered(1, 0, 's')]), 0)
  assert.equal(faults(readersAgree(), [delivered(1, 0), delivered(2, 2)]), 1)
  assert.equal(faults(readersAgree(), [delivered(1, 0), delivered(1, 0)]), 1)
  assert.equal(faults(readersAgree(), [delivered(1, 0), delivered(2, 0, 's')]), 1)
})

test('a group that never got an acknowledged record is found', () => {
  const done = { kind: 'groupDone', group: 'g', topics: ['t'], before: 9 } as const
  const before = [sent(1), acknowledged(1, 0)]
  assert.equal(faults(groupsSkipNothing(), [...before, delivered(1, 0), done]), 0)
  assert.equal(faults(groupsSkipNothing(), [...before, done]), 1)
  assert.equal(faults(groupsSkipNothing(), [...before, { ...done, before: 1 }]), 0)
})

test('zxids that go back, and lost increments, are found', () => {
  const asked = (question: number): Observation => ({ kind: 'coordinationAsked', question })
  const written = (question: number, zxid: bigint): Observation => {
    return { kind: 'coordinationWritten', question, path: '/a', zxid }
  }
  const read = (zxid: bigint): Observation => {
    return { kind: 'coordinationRead', session: 's', path: '/a', zxid }
  }
  assert.equal(faults(zxidsInOrder(), [asked(1), asked(2), written(2, 7n), written(1, 6n)]), 0)
  assert.equal(faults(zxidsInOrder(), [asked(1), written(1, 7n), asked(2), written(2, 7n)]), 1)
  assert.equal(faults(zxidsInOrder(), [read(4n), read(3n)]), 1)
  const counter = { kind: 'counterRead', answered: 3, unanswered: 1 } as const
  assert.equal(faults(zxidsInOrder(), [{ ...counter, value: 4 }]), 0)
  assert.equal(faults(zxidsInOrder(), [{ ...counter, value: 2 }]), 1)
  assert.equal(faults(zxidsInOrder(), [{ ...counter, value: 5 }]), 1)
})

test('ephemerals that end too early or never are found', () => {
  const node = { kind: 'ephemeralSeen', path: '/e', present: true, owner: 'alive' } as const
  assert.equal(faults(ephemeralsEnd(), [node]), 0)
  assert.equal(faults(ephemeralsEnd(), [{ ...node, present: false }]), 1)
  assert.equal(faults(ephemeralsEnd(), [{ ...node, present: false, owner: 'doubtful' }]), 0)
  assert.equal(faults(ephemeralsEnd(), [{ ...node, owner: 'ended' }]), 1)
})

test('an epoch that is won twice, or goes back, is found', () => {
  const won = (epoch: number): Observation =>
    logLine(`0 successfully elected as the controller. Epoch incremented to ${epoch}`)
  const state = (leaderEpoch: number, controllerEpoch: number, czxid = 1n): Observation => {
    return { kind: 'partitionState', ...place, leaderEpoch, controllerEpoch, czxid }
  }
  assert.equal(faults(oneController(), [won(1), won(2)]), 0)
  assert.equal(faults(oneController(), [won(1), won(1)]), 1)
  assert.equal(faults(oneController(), [state(3, 3), state(2, 3)]), 1)
  assert.equal(faults(oneController(), [state(3, 3), state(3, 2)]), 1)
  assert.equal(faults(oneController(), [state(3, 3), state(0, 1, 2n)]), 0)
})

test('a record of a former life is found, and a bug that was only logged', () => {
  const found = { kind: 'recreated', topic: 't', former: [1, 2], found: [3] } as const
  assert.equal(faults(nothingResurrected(), [found]), 0)
  assert.equal(faults(nothingResurrected(), [{ ...found, found: [3, 2] }]), 1)
  assert.equal(faults(noInternalError(), [logLine('away', new Error('ECONNREFUSED'))]), 0)
  assert.equal(faults(noInternalError(), [logLine('skipping', new TypeError('undefined'))]), 1)
  assert.equal(faults(noInternalError(), [logLine('Unexpected error', new Error('x'))]), 1)
})

function written(differs: Partial<WrittenState> = {}): Observation {
  const epochs = { leaderEpoch: 0, controllerEpoch: 1, currentControllerEpoch: 1 }
  const state = { leader: 0, isr: [0, 1], ...epochs, czxid: 1n, mzxid: 1n }
  return { kind: 'stateWritten', ...place, ...state, ...differs }
}

test('a second leader of an epoch, and one that was not in sync, are found', () => {
  const next = { leader: 1, leaderEpoch: 1, isr: [1] }
  assert.equal(faults(oneLeader(), [written(), written(next)]), 0)
  assert.equal(faults(oneLeader(), [written(), written({ ...next, leaderEpoch: 0 })]), 1)
  assert.equal(faults(oneLeader(), [written(next), written()]), 1)
  assert.equal(faults(oneLeader(), [written({ isr: [1] })]), 1)
  const stranger = { leader: 2, leaderEpoch: 1, isr: [2] }
  assert.equal(faults(oneLeader(), [written(), written(stranger)]), 1)
  const names = { topic: 't', on: 't' }
  const created: Observation = { kind: 'topicCreated', ...names, flushed: false, unclean: true }
  assert.equal(faults(oneLeader(), [created, written(), written(stranger)]), 0)
  assert.equal(faults(oneLeader(), [written(next), written({ czxid: 2n })]), 0)
})

test('a write in the name of a controller that was overtaken is found', () => {
  const late = { leaderEpoch: 1, currentControllerEpoch: 2 }
  assert.equal(faults(fencedWriteNothing(), [written(), written(late)]), 1)
  const current = { ...late, controllerEpoch: 2 }
  assert.equal(faults(fencedWriteNothing(), [written(), written(current)]), 0)
  // A leader changes its in-sync set in the name of the controller that made it the leader.
  const inSync = { isr: [0], currentControllerEpoch: 2 }
  assert.equal(faults(fencedWriteNothing(), [written(), written(inSync)]), 0)
})

test('logs that differ within an epoch, or below the high watermark, are found', () => {
  const batch = (baseOffset: number, leaderEpoch: number, crc: number) => {
    return { baseOffset, lastOffset: baseOffset, leaderEpoch, crc }
  }
  const logs = (committed: number, ...all: ReturnType<typeof batch>[][]): Observation => {
    const replicas = all.map((batches, broker) => ({ broker, batches }))
    return { kind: 'replicaLogs', ...place, replicas, committed }
  }
  const [first, second] = [batch(0, 0, 11), batch(1, 0, 22)]
  assert.equal(faults(oneLog(), [logs(2, [first, second], [first, second])]), 0)
  assert.equal(faults(oneLog(), [logs(1, [first, second], [first])]), 0)
  assert.equal(faults(oneLog(), [logs(2, [first, second], [first])]), 1)
  assert.equal(faults(oneLog(), [logs(-1, [first, second], [first, batch(1, 0, 33)])]), 1)
  assert.equal(faults(oneLog(), [logs(-1, [first, second], [first, batch(1, 1, 33)])]), 0)
  // What one of them has deleted is not missed.
  assert.equal(faults(oneLog(), [logs(2, [first, second], [second])]), 0)
})
