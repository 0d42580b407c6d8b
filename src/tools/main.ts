/** The tools as processes. */
import { realPorts } from '../node/ports.ts'
import { packageVersion } from '../node/surroundings.ts'
import type { Main } from '../runtime/process.ts'
import { apiVersionsCommand } from './commands/broker-api-versions.ts'
import { configsCommand } from './commands/configs.ts'
import { consoleConsumerCommand } from './commands/console-consumer.ts'
import { consoleProducerCommand } from './commands/console-producer.ts'
import { consumerGroupsCommand } from './commands/consumer-groups.ts'
import { consumerPerfTestCommand } from './commands/consumer-perf-test.ts'
import { deleteRecordsCommand } from './commands/delete-records.ts'
import { dumpLogCommand } from './commands/dump-log.ts'
import { getOffsetsCommand } from './commands/get-offsets.ts'
import { leaderElectionCommand, preferredElectionCommand } from './commands/leader-election.ts'
import { logDirsCommand } from './commands/log-dirs.ts'
import { producerPerfTestCommand } from './commands/producer-perf-test.ts'
import { reassignPartitionsCommand } from './commands/reassign-partitions.ts'
import { topicsCommand } from './commands/topics.ts'
import { verifiableConsumerCommand } from './commands/verifiable-consumer.ts'
import { verifiableProducerCommand } from './commands/verifiable-producer.ts'
import { zookeeperShellMain } from './commands/zookeeper-shell.ts'
import { toolMain, type ToolMainOptions } from './tool.ts'

const real: ToolMainOptions = {
  // Standard output carries results only.
  ports: ({ stderr }) => realPorts({ logStream: stderr, logLevel: 'WARN' }),
  productVersion: packageVersion,
}

export const topics: Main = toolMain(topicsCommand, real)
export const consoleProducer: Main = toolMain(consoleProducerCommand, real)
export const consoleConsumer: Main = toolMain(consoleConsumerCommand, real)
export const getOffsets: Main = toolMain(getOffsetsCommand, real)
export const consumerGroups: Main = toolMain(consumerGroupsCommand, real)
export const configs: Main = toolMain(configsCommand, real)
export const brokerApiVersions: Main = toolMain(apiVersionsCommand, real)
export const deleteRecords: Main = toolMain(deleteRecordsCommand, real)
export const logDirs: Main = toolMain(logDirsCommand, real)
export const dumpLog: Main = toolMain(dumpLogCommand, real)
export const producerPerfTest: Main = toolMain(producerPerfTestCommand, real)
export const consumerPerfTest: Main = toolMain(consumerPerfTestCommand, real)
export const verifiableProducer: Main = toolMain(verifiableProducerCommand, real)
export const verifiableConsumer: Main = toolMain(verifiableConsumerCommand, real)
export const zookeeperShell: Main = zookeeperShellMain(real)
export const reassignPartitions: Main = toolMain(reassignPartitionsCommand, real)
export const leaderElection: Main = toolMain(leaderElectionCommand, real)
export const preferredElection: Main = toolMain(preferredElectionCommand, real)
