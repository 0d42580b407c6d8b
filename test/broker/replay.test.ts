import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  groupRecord,
  groupTombstone,
  offsetRecord,
  offsetTombstone,
} from '../../src/broker/groups/offsets.ts'
import { interBrokerLevel } from '../../src/broker/controller/level.ts'
import type { InternalRecord } from '../../src/broker/groups/offsets.ts'
import { Group } from '../../src/broker/groups/group.ts'
import { Replay } from '../../src/broker/groups/replay.ts'
import * as batch from '../../src/kafka/records/batch.ts'
import { RecordBatchBuilder } from '../../src/kafka/records/builder.ts'
import type { BatchSettings } from '../../src/kafka/records/builder.ts'
import { downConvert } from '../../src/kafka/records/convert.ts'

const committed = (offset: number) => ({
  ...{ offset, leaderEpoch: 3, metadata: 'm', commitTimestampMs: 1000, expireTimestampMs: -1 },
})

const commitOf = (group: string, offset: number | null): InternalRecord =>
  offset === null
    ? offsetTombstone(group, 't', 0)
    : offsetRecord(group, 't', 0, { version: 3, committed: committed(offset) })

function bytesOf(records: readonly InternalRecord[], settings: BatchSettings = {}): Buffer {
  const builder = new RecordBatchBuilder()
  for (const { key, value } of records) builder.add(1000, key, value, [])
  return builder.build(settings)
}

function marker(producerId: number, isCommitted: boolean, baseOffset: number): Buffer {
  const key = Buffer.from([0, 0, 0, isCommitted ? 1 : 0])
  const settings = { control: true, transactional: true, producerId, producerEpoch: 0, baseOffset }
  return bytesOf([{ key, value: Buffer.alloc(6) }], settings)
}

const offsetIn = (replay: Replay, group: string): number | undefined =>
  replay.offsets.get(group)?.get('t')?.get(0)?.offset

test('the last word on an offset counts, and a tombstone takes it away', () => {
  const replay = new Replay()
  const records = [commitOf('a', 1), commitOf('b', 2), commitOf('a', 3), commitOf('b', null)]
  assert.equal(replay.add(bytesOf([...records, commitOf('never', null)])), 5)
  assert.equal(offsetIn(replay, 'a'), 3)
  assert.deepEqual([...replay.offsets.keys()], ['a'])
})

test('the last word on a group counts, and a tombstone takes it away', () => {
  const replay = new Replay()
  const group = new Group('g', { initialRebalanceDelayMs: 0, sizeMax: 10 })
  replay.add(bytesOf([groupRecord(group, 5, 3), { ...groupRecord(group, 6, 3) }]))
  assert.equal(replay.groups.get('g')?.currentStateTimestamp, 6)
  replay.add(bytesOf([groupTombstone('g')]))
  assert.equal(replay.groups.size, 0)
})

test('empty batches and gaps that compaction left are passed over', () => {
  const replay = new Replay()
  const emptied = bytesOf([commitOf('a', 1)], { baseOffset: 10 }).subarray(0, batch.HEADER_BYTES)
  const header = { size: batch.HEADER_BYTES, baseOffset: 10, leaderEpoch: 0, attributes: 0 }
  const none = { baseTimestamp: -1, maxTimestamp: -1, producerId: 7, producerEpoch: 0 }
  const rest = { lastOffsetDelta: 4, baseSequence: 0, recordCount: 0 }
  batch.writeHeader(emptied, 0, { ...header, ...none, ...rest })
  assert.equal(replay.add(emptied), 15)
  assert.equal(replay.add(bytesOf([commitOf('a', 2)], { baseOffset: 40 })), 41)
  assert.equal(offsetIn(replay, 'a'), 2)
})

test('a batch that is cut off ends the piece; without a whole one there is nothing', () => {
  const replay = new Replay()
  const whole = bytesOf([commitOf('a', 1)])
  const cut = bytesOf([commitOf('a', 2)], { baseOffset: 1 }).subarray(0, 70)
  assert.equal(replay.add(Buffer.concat([whole, cut])), 1)
  assert.equal(replay.add(cut), -1)
  assert.equal(offsetIn(replay, 'a'), 1)
})

test('old message formats, as 0.10.1 wrote them, are read, compressed or not', () => {
  for (const codec of ['none', 'gzip'] as const)
    for (const magic of [0, 1] as const) {
      const records = bytesOf([commitOf('a', 1), commitOf('a', 2)], { codec, baseOffset: 6 })
      const old = downConvert(records, 0, records.length, { magic, firstOffset: 0 }).bytes
      const replay = new Replay()
      assert.equal(replay.add(old), 8)
      assert.equal(offsetIn(replay, 'a'), 2)
    }
})

test('commits of a transaction count when it is committed, and not when it is aborted', () => {
  const open = (producerId: number, group: string, baseOffset: number) =>
    bytesOf([commitOf(group, 9)], { transactional: true, producerId, producerEpoch: 0, baseOffset })
  const replay = new Replay()
  replay.add(Buffer.concat([open(1, 'a', 0), open(2, 'b', 1), open(3, 'c', 2)]))
  assert.equal(replay.offsets.size, 0)
  replay.add(Buffer.concat([marker(1, true, 3), marker(2, false, 4)]))
  assert.deepEqual([offsetIn(replay, 'a'), replay.offsets.size], [9, 1])
})

test('records of other kinds and unreadable ones are passed over, the latter with a word', () => {
  const replay = new Replay()
  const key = Buffer.from([0, 3, 0, 1, 0x67])
  const broken = { key: Buffer.from([0, 1, 0, 50]), value: null }
  replay.add(bytesOf([{ key, value: Buffer.alloc(2) }, broken, commitOf('a', 1)]))
  assert.equal(offsetIn(replay, 'a'), 1)
  assert.equal(replay.problems.length, 1)
})

test('an expiry of its own makes a commit a value of version 1, else of version 3', () => {
  const version = (expireTimestampMs: number) =>
    offsetRecord('g', 't', 0, {
      version: 3,
      committed: { ...committed(1), expireTimestampMs },
    }).value?.readInt16BE(0)
  assert.deepEqual([version(-1), version(5000)], [3, 1])
})

test('groups and commits are written as coordinators of the inter-broker level read them', () => {
  const versionsAt = (level: string | undefined) => {
    const { groupRecord: group, offsetRecord: offset } = interBrokerLevel(level)
    return [
      groupRecord(
        new Group('g', { initialRebalanceDelayMs: 0, sizeMax: 10 }),
        5,
        group,
      ).value?.readInt16BE(0),
      offsetRecord('g', 't', 0, { version: offset, committed: committed(1) }).value?.readInt16BE(0),
    ]
  }
  assert.deepEqual(['0.10.0', '0.10.1-IV2', '2.0', '2.1', undefined, '3.9'].map(versionsAt), [
    [0, 1],
    [1, 1],
    [1, 1],
    [2, 3],
    [3, 3],
    [3, 3],
  ])
})
