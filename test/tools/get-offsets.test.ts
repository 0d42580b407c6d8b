// kafka-get-offsets: which partitions, which time, which lines.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PartitionTimeQuery } from '../../src/client/admin/types.ts'
import { brokerError } from '../../src/client/errors.ts'
import {
  getOffsetsCommand,
  parseTime,
  partitionFilter,
  printOffsets,
} from '../../src/tools/commands/get-offsets.ts'
import { parseOptions } from '../../src/tools/options.ts'
import { fakeAdmin, TextSink } from './support.ts'

test('times have names, numbers for names, or are milliseconds', () => {
  const asked = ['latest', '-1', 'earliest', '-2', 'max-timestamp', '-3', '17']
  const expected = ['latest', 'latest', 'earliest', 'earliest', 'maxTimestamp', 'maxTimestamp', 17]
  assert.deepEqual(asked.map(parseTime), expected)
  assert.throws(() => parseTime('soon'), /Malformed time argument soon/)
})

test('partitions are chosen by expression, number and range', () => {
  const chosen = (...words: readonly string[]): string[] => {
    const isWanted = partitionFilter(parseOptions(getOffsetsCommand.options, words))
    const all = ['a', 'b'].flatMap((topic) => [0, 1, 2].map((partition) => ({ topic, partition })))
    return all
      .filter(({ topic, partition }) => isWanted(topic, partition))
      .map(({ topic, partition }) => `${topic}${partition}`)
  }
  assert.equal(chosen().length, 6)
  assert.deepEqual(chosen('--topic', 'a', '--partitions', '0,2'), ['a0', 'a2'])
  assert.deepEqual(chosen('--topic-partitions', 'a:1,b:1-'), ['a1', 'b1', 'b2'])
  assert.deepEqual(chosen('--topic-partitions', ':-1'), ['a0', 'b0'])
  assert.throws(() => chosen('--partitions', 'x'), /numeric partition ids, but received: x/)
})

async function run(...words: readonly string[]) {
  const queries: PartitionTimeQuery[] = []
  const admin = fakeAdmin({
    listTopics: () => Promise.resolve(['t']),
    describeTopics: (names) =>
      Promise.resolve(
        (names ?? []).map((name) => ({
          name,
          error: undefined,
          topicId: undefined,
          internal: false,
          partitions: [0, 1, 2].map((partition) => ({
            partition,
            leader: 0,
            leaderEpoch: 0,
            replicas: [0],
            inSyncReplicas: [0],
            offlineReplicas: [],
          })),
        })),
      ),
    listOffsets: (asked) => {
      queries.push(...asked)
      return Promise.resolve(
        asked.map(({ topic, partition }) => ({
          topic,
          partition,
          offset: partition === 1 ? -1 : 40 + partition,
          timestamp: -1,
          leaderEpoch: 0,
          error: partition === 2 ? brokerError(6, 't-2', 'moved') : undefined,
        })),
      )
    },
  })
  const [stdout, stderr] = [new TextSink(), new TextSink()]
  const given = parseOptions(getOffsetsCommand.options, words)
  const code = await printOffsets(given, admin, { stdout, stderr })
  return { code, stdout: stdout.text, stderr: stderr.text, queries }
}

test('offsets are printed one a line, those not found are left empty, errors are told apart', async () => {
  const { code, stdout, stderr, queries } = await run('--time', '-2')
  assert.equal(code, 0)
  assert.equal(stdout, 't:0:40\nt:1:\n')
  assert.equal(stderr, 'Skip getting offsets for topic-partition t-2 due to error: moved\n')
  assert.ok(queries.every(({ at }) => at === 'earliest'))
})

test('filters that match nothing are an error', async () => {
  const { code, stderr } = await run('--topic', 'other')
  assert.equal(code, 1)
  assert.match(stderr, /Could not match any topic-partitions with the specified filters/)
})
