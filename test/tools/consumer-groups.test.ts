// kafka-consumer-groups: its command line, its tables, and where offsets are moved to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClusterAdmin, GroupDescription, GroupMember } from '../../src/client/admin/types.ts'
import { brokerError } from '../../src/client/errors.ts'
import { runGroupAction } from '../../src/tools/commands/consumer-groups.ts'
import { checkGroupOptions, groupOptions, statesFrom } from '../../src/tools/group-options.ts'
import * as tables from '../../src/tools/group-tables.ts'
import { parseOptions } from '../../src/tools/options.ts'
import {
  fitOffset,
  parseDateTime,
  parseDurationMs,
  parseResetFile,
  resetCsv,
  topicChoice,
} from '../../src/tools/reset-offsets.ts'
import { fakeClusterAdmin, fakeTool } from './support.ts'

const refusals: readonly (readonly [string, string])[] = [
  [
    '',
    'Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets',
  ],
  ['--describe', 'Option [describe] takes one of these options: [group], [all-groups]'],
  [
    '--describe --group g --members --state',
    'Option [describe] takes at most one of these options: [members], [offsets], [state]',
  ],
  ['--list --group g', 'Option "[list]" can\'t be used with option "[group]"'],
  [
    '--delete --group g --topic t',
    'The consumer does not support topic-specific offset deletion from a consumer group.',
  ],
  [
    '--delete-offsets --group g',
    'Option [delete-offsets] takes the following options: [group], [topic]',
  ],
  [
    '--reset-offsets --group g --topic t --dry-run',
    "Option '[reset-offsets]' requires one of the following scenarios: [[to-offset], [to-current], [to-datetime], [from-file], [by-duration], [to-earliest], [to-latest], [shift-by]]",
  ],
  [
    '--reset-offsets --group g --to-earliest',
    'One of the reset scopes should be defined: --all-topics, --topic.',
  ],
  [
    '--reset-offsets --group g --topic t --to-earliest --to-latest',
    'Option "[to-earliest]" can\'t be used with option "[to-latest]"',
  ],
  [
    '--reset-offsets --group g --topic t --to-earliest --dry-run --execute',
    'Option [reset-offsets] only accepts one of [[dry-run], [execute]]',
  ],
  [
    '--reset-offsets --group g --all-groups --topic t --to-earliest',
    'Option "[group]" can\'t be used with option "[all-groups]"',
  ],
]

const given = (line: string) =>
  parseOptions(
    groupOptions,
    line.split(' ').filter((word) => word !== ''),
  )

for (const [line, message] of refusals) {
  test(`refused: ${line}`, () => {
    assert.throws(() => checkGroupOptions(given(line)), { name: 'OptionError', message })
  })
}

test('states are known in any case', () => {
  assert.deepEqual(statesFrom('stable, EMPTY'), ['Stable', 'Empty'])
  assert.throws(() => statesFrom('foo'), /^OptionError: Invalid state list 'foo'. Valid states are/)
})

const member: GroupMember = {
  memberId: 'console-consumer-63624015-a202-4611-a3e6-69f1350a177b',
  groupInstanceId: null,
  clientId: 'console-consumer',
  clientHost: '/127.0.0.1',
  assignment: [
    { topic: 'alpha', partition: 1 },
    { topic: 'alpha', partition: 0 },
  ],
}
const idle = { ...member, memberId: 'm', assignment: [] }

test('offsets are told in the columns of 3.9.1, those of nobody last', () => {
  const facts = {
    committed: new Map([
      ['alpha 0', 60],
      ['beta 0', 5],
    ]),
    ends: new Map([
      ['alpha 0', 100],
      ['alpha 1', 7],
      ['beta 0', 5],
    ]),
  }
  const rows = tables.offsetRows([idle, member], [{ topic: 'beta', partition: 0 }], facts)
  assert.deepEqual(tables.offsetLines('live', rows), [
    '',
    'GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID                                           HOST            CLIENT-ID',
    'live            alpha           0          60              100             40              console-consumer-63624015-a202-4611-a3e6-69f1350a177b /127.0.0.1      console-consumer',
    'live            alpha           1          -               7               -               console-consumer-63624015-a202-4611-a3e6-69f1350a177b /127.0.0.1      console-consumer',
    'live            -               -          -               -               -               m                                                     /127.0.0.1      console-consumer',
    'live            beta            0          5               5               0               -                                                     -               -',
  ])
  assert.deepEqual(tables.oldOffsetLines('live', rows).slice(0, 3), [
    'GROUP                          TOPIC                          PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             OWNER',
    'live                           alpha                          0          60              100             40              console-consumer_/127.0.0.1',
    'live                           alpha                          1          unknown         7               unknown         console-consumer_/127.0.0.1',
  ])
})

test('members are told in the columns of 3.9.1, instances where there are some', () => {
  assert.deepEqual(tables.memberLines('live', [member], { verbose: true }), [
    '',
    'GROUP           CONSUMER-ID                                           HOST            CLIENT-ID        #PARTITIONS     ASSIGNMENT',
    'live            console-consumer-63624015-a202-4611-a3e6-69f1350a177b /127.0.0.1      console-consumer 2               alpha(0,1)',
  ])
  const fixed = { ...idle, groupInstanceId: 'i' }
  assert.deepEqual(tables.memberLines('g', [fixed], { verbose: false }).slice(1), [
    'GROUP           CONSUMER-ID     GROUP-INSTANCE-ID HOST            CLIENT-ID        #PARTITIONS     ',
    'g               m               i                 /127.0.0.1      console-consumer 0               ',
  ])
})

const group: GroupDescription = {
  name: 'live',
  error: undefined,
  state: 'Stable',
  protocolType: 'consumer',
  protocol: 'range',
  coordinator: { nodeId: 0, host: '127.0.0.1', port: 29190, rack: null },
  members: [member],
}

test('states and lists are told in the columns of 3.9.1', () => {
  assert.deepEqual(tables.stateLines(group), [
    '',
    'GROUP                     COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE           #MEMBERS',
    'live                      127.0.0.1:29190  (0)      range                Stable          1',
  ])
  const listed = { groupId: 'live', protocolType: 'consumer', state: 'Stable', type: 'classic' }
  assert.deepEqual(tables.listLines([listed], { states: true, types: true }), [
    'GROUP                     TYPE                 STATE               ',
    'live                      Classic              Stable              ',
  ])
  assert.deepEqual(tables.listLines([listed], { states: false, types: false }), ['live'])
})

test('times without a zone are UTC', () => {
  const time = Date.UTC(2026, 10, 23, 10, 0, 0, 5)
  assert.equal(parseDateTime('2026-11-23T10:00:00.005'), time)
  assert.equal(parseDateTime('2026-11-23T12:00:00.005+0200'), time)
  assert.equal(parseDateTime('2026-11-23T12:00:00.005+02'), time)
  assert.equal(parseDateTime('2026-11-23T10:00:00.005Z'), time)
  assert.throws(() => parseDateTime('2020'), /does not contain a 'T' according to ISO8601/)
  assert.throws(() => parseDateTime('2020-01-01Tx'), /Unparseable date: "2020-01-01Tx"/)
})

test('durations are ISO 8601', () => {
  assert.equal(parseDurationMs('PT1H'), 3_600_000)
  assert.equal(parseDurationMs('P1DT2H3M4.5S'), 93_784_500)
  assert.equal(parseDurationMs('-PT1S'), -1000)
  for (const wrong of ['1H', 'P', 'PT', 'P1DT', 'PT1D']) {
    assert.throws(() => parseDurationMs(wrong), /Text cannot be parsed to a Duration/)
  }
})

test('an offset beyond the log is brought back to its nearest end', () => {
  const at = { topic: 't', partition: 3 }
  const range = { earliest: 5, latest: 9 }
  assert.deepEqual(fitOffset(at, 7, range), { offset: 7 })
  assert.deepEqual(fitOffset(at, 70, range), {
    offset: 9,
    warning:
      'New offset (70) is higher than latest offset for topic partition t-3. Value will be set to 9',
  })
  assert.equal(fitOffset(at, 0, range).offset, 5)
})

test('what is exported is read back, with and without the names of groups', () => {
  const names = fc.stringMatching(/^[a-z.-]{1,9}$/)
  const row = fc.record({ topic: names, partition: fc.nat(), offset: fc.nat() })
  fc.assert(
    fc.property(
      fc.uniqueArray(names, { minLength: 1, maxLength: 3 }),
      fc.array(row),
      (groups, rows) => {
        const offsets = rows.map((one, index) => ({
          group: groups[index % groups.length] ?? '',
          ...one,
        }))
        assert.deepEqual(parseResetFile(resetCsv(offsets, groups), groups), offsets)
      },
    ),
  )
  assert.throws(
    () => parseResetFile('alpha,0\n', ['g']),
    /line 1 of the file is not topic,partition/,
  )
})

test('a topic may bring its partitions', () => {
  assert.deepEqual(topicChoice('t:0,2'), { topic: 't', partitions: [0, 2] })
  assert.deepEqual(topicChoice('t'), { topic: 't', partitions: undefined })
  assert.throws(() => topicChoice('t:x'), /For input string: "x"/)
})

/** Two partitions that hold offsets 10 to 100; the group has committed 60 of the first. */
const known: Partial<ClusterAdmin> = {
  describeGroups: (ids) =>
    Promise.resolve(ids.map((name) => ({ ...group, name, state: 'Empty', members: [] }))),
  describeTopics: (names = []) => {
    const name = names[0] ?? ''
    const partition = {
      leader: 0,
      leaderEpoch: 0,
      replicas: [],
      inSyncReplicas: [],
      offlineReplicas: [],
    }
    const partitions = [0, 1].map((number) => ({ ...partition, partition: number }))
    const error = name === 'nope' ? brokerError(3, name) : undefined
    return Promise.resolve([{ name, error, topicId: undefined, internal: false, partitions }])
  },
  groupOffsets: () =>
    Promise.resolve([{ topic: 't', partition: 0, offset: 60, metadata: '', leaderEpoch: 0 }]),
  listOffsets: (queries) =>
    Promise.resolve(
      queries.map(({ topic, partition, at }) => {
        const found = at === 'earliest' ? 10 : at === 'latest' ? 100 : partition === 0 ? 42 : -1
        return { topic, partition, offset: found, timestamp: 0, leaderEpoch: 0, error: undefined }
      }),
    ),
}

async function reset(line: string): Promise<{ readonly text: string; readonly set: unknown[] }> {
  const set: unknown[] = []
  const admin = fakeClusterAdmin({
    ...known,
    setGroupOffsets: (name, offsets) => {
      set.push([name, offsets.map(({ partition, offset }) => [partition, offset])])
      return Promise.resolve()
    },
  })
  const options = given(`--reset-offsets --group g ${line}`)
  const tool = fakeTool()
  await runGroupAction(checkGroupOptions(options), options, admin, tool)
  return { text: tool.context.stdout.text, set }
}

const scenarios: readonly (readonly [string, readonly number[]])[] = [
  ['--topic t --to-earliest', [10, 10]],
  ['--topic t --to-latest', [100, 100]],
  ['--topic t --to-offset 7', [10, 10]],
  ['--topic t --to-offset 77', [77, 77]],
  ['--topic t --to-current', [60, 100]],
  ['--all-topics --shift-by -3', [57]],
  ['--topic t:0 --shift-by 1000', [100]],
  ['--topic t --to-datetime 2020-01-01T00:00:00.000', [42, 100]],
  ['--topic t --by-duration PT1H', [42, 100]],
]

for (const [line, expected] of scenarios) {
  test(`offsets are moved: ${line}`, async () => {
    const { set, text } = await reset(`${line} --execute`)
    assert.deepEqual(set, [['g', expected.map((offset, partition) => [partition, offset])]])
    const rows = text.trimEnd().split('\n').slice(-expected.length)
    assert.deepEqual(
      rows.map((row) => Number(row.trim().split(/ +/)[3])),
      expected,
    )
    assert.deepEqual((await reset(`${line} --dry-run`)).set, [])
  })
}

test('a partition without a committed offset cannot be shifted', async () => {
  await assert.rejects(reset('--topic t --shift-by 1 --dry-run'), {
    message: 'Cannot shift offset for partition t-1 since there is no current committed offset',
  })
})

test('the plan of one group is exported without its name', async () => {
  const { text } = await reset('--topic t --to-latest --export --dry-run')
  assert.equal(text, 't,0,100\nt,1,100\n\n')
})

test('groups with members keep their offsets', async () => {
  const options = given('--reset-offsets --group live --topic t --to-latest --execute')
  const admin = fakeClusterAdmin({ describeGroups: () => Promise.resolve([group]) })
  const tool = fakeTool()
  await runGroupAction('reset-offsets', options, admin, tool)
  assert.match(
    tool.context.stdout.text,
    /^\nError: Assignments can only be reset if the group 'live' is inactive, but the current state is Stable\.\n/,
  )
})

test('groups that could not be deleted are named beside those that were', async () => {
  const tool = fakeTool()
  const admin = fakeClusterAdmin({
    deleteGroups: (names) =>
      Promise.resolve(
        names.map((name) => ({ name, error: name === 'a' ? undefined : brokerError(68, name) })),
      ),
  })
  await runGroupAction('delete', given('--delete --group a --group b'), admin, tool)
  const { text } = tool.context.stdout
  assert.match(text, /^\nError: Deletion of some consumer groups failed:\n\* Group 'b' could not/)
  assert.match(text, /GroupNotEmptyException/)
  assert.match(text, /\nThese consumer groups were deleted successfully: 'a'\n$/)
})

test('a group that is not there is said so, with exit 0', async () => {
  const tool = fakeTool()
  const admin = fakeClusterAdmin({
    describeGroups: () => Promise.resolve([{ ...group, name: 'nope', state: 'Dead', members: [] }]),
  })
  await runGroupAction('describe', given('--describe --group nope'), admin, tool)
  assert.equal(tool.context.stdout.text, "\nError: Consumer group 'nope' does not exist.\n")
})
