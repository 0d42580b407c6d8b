// kafka-reassign-partitions and kafka-leader-election: files, proposals, throttles, what is printed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type {
  ClusterAdmin,
  ConfigChange,
  OngoingReassignment,
} from '../../src/client/admin/types.ts'
import { brokerError } from '../../src/client/errors.ts'
import { outcomeLines } from '../../src/tools/commands/leader-election.ts'
import {
  checkReassignOptions,
  reassignPartitionsCommand,
} from '../../src/tools/commands/reassign-partitions.ts'
import { parseObject } from '../../src/tools/json-shape.ts'
import { parseOptions } from '../../src/tools/options.ts'
import { cancel, execute, list, verify } from '../../src/tools/reassign/actions.ts'
import {
  type Assignment,
  assignmentJson,
  parseAssignments,
  proposeReplicas,
  throttlesOf,
} from '../../src/tools/reassign/plan.ts'
import { fakeClusterAdmin } from './support.ts'

const parse = (text: string): Assignment[] => parseAssignments(parseObject(text, 'f'), 'f')

test('an assignment is read, and written as the original writes it', () => {
  const text =
    '{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[0,1],"log_dirs":["any","/d"]}]}'
  const assignments = parse(text)
  assert.equal(assignmentJson(assignments, { logDirs: true }), text)
  assert.equal(
    assignmentJson(assignments, { logDirs: false }),
    '{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[0,1]}]}',
  )
})

const row = (more: string): string => `{"topic":"t","partition":0,${more}}`
const file = (...rows: readonly string[]): string => `{"partitions":[${rows.join(',')}]}`
const refusals: readonly (readonly [string, string | RegExp])[] = [
  ['[]', 'f: an object is expected'],
  ['{', 'f: the input string is not a valid JSON'],
  [file(), 'Partition reassignment list cannot be empty'],
  [file(row('"replicas":[]')), 'Partition replica list cannot be empty'],
  [file(row('"replicas":["a"]')), /replicas must be an array of broker ids$/],
  [
    file(row('"replicas":[0]'), row('"replicas":[1]')),
    'Partition reassignment contains duplicate topic partitions: t-0',
  ],
  [
    file(row('"replicas":[0,1,0]')),
    'Partition replica lists may not contain duplicate entries: t-0 contains multiple entries for 0',
  ],
  [file(row('"replicas":[0,1],"log_dirs":["any"]')), /is different from size of log dirs list/],
  ['{"version":2,"partitions":[]}', 'Not supported version field value 2'],
]

for (const [text, message] of refusals) {
  test(`refused: ${text}`, () => {
    assert.throws(() => parse(text), { name: 'UserError', message })
  })
}

test('options belong to their actions', () => {
  const check = (line: string) =>
    checkReassignOptions(parseOptions(reassignPartitionsCommand.options, line.split(' ')))
  const b = '--bootstrap-server h:1'
  assert.throws(() => check(b), /^OptionError: Command must include exactly one action/)
  assert.throws(() => check(`${b} --verify --reassignment-json-file f --throttle 5`), {
    message: 'Option "[throttle]" can\'t be used with action "[verify]"',
  })
  assert.throws(() => check(`${b} --generate`), {
    message: 'Missing required argument "[topics-to-move-json-file]"',
  })
  assert.equal(check(`${b} --execute --reassignment-json-file f --throttle 5`), 'execute')
})

test('proposed replicas are distinct brokers, leaders are spread evenly, racks are not shared', () => {
  const racks = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined })
  const numbers = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20 }), racks)
  fc.assert(
    fc.property(numbers, fc.nat(), ([size, partitions, rackCount], seed) => {
      const brokers = Array.from({ length: size }, (_, id) => {
        return { id, rack: rackCount === undefined ? null : `r${id % rackCount}` }
      })
      for (let replicas = 1; replicas <= size; replicas++) {
        const found = proposeReplicas(brokers, { partitions, replicas }, (limit) => seed % limit)
        const leads = new Map<number, number>()
        for (const ids of found) {
          assert.equal(new Set(ids).size, replicas)
          leads.set(ids[0] ?? -1, (leads.get(ids[0] ?? -1) ?? 0) + 1)
          const used = new Set(ids.map((id) => brokers[id]?.rack))
          const racksThere = new Set(brokers.map(({ rack }) => rack)).size
          assert.equal(used.size, rackCount === undefined ? 1 : Math.min(replicas, racksThere))
        }
        assert.equal(Math.max(...leads.values()) <= Math.ceil(partitions / size), true)
      }
    }),
  )
})

test('more replicas than brokers, and racks of some brokers only, are refused', () => {
  const counts = { partitions: 1, replicas: 2 }
  assert.throws(() => proposeReplicas([{ id: 0, rack: null }], counts, () => 0), {
    message: 'Replication factor: 2 larger than available brokers: 1.',
  })
  const mixed = [
    { id: 0, rack: null },
    { id: 1, rack: 'r' },
  ]
  assert.throws(
    () => proposeReplicas(mixed, counts, () => 0),
    /^UserError: Not all brokers have rack/,
  )
})

const wanted = parse(
  file(
    '{"topic":"t","partition":0,"replicas":[1]}',
    '{"topic":"t","partition":1,"replicas":[1,2]}',
  ),
)

test('throttles name the replicas that send and those that receive', () => {
  const current = new Map([
    ['t 0', [0]],
    ['t 1', [1, 0]],
  ])
  const { leaders, followers, brokers } = throttlesOf(wanted, current, [])
  assert.deepEqual([...leaders], [['t', '0:0,1:0,1:1']])
  assert.deepEqual([...followers], [['t', '0:1,1:2']])
  assert.deepEqual(brokers, [0, 1, 2])
})

interface Asked {
  readonly configs: ConfigChange[]
  readonly orders: unknown[]
}

function cluster(ongoing: readonly OngoingReassignment[]): ClusterAdmin & Asked {
  const configs: ConfigChange[] = []
  const orders: unknown[] = []
  const partition = { leader: 0, leaderEpoch: 0, inSyncReplicas: [], offlineReplicas: [] }
  const admin = fakeClusterAdmin({
    describeCluster: () =>
      Promise.resolve({
        clusterId: 'c',
        controllerId: 0,
        brokers: [0, 1, 2].map((nodeId) => ({ nodeId, host: 'h', port: 1, rack: null })),
      }),
    describeTopics: () =>
      Promise.resolve([
        {
          name: 't',
          error: undefined,
          topicId: undefined,
          internal: false,
          partitions: [
            { ...partition, partition: 0, replicas: [1] },
            { ...partition, partition: 1, replicas: [1, 0] },
          ],
        },
      ]),
    listPartitionReassignments: () => Promise.resolve([...ongoing]),
    alterPartitionReassignments: (moves) => {
      orders.push(...moves.map((one) => [one.partition, one.replicas]))
      return Promise.resolve(
        moves.map(({ topic, partition: number }) => ({
          topic,
          partition: number,
          error: undefined,
        })),
      )
    },
    alterConfigs: (changes) => {
      configs.push(...changes)
      return Promise.resolve(changes.map(({ name }) => ({ name, error: undefined })))
    },
  })
  return { ...admin, configs, orders }
}

function printer(): {
  readonly print: (text: string) => Promise<void>
  readonly text: () => string
} {
  const lines: string[] = []
  return {
    print: (text) => {
      lines.push(text)
      return Promise.resolve()
    },
    text: () => lines.join('\n'),
  }
}

const limits = { isAdditional: false, throttle: -1, logDirsThrottle: -1 }
const moving = { topic: 't', partition: 1, replicas: [1, 0, 2], adding: [2], removing: [0] }

test('a move is ordered with the way back printed first, and throttles where asked', async () => {
  const admin = cluster([])
  const out = printer()
  await execute({ ...limits, wanted, throttle: 5000 }, { admin, print: out.print })
  assert.deepEqual(admin.orders, [
    [0, [1]],
    [1, [1, 2]],
  ])
  assert.deepEqual(
    admin.configs.map(({ type, name }) => [type, name]),
    [
      ['topic', 't'],
      ['broker', '0'],
      ['broker', '1'],
      ['broker', '2'],
    ],
  )
  assert.equal(
    out.text(),
    `Current partition replica assignment

{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1],"log_dirs":["any"]},{"topic":"t","partition":1,"replicas":[1,0],"log_dirs":["any","any"]}]}

Save this to use as the --reassignment-json-file option during rollback
Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.
The inter-broker throttle limit was set to 5000 B/s
Successfully started partition reassignments for t-0,t-1`,
  )
})

test('moves under way are not joined unless --additional; unknown brokers are refused', async () => {
  const { print } = printer()
  const busy = cluster([moving])
  await assert.rejects(execute({ ...limits, wanted }, { admin: busy, print }), {
    message: /^Cannot execute because there is an existing partition assignment\./,
  })
  await execute({ ...limits, wanted, isAdditional: true }, { admin: busy, print })
  assert.equal(busy.orders.length, 2)
  const far = parse(file(row('"replicas":[9]')))
  await assert.rejects(execute({ ...limits, wanted: far }, { admin: cluster([]), print }), {
    message: 'Unknown broker id 9',
  })
})

test('verify tells each partition; throttles go when nothing moves any more', async () => {
  const busy = printer()
  const inMotion = cluster([moving])
  await verify({ wanted, preservesThrottles: false }, { admin: inMotion, print: busy.print })
  assert.equal(
    busy.text(),
    'Status of partition reassignment:\nReassignment of partition t-0 is completed.\nReassignment of partition t-1 is still in progress.\n',
  )
  assert.deepEqual(inMotion.configs, [])
  const done = printer()
  const still = cluster([])
  await verify({ wanted, preservesThrottles: false }, { admin: still, print: done.print })
  assert.equal(
    done.text(),
    'Status of partition reassignment:\nReassignment of partition t-0 is completed.\nThere is no active reassignment of partition t-1, but replica set is 1,0 rather than 1,2.\n\nClearing broker-level throttles on brokers 0,1,2\nClearing topic-level throttles on topic t',
  )
  assert.equal(still.configs.length, 4)
})

test('only moves under way are cancelled, and listed', async () => {
  const admin = cluster([moving])
  const out = printer()
  await cancel({ wanted, preservesThrottles: true }, { admin, print: out.print })
  await list({ admin, print: out.print })
  assert.deepEqual(admin.orders, [[1, null]])
  assert.equal(
    out.text(),
    'Successfully cancelled partition reassignment for: t-1\nNone of the specified partition moves are active.\nCurrent partition reassignments:\nt-1: replicas: 1,0,2. adding: 2. removing: 0.',
  )
})

test('elections are told by what came of them', () => {
  const outcome = (partition: number, code: number) => {
    return { topic: 't', partition, error: code === 0 ? undefined : brokerError(code, 't') }
  }
  const { lines, failures } = outcomeLines('preferred', [
    outcome(1, 0),
    outcome(0, 84),
    outcome(2, 80),
  ])
  assert.deepEqual(lines.slice(0, 2), [
    'Successfully completed leader election (PREFERRED) for partitions t-1',
    'Valid replica already elected for partitions t-0',
  ])
  assert.match(
    lines[2] ?? '',
    /^Error completing leader election \(PREFERRED\) for partition: t-2: /,
  )
  assert.equal(failures, 1)
})
