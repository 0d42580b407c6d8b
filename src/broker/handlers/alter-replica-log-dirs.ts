import { Errors } from '../../kafka/errors.ts'
import { AlterReplicaLogDirs } from '../../kafka/messages/alter-replica-log-dirs.ts'
import { futureDirectoryNameFits } from '../../storage/file-names.ts'
import { handler, type RequestContext } from '../handler.ts'

/** AlterReplicaLogDirs (key 34, KIP-113): replicas move to other log directories of this broker. */
export const alterReplicaLogDirs = handler(AlterReplicaLogDirs, [0, 2], (request, context) => {
  // A replica that is named twice goes where it was named last.
  const wanted = new Map<string, Map<number, string>>()
  for (const { path, topics } of request.dirs)
    for (const { name, partitions } of topics) {
      const places = wanted.get(name) ?? new Map<number, string>()
      wanted.set(name, places)
      for (const partition of partitions) places.set(partition, path)
    }
  const results = [...wanted].map(([topicName, places]) => ({
    topicName,
    partitions: [...places].map(([partitionIndex, path]) => ({
      partitionIndex,
      errorCode: move(topicName, partitionIndex, path, context),
    })),
  }))
  return { results }
})

function move(topic: string, index: number, path: string, { parts }: RequestContext): number {
  const { directories, replicas, metadata, moves } = parts
  if (!futureDirectoryNameFits(topic, index)) return Errors.INVALID_TOPIC_EXCEPTION
  const directory = directories.all.find((one) => one.path === path)
  if (directory === undefined) return Errors.LOG_DIR_NOT_FOUND
  if (directory.opened === undefined) return Errors.KAFKA_STORAGE_ERROR
  const partition = replicas.get(topic, index)
  if (partition !== undefined) return moves.begin(partition, directory.opened)
  return metadata.hasPartition(topic, index)
    ? Errors.REPLICA_NOT_AVAILABLE
    : Errors.UNKNOWN_TOPIC_OR_PARTITION
}
