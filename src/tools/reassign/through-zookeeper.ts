// What kafka-reassign-partitions and kafka-preferred-replica-election did before there was an API: a
// znode tells the controller what to do, and is gone when it is done.
import type { TopicPartition } from '../../client/types.ts'
import { UserError } from '../../runtime/service.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../../zookeeper/client/client.ts'
import { objectsAt, parseObject, textAt, integerAt } from '../json-shape.ts'
import { partitionKey } from '../partitions.ts'
import type { Assignment } from './plan.ts'

const reassignPath = '/admin/reassign_partitions'
const electionPath = '/admin/preferred_replica_election'

type Znodes = Pick<ZooKeeperClient, 'create' | 'getData'>

/** @throws UserError where one is running already */
export async function orderReassignment(
  session: Znodes,
  wanted: readonly Assignment[],
): Promise<void> {
  const partitions = wanted.map(({ topic, partition, replicas }) => ({
    topic,
    partition,
    replicas,
  }))
  const running = 'There is an existing assignment running.'
  await order(session, reassignPath, { version: 1, partitions }, running)
}

/** @throws UserError where one is running already */
export async function orderPreferredElection(
  session: Znodes,
  wanted: readonly TopicPartition[],
): Promise<void> {
  const partitions = wanted.map(({ topic, partition }) => ({ topic, partition }))
  const running = 'Preferred replica leader election currently in progress. Aborting operation'
  await order(session, electionPath, { version: 1, partitions }, running)
}

async function order(session: Znodes, path: string, json: object, running: string): Promise<void> {
  try {
    await session.create(path, Buffer.from(JSON.stringify(json)), { stat: false })
  } catch (error) {
    if (isZooKeeperError(error, 'NODEEXISTS')) throw new UserError(running)
    throw error
  }
}

/** Keys of partitions that are still to be moved. */
export async function partitionsInMotion(session: Znodes): Promise<ReadonlySet<string>> {
  let text: string
  try {
    text = (await session.getData(reassignPath)).data.toString('utf8')
  } catch (error) {
    if (isZooKeeperError(error, 'NONODE')) return new Set()
    throw error
  }
  const { partitions } = parseObject(text, reassignPath)
  return new Set(
    objectsAt(partitions ?? [], reassignPath).map((one) => {
      const partition = integerAt(one, 'partition', reassignPath)
      return partitionKey({ topic: textAt(one, 'topic', reassignPath), partition })
    }),
  )
}
