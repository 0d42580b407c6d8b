// What client-real-kafka.ts asks of a real broker through the admin client.
import assert from 'node:assert/strict'
import type { ClusterAdmin } from '../src/client/admin/types.ts'

export interface AdminRound {
  readonly admin: ClusterAdmin
  /** Has three partitions with records, made by producers with idempotence where there is such. */
  readonly topic: string
  /** In names that must be new. */
  readonly run: number
}

export async function step<T>(name: string, action: () => Promise<T>): Promise<T> {
  const startMs = performance.now()
  const result = await action()
  console.log(`ok ${name} (${Math.round(performance.now() - startMs)} ms)`)
  return result
}

/** Runs a part that not every broker knows. */
export async function unlessOld(name: string, action: () => Promise<void>): Promise<void> {
  try {
    await step(name, action)
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('UNSUPPORTED_VERSION'))) throw error
    console.log(`   ${name}: not known to this broker`)
  }
}

export async function adminRound({ admin, topic, run }: AdminRound): Promise<void> {
  await step('admin: cluster, topics', async () => {
    const cluster = await admin.describeCluster()
    assert.ok(cluster.brokers.length > 0)
    assert.ok((await admin.listTopics()).includes(topic))
    const [description] = await admin.describeTopics([topic])
    assert.equal(description?.partitions.length, 3)
    const [missing] = await admin.describeTopics([`missing-${run}`])
    assert.equal(missing?.error?.errorName, 'UNKNOWN_TOPIC_OR_PARTITION')
    console.log(`   cluster ${cluster.clusterId}, topic id ${description?.topicId}`)
  })
  await unlessOld('admin: create and delete topics', async () => {
    const draft = { name: topic, partitions: 1, replicationFactor: 1 }
    const [again] = await admin.createTopics([draft])
    assert.equal(again?.error?.errorName, 'TOPIC_ALREADY_EXISTS')
    const [gone] = await admin.createTopics([{ ...draft, name: `gone-${run}` }])
    assert.equal(gone?.error, undefined)
    const [deleted] = await admin.deleteTopics([`gone-${run}`])
    assert.equal(deleted?.error, undefined)
  })
  await unlessOld('admin: delete topics by id', async () => {
    const name = `byid-${run}`
    const [made] = await admin.createTopics([{ name, partitions: 1, replicationFactor: 1 }])
    // In a KRaft cluster another node may have to hear of it first.
    const isThere = async (): Promise<boolean> =>
      (await admin.describeTopics([name]))[0]?.error === undefined
    for (let round = 0; round < 100 && !(await isThere()); round++) await pause(50)
    const [found] = await admin.describeTopics([name])
    if (made?.topicId !== undefined) assert.equal(made.topicId, found?.topicId)
    const [deleted] = await admin.deleteTopicsById([found?.topicId ?? ''])
    assert.equal(deleted?.error, undefined)
  })
  const retentionOf = async (): Promise<string | null | undefined> => {
    const [configs] = await admin.describeConfigs([{ type: 'topic', name: topic }])
    return configs?.entries.find(({ name }) => name === 'retention.ms')?.value
  }
  await unlessOld('admin: configs', async () => {
    const set = { 'retention.ms': '100000' }
    const [changed] = await admin.alterConfigs([{ type: 'topic', name: topic, set }])
    assert.equal(changed?.error, undefined)
    const deadline = Date.now() + 5000
    while ((await retentionOf()) !== '100000' && Date.now() < deadline) await pause(50)
    assert.equal(await retentionOf(), '100000')
    const configs = { 'segment.bytes': '20000000' }
    const [replaced] = await admin.replaceConfigs([{ type: 'topic', name: topic, configs }])
    assert.equal(replaced?.error, undefined)
    const later = Date.now() + 5000
    while ((await retentionOf()) === '100000' && Date.now() < later) await pause(50)
    assert.notEqual(await retentionOf(), '100000')
    const { brokers } = await admin.describeCluster()
    const resources = brokers.map(({ nodeId }) => ({ type: 'broker' as const, name: `${nodeId}` }))
    const described = await admin.describeConfigs(resources, { synonyms: true })
    assert.ok(described.every(({ error, entries }) => error === undefined && entries.length > 50))
  })
  await unlessOld('admin: more partitions', async () => {
    const wanted = { name: topic, count: 4 }
    const [tried] = await admin.createPartitions([wanted], { validateOnly: true })
    assert.equal(tried?.error, undefined)
    const [grown] = await admin.createPartitions([wanted])
    assert.equal(grown?.error, undefined)
  })
  await unlessOld('admin: log directories', async () => {
    const dirs = await admin.describeLogDirs()
    for (const { error } of dirs) if (error !== undefined) throw error
    const replicas = dirs.flatMap(({ logDirs }) => logDirs.flatMap((dir) => dir.replicas))
    const mine = replicas.filter((replica) => replica.topic === topic)
    assert.ok(mine.length >= 3 && mine.some(({ sizeBytes }) => sizeBytes > 1000))
    const move = { topic, partition: 0, brokerId: dirs[0]?.nodeId ?? 0, path: '/nowhere' }
    const [moved] = await admin.alterReplicaLogDirs([move])
    assert.equal(moved?.error?.errorName, 'LOG_DIR_NOT_FOUND')
  })
  await unlessOld('admin: ends of leader epochs', async () => {
    const [end] = await admin.offsetsForLeaderEpochs([{ topic, partition: 0, leaderEpoch: 0 }])
    if (end?.error !== undefined) throw end.error
    const [latest] = await admin.listOffsets([{ topic, partition: 0, at: 'latest' }])
    assert.equal(end?.endOffset, latest?.offset)
  })
  await unlessOld('admin: producers', async () => {
    const [found] = await admin.describeProducers([{ topic, partition: 1 }])
    if (found?.error?.errorName === 'UNSUPPORTED_VERSION') throw found.error
    assert.ok((found?.producers.length ?? 0) > 0)
  })
  await unlessOld('admin: records are deleted', async () => {
    const [deleted] = await admin.deleteRecords([{ topic, partition: 0, offset: 5 }])
    if (deleted?.error?.errorName === 'UNSUPPORTED_VERSION') throw deleted.error
    assert.deepEqual([deleted?.error, deleted?.offset], [undefined, 5])
  })
  await unlessOld('admin: groups and their offsets go', async () => {
    const groupId = `interop-group-${run}`
    const [gone] = await admin.deleteGroupOffsets(groupId, [{ topic, partition: 0 }])
    assert.equal(gone?.error, undefined)
    const [left] = await admin.groupOffsets(groupId, [{ topic, partition: 0 }])
    assert.equal(left?.offset, -1)
    const [deleted] = await admin.deleteGroups([groupId])
    assert.equal(deleted?.error, undefined)
    const stable = await admin.listGroups({ states: ['Stable'] })
    assert.ok(stable.every((group) => group.groupId !== groupId))
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
