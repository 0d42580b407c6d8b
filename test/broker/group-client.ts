/** What members of a group send, with the fields that matter to a test. */
import { Errors } from '../../src/kafka/errors.ts'
import { FindCoordinator } from '../../src/kafka/messages/find-coordinator.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { JoinGroup } from '../../src/kafka/messages/join-group.ts'
import { LeaveGroup } from '../../src/kafka/messages/leave-group.ts'
import { OffsetCommit } from '../../src/kafka/messages/offset-commit.ts'
import { OffsetFetch } from '../../src/kafka/messages/offset-fetch.ts'
import { SyncGroup } from '../../src/kafka/messages/sync-group.ts'
import type { TestClient, World } from './world.ts'

export interface JoinOptions {
  readonly memberId?: string
  readonly instanceId?: string
  readonly version?: number
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly metadata?: Buffer
  readonly protocolType?: string
  readonly groupId?: string
}

export interface CommitOptions {
  readonly groupId?: string
  readonly memberId?: string
  readonly generation?: number
  readonly version?: number
  readonly retentionMs?: number
  readonly metadata?: string
  readonly topic?: string
  readonly timestampMs?: number
}

export class GroupClient {
  readonly client: TestClient
  readonly groupId: string
  memberId = ''
  generation = -1

  constructor(client: TestClient, groupId = 'g') {
    this.client = client
    this.groupId = groupId
  }

  beginJoin(options: JoinOptions = {}) {
    const { version = 5, instanceId = null, protocolType = 'consumer' } = options
    const { sessionTimeoutMs = 10_000, rebalanceTimeoutMs = 60_000 } = options
    const metadata = options.metadata ?? Buffer.from('metadata')
    return this.client.begin(JoinGroup, version, {
      groupId: options.groupId ?? this.groupId,
      memberId: options.memberId ?? this.memberId,
      groupInstanceId: version >= 5 ? instanceId : null,
      ...{ sessionTimeoutMs, protocolType, protocols: [{ name: 'range', metadata }] },
      ...(version >= 1 ? { rebalanceTimeoutMs } : {}),
    })
  }

  join(options: JoinOptions = {}) {
    return this.client.clock.until(this.beginJoin(options))
  }

  /** Joins as clients do: the second time with the id that it was told. */
  async beginJoinForSure(options: JoinOptions = {}): Promise<void> {
    let answer = await this.beginJoin(options)
    if (answer.errorCode === Errors.MEMBER_ID_REQUIRED)
      answer = await this.beginJoin({ ...options, memberId: answer.memberId })
    if (answer.errorCode !== Errors.NONE) throw new Error(`join failed: ${answer.errorCode}`)
    this.memberId = answer.memberId
    this.generation = answer.generationId
  }

  beginSync(assignments: Readonly<Record<string, string>> = {}) {
    return this.client.begin(SyncGroup, 3, {
      groupId: this.groupId,
      generationId: this.generation,
      memberId: this.memberId,
      assignments: Object.entries(assignments).map(([memberId, text]) => ({
        memberId,
        assignment: Buffer.from(text),
      })),
    })
  }

  /** Alone in its group, with an assignment. */
  async enter(options: JoinOptions = {}): Promise<this> {
    await this.client.clock.until(this.beginJoinForSure(options))
    await this.client.clock.until(this.beginSync({ [this.memberId]: 'mine' }))
    return this
  }

  async heartbeat(): Promise<number> {
    const { groupId, memberId, generation: generationId } = this
    const answer = await this.client.ask(Heartbeat, 3, { groupId, memberId, generationId })
    return answer.errorCode
  }

  leave(version = 3) {
    const { groupId, memberId } = this
    const body = version < 3 ? { groupId, memberId } : { groupId, members: [{ memberId }] }
    return this.client.ask(LeaveGroup, version, body)
  }

  async commit(offset: number | bigint, options: CommitOptions = {}): Promise<number> {
    const { version = 7, topic = 't', metadata = 'note', groupId = this.groupId } = options
    const { topics } = await this.client.ask(OffsetCommit, version, {
      groupId,
      memberId: options.memberId ?? this.memberId,
      generationIdOrMemberEpoch: options.generation ?? this.generation,
      ...(version >= 2 && version <= 4 ? { retentionTimeMs: options.retentionMs ?? -1 } : {}),
      topics: [
        {
          name: topic,
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: offset,
              committedMetadata: metadata,
              ...(version === 1 ? { commitTimestamp: options.timestampMs ?? -1 } : {}),
            },
          ],
        },
      ],
    })
    return topics[0]?.partitions[0]?.errorCode ?? -1
  }

  /** The offset committed for partition 0, or its error as a text. */
  async committed(version = 5, topic = 't'): Promise<number | string> {
    const wanted = [{ name: topic, partitionIndexes: [0] }]
    const body = { groupId: this.groupId, topics: wanted }
    const { topics, errorCode } = await this.client.ask(OffsetFetch, version, body)
    const row = topics[0]?.partitions[0]
    const error = row?.errorCode === 0 || row === undefined ? errorCode : row.errorCode
    return error === Errors.NONE ? Number(row?.committedOffset) : `error ${error}`
  }
}

/** Until the group's coordinator is there, which makes __consumer_offsets on its way. */
export async function awaitCoordinator(world: World, client: TestClient, groupId = 'g') {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await client.ask(FindCoordinator, 2, { key: groupId })
    if (answer.errorCode === Errors.NONE) {
      await world.clock.advance(100)
      return
    }
    await world.clock.advance(100)
  }
  throw new Error('no coordinator comes up')
}

/** A world with topic t, a client, and a coordinator for its groups. */
export async function groupWorld(world: World, properties: Readonly<Record<string, string>> = {}) {
  await world.start(properties)
  const client = await world.connect()
  await client.createTopic('t')
  await awaitCoordinator(world, client)
  return new GroupClient(client)
}
