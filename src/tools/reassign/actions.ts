// What kafka-reassign-partitions does with brokers that have an API for it (2.4 and newer).
import type { BrokerLogDirs, ClusterAdmin, ReplicaMove } from '../../client/admin/types.ts'
import type { TopicPartition } from '../../client/types.ts'
import { UserError } from '../../runtime/service.ts'
import { plainText } from '../java-names.ts'
import { byPartition, partitionKey, partitionName } from '../partitions.ts'
import { type Assignment, assignmentJson, type Draw, proposeReplicas, throttlesOf } from './plan.ts'
import {
  clearThrottles,
  setBrokerThrottles,
  setLogDirThrottles,
  setTopicThrottles,
} from './throttles.ts'

export interface ReassignPorts {
  readonly admin: ClusterAdmin
  /** Takes a line of standard output. */
  readonly print: (text: string) => Promise<void>
}

/** Present places of these partitions, or of all of these topics. @throws KafkaError */
export async function currentAssignments(
  admin: ClusterAdmin,
  topics: readonly string[],
): Promise<Assignment[]> {
  const found: Assignment[] = []
  for (const { name, error, partitions } of await admin.describeTopics([...new Set(topics)])) {
    if (error !== undefined) throw error
    for (const { partition, replicas } of partitions) {
      found.push({ topic: name, partition, replicas, logDirs: replicas.map(() => 'any') })
    }
  }
  return found.sort(byPartition)
}

export interface GenerateOrder {
  readonly topics: readonly string[]
  readonly brokerIds: readonly number[]
  readonly isRackAware: boolean
  readonly draw: Draw
}

/** @throws KafkaError, UserError */
export async function proposal(
  admin: ClusterAdmin,
  { topics, brokerIds, isRackAware, draw }: GenerateOrder,
): Promise<{ readonly current: Assignment[]; readonly proposed: Assignment[] }> {
  const current = await currentAssignments(admin, topics)
  const { brokers } = await admin.describeCluster()
  const chosen = brokerIds.map((id) => {
    const rack = brokers.find(({ nodeId }) => nodeId === id)?.rack ?? null
    return { id, rack: isRackAware ? rack : null }
  })
  const proposed = [...Map.groupBy(current, ({ topic }) => topic).values()].flatMap((mine) => {
    const counts = { partitions: mine.length, replicas: mine[0]?.replicas.length ?? 0 }
    const places = proposeReplicas(chosen, counts, draw)
    return mine.map((one, index): Assignment => {
      const replicas = places[index] ?? []
      return { ...one, replicas, logDirs: replicas.map(() => 'any') }
    })
  })
  return { current, proposed }
}

export interface ExecuteOrder {
  readonly wanted: readonly Assignment[]
  readonly isAdditional: boolean
  /** Bytes a second between brokers; negative: no limit. */
  readonly throttle: number
  /** The same within a broker. */
  readonly logDirsThrottle: number
}

/** @throws KafkaError, UserError */
export async function execute(order: ExecuteOrder, { admin, print }: ReassignPorts): Promise<void> {
  const { wanted, throttle, logDirsThrottle } = order
  const ongoing = await admin.listPartitionReassignments()
  if (ongoing.length > 0 && !order.isAdditional) {
    throw new UserError(
      'Cannot execute because there is an existing partition assignment.  Use --additional to override this and create a new partition assignment in addition to the existing one. The --additional flag can also be used to change the throttle by resubmitting the current reassignment.',
    )
  }
  await checkBrokers(admin, wanted)
  const current = await checkedCurrent(admin, wanted)
  await printRollback(current, { logDirs: true }, print)
  const moves = logDirMoves(wanted)
  if (throttle >= 0 || logDirsThrottle >= 0) {
    await print(
      'Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.',
    )
  }
  if (throttle >= 0) {
    const replicas = new Map(current.map((one) => [partitionKey(one), one.replicas]))
    const throttles = throttlesOf(wanted, replicas, ongoing)
    await setTopicThrottles(admin, throttles)
    await setBrokerThrottles(admin, throttles.brokers, throttle)
    await print(`The inter-broker throttle limit was set to ${throttle} B/s`)
  }
  if (logDirsThrottle >= 0) {
    const brokers = [...new Set(moves.map(({ brokerId }) => brokerId))].sort((a, b) => a - b)
    await setLogDirThrottles(admin, brokers, logDirsThrottle)
    await print(`The replica-alter-dir throttle limit was set to ${logDirsThrottle} B/s`)
  }
  await begin(wanted, { admin, print })
  if (moves.length > 0) await moveLogDirs(moves, { admin, print })
}

export async function printRollback(
  current: readonly Assignment[],
  options: { readonly logDirs: boolean },
  print: ReassignPorts['print'],
): Promise<void> {
  await print(`Current partition replica assignment\n\n${assignmentJson(current, options)}\n`)
  await print('Save this to use as the --reassignment-json-file option during rollback')
}

export async function checkBrokers(
  admin: ClusterAdmin,
  wanted: readonly Assignment[],
): Promise<void> {
  const { brokers } = await admin.describeCluster()
  const known = new Set(brokers.map(({ nodeId }) => nodeId))
  const unknown = wanted.flatMap(({ replicas }) => replicas).find((id) => !known.has(id))
  if (unknown !== undefined) throw new UserError(`Unknown broker id ${unknown}`)
}

/** Present places of the wanted partitions. */
async function checkedCurrent(
  admin: ClusterAdmin,
  wanted: readonly Assignment[],
): Promise<Assignment[]> {
  const all = await currentAssignments(
    admin,
    wanted.map(({ topic }) => topic),
  )
  const byKey = new Map(all.map((one) => [partitionKey(one), one]))
  return wanted.map((one) => {
    const found = byKey.get(partitionKey(one))
    if (found !== undefined) return found
    throw new UserError(`Partition ${partitionName(one)} does not exist`)
  })
}

async function begin(
  wanted: readonly Assignment[],
  { admin, print }: ReassignPorts,
): Promise<void> {
  const outcomes = await admin.alterPartitionReassignments(wanted)
  const failed = outcomes.filter(({ error }) => error !== undefined)
  if (failed.length > 0) {
    const lines = failed.map((one) => `${partitionName(one)}: ${plainText(one.error)}`)
    throw new UserError(`Error reassigning partition(s):\n${lines.join('\n')}`)
  }
  const names = wanted.toSorted(byPartition).map(partitionName)
  await print(
    `Successfully started partition reassignment${names.length === 1 ? '' : 's'} for ${names.join(',')}`,
  )
}

function logDirMoves(wanted: readonly Assignment[]): ReplicaMove[] {
  return wanted.flatMap(({ topic, partition, replicas, logDirs }) =>
    replicas.flatMap((brokerId, index) => {
      const path = logDirs[index] ?? 'any'
      return path === 'any' ? [] : { topic, partition, brokerId, path }
    }),
  )
}

async function moveLogDirs(
  moves: readonly ReplicaMove[],
  { admin, print }: ReassignPorts,
): Promise<void> {
  const outcomes = await admin.alterReplicaLogDirs(moves)
  for (const one of outcomes) {
    // A broker without the replica notes where it shall be made.
    if (one.error !== undefined && one.error.errorName !== 'REPLICA_NOT_AVAILABLE') throw one.error
  }
  const names = moves.map((one) => `${partitionName(one)}-${one.brokerId}`)
  await print(
    `Successfully started log directory move${names.length === 1 ? '' : 's'} for: ${names.join(',')}`,
  )
}

export interface VerifyOrder {
  readonly wanted: readonly Assignment[]
  readonly preservesThrottles: boolean
}

/** @throws KafkaError */
export async function verify(
  { wanted, preservesThrottles }: VerifyOrder,
  { admin, print }: ReassignPorts,
): Promise<void> {
  const ongoing = await admin.listPartitionReassignments()
  const moving = new Set(ongoing.map(partitionKey))
  const described = await admin.describeTopics([...new Set(wanted.map(({ topic }) => topic))])
  const present = new Map<string, readonly number[]>()
  for (const { name, partitions } of described) {
    for (const { partition, replicas } of partitions) {
      present.set(partitionKey({ topic: name, partition }), replicas)
    }
  }
  await print('Status of partition reassignment:')
  for (const one of wanted.toSorted(byPartition)) {
    const replicas = present.get(partitionKey(one)) ?? []
    await print(statusLine(one, replicas, moving.has(partitionKey(one))))
  }
  const moves = logDirMoves(wanted)
  const areLogDirsMoving = moves.length > 0 && (await verifyLogDirs(moves, { admin, print }))
  await print('')
  if (ongoing.length > 0 || areLogDirsMoving || preservesThrottles) return
  await clearAll(wanted, { admin, print })
}

function statusLine(one: Assignment, replicas: readonly number[], isMoving: boolean): string {
  const name = partitionName(one)
  if (isMoving) return `Reassignment of partition ${name} is still in progress.`
  if (replicas.join() === one.replicas.join()) {
    return `Reassignment of partition ${name} is completed.`
  }
  return `There is no active reassignment of partition ${name}, but replica set is ${replicas.join(',')} rather than ${one.replicas.join(',')}.`
}

/** True where some replica is still on its way. */
async function verifyLogDirs(
  moves: readonly ReplicaMove[],
  { admin, print }: ReassignPorts,
): Promise<boolean> {
  const brokers = [...new Set(moves.map(({ brokerId }) => brokerId))]
  const found = await admin.describeLogDirs(brokers)
  let isMoving = false
  for (const move of moves) {
    const { brokerId, path } = move
    const { present, future } = logDirOf(found, brokerId, move)
    const name = `${partitionName(move)}-${brokerId}`
    if (future === path) {
      isMoving = true
      await print(`Reassignment of replica ${name} is still in progress.`)
    } else if (future !== undefined) {
      await print(
        `Partition ${partitionName(move)} on broker ${brokerId} is being moved to log dir ${future} instead of ${path}.`,
      )
    } else if (present === path) {
      await print(`Reassignment of replica ${name} completed successfully.`)
    } else if (present === undefined) {
      await print(
        `Partition ${partitionName(move)} cannot be found in any live log directory on broker ${brokerId}.`,
      )
    } else {
      await print(
        `Partition ${partitionName(move)} on broker ${brokerId} is not being moved from log dir ${present} to ${path}.`,
      )
    }
  }
  return isMoving
}

function logDirOf(
  brokers: readonly BrokerLogDirs[],
  brokerId: number,
  { topic, partition }: TopicPartition,
): { readonly present: string | undefined; readonly future: string | undefined } {
  const dirs = brokers.find(({ nodeId }) => nodeId === brokerId)?.logDirs ?? []
  const holding = (isFuture: boolean): string | undefined =>
    dirs.find(({ replicas }) =>
      replicas.some(
        (one) => one.topic === topic && one.partition === partition && one.isFuture === isFuture,
      ),
    )?.path
  return { present: holding(false), future: holding(true) }
}

async function clearAll(
  wanted: readonly Assignment[],
  { admin, print }: ReassignPorts,
): Promise<void> {
  const { brokers } = await admin.describeCluster()
  const ids = new Set(brokers.map(({ nodeId }) => nodeId))
  const topics = [...new Set(wanted.map(({ topic }) => topic))].sort()
  await clearThrottles(admin, { brokers: [...ids].sort((a, b) => a - b), topics }, print)
}

/** @throws KafkaError, UserError */
export async function cancel(
  { wanted, preservesThrottles }: VerifyOrder,
  { admin, print }: ReassignPorts,
): Promise<void> {
  const ongoing = new Set((await admin.listPartitionReassignments()).map(partitionKey))
  const active = wanted.filter((one) => ongoing.has(partitionKey(one))).sort(byPartition)
  if (active.length === 0) await print('None of the specified partition reassignments are active.')
  else {
    const stops = active.map(({ topic, partition }) => ({ topic, partition, replicas: null }))
    const outcomes = await admin.alterPartitionReassignments(stops)
    const failed = outcomes.find(({ error }) => error !== undefined)
    if (failed?.error !== undefined) throw failed.error
    const plural = active.length === 1 ? '' : 's'
    await print(
      `Successfully cancelled partition reassignment${plural} for: ${active.map(partitionName).join(',')}`,
    )
  }
  await print('None of the specified partition moves are active.')
  if (!preservesThrottles) await clearAll(wanted, { admin, print })
}

/** @throws KafkaError */
export async function list({ admin, print }: ReassignPorts): Promise<void> {
  const ongoing = (await admin.listPartitionReassignments()).sort(byPartition)
  if (ongoing.length === 0) return print('No partition reassignments found.')
  await print('Current partition reassignments:')
  for (const one of ongoing) {
    const parts = [
      `${partitionName(one)}: replicas: ${one.replicas.join(',')}.`,
      ...(one.adding.length > 0 ? [` adding: ${one.adding.join(',')}.`] : []),
      ...(one.removing.length > 0 ? [` removing: ${one.removing.join(',')}.`] : []),
    ]
    await print(parts.join(''))
  }
}
