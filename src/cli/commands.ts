import type { Main } from '../runtime/process.ts'

/** One command: what help says of it, and its main, loaded only when it runs. */
export interface Command {
  readonly name: string
  /** Names it also goes by: Kafka's and ZooKeeper's Java classes. */
  readonly aliases: readonly string[]
  readonly about: string
  /** What `--help` prints; absent where the command has a help of its own. */
  readonly usage?: string
  readonly load: () => Promise<Main>
}

/** Every command of the product. Help, dispatch and the class names of kafka-run-class come from here. */
export const commands: readonly Command[] = [
  {
    name: 'up',
    aliases: [],
    about: 'Starts the whole chain on this machine: broker, shipper, pipeline, search, console.',
    load: async () => (await import('../platform/main.ts')).main,
  },
  {
    name: 'broker',
    aliases: ['kafka-server-start', 'kafka.Kafka'],
    about: 'Starts a broker: server.properties [--override key=value]*.',
    load: async () => (await import('../broker/main.ts')).main,
  },
  {
    name: 'broker-with-coordination',
    aliases: [],
    about: 'Starts both in one process: kafka.Kafka server.properties zookeeper.properties.',
    usage: 'broker-with-coordination kafka.Kafka server.properties zookeeper.properties',
    load: async () => (await import('../platform/embedded.ts')).main,
  },
  {
    name: 'coordination',
    aliases: ['zookeeper-server-start', 'org.apache.zookeeper.server.quorum.QuorumPeerMain'],
    about: 'Starts a coordination server: zoo.cfg.',
    usage: 'coordination zoo.cfg',
    load: async () => (await import('../zookeeper/main.ts')).main,
  },
  {
    name: 'shipper',
    aliases: ['filebeat'],
    about: 'Ships the lines of files to a topic: -c filebeat.yml.',
    load: async () => (await import('../shipper/main.ts')).main,
  },
  {
    name: 'pipeline',
    aliases: ['logstash'],
    about: 'Runs a pipeline: -f logstash.conf or -e CONFIG.',
    load: async () => (await import('../pipeline/main.ts')).main,
  },
  {
    name: 'search',
    aliases: ['elasticsearch'],
    about: 'Starts the search server: -E http.port=9200 --path.data DIR.',
    usage: 'search [--path.conf FILE] [--path.data DIR] [-E SETTING=VALUE]...',
    load: async () => (await import('../search/main.ts')).main,
  },
  {
    name: 'console',
    aliases: ['kibana'],
    about: 'Serves the pages: --port 5601 --elasticsearch URL --bootstrap-server LIST.',
    load: async () => (await import('../console/main.ts')).main,
  },
  {
    name: 'kafka-topics',
    aliases: ['kafka.admin.TopicCommand', 'org.apache.kafka.tools.TopicCommand'],
    about: 'Creates, lists, describes, alters and deletes topics.',
    load: async () => (await import('../tools/main.ts')).topics,
  },
  {
    name: 'kafka-console-producer',
    aliases: ['kafka.tools.ConsoleProducer', 'org.apache.kafka.tools.ConsoleProducer'],
    about: 'Sends lines of standard input as records.',
    load: async () => (await import('../tools/main.ts')).consoleProducer,
  },
  {
    name: 'kafka-console-consumer',
    aliases: ['kafka.tools.ConsoleConsumer', 'org.apache.kafka.tools.consumer.ConsoleConsumer'],
    about: 'Prints the records of a topic.',
    load: async () => (await import('../tools/main.ts')).consoleConsumer,
  },
  {
    name: 'kafka-get-offsets',
    aliases: ['kafka.tools.GetOffsetShell', 'org.apache.kafka.tools.GetOffsetShell'],
    about: 'Prints the offsets of topics.',
    load: async () => (await import('../tools/main.ts')).getOffsets,
  },
  {
    name: 'kafka-consumer-groups',
    aliases: [
      'kafka.admin.ConsumerGroupCommand',
      'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
    ],
    about: 'Lists, describes and deletes consumer groups; moves their offsets.',
    load: async () => (await import('../tools/main.ts')).consumerGroups,
  },
  {
    name: 'kafka-configs',
    aliases: ['kafka.admin.ConfigCommand', 'org.apache.kafka.tools.ConfigCommand'],
    about: 'Describes and changes settings of topics, brokers, users and clients.',
    load: async () => (await import('../tools/main.ts')).configs,
  },
  {
    name: 'kafka-broker-api-versions',
    aliases: [
      'kafka.admin.BrokerApiVersionsCommand',
      'org.apache.kafka.tools.BrokerApiVersionsCommand',
    ],
    about: 'Prints the versions of all requests that each broker takes.',
    load: async () => (await import('../tools/main.ts')).brokerApiVersions,
  },
  {
    name: 'kafka-delete-records',
    aliases: ['kafka.admin.DeleteRecordsCommand', 'org.apache.kafka.tools.DeleteRecordsCommand'],
    about: 'Deletes records that lie before given offsets.',
    load: async () => (await import('../tools/main.ts')).deleteRecords,
  },
  {
    name: 'kafka-log-dirs',
    aliases: ['kafka.admin.LogDirsCommand', 'org.apache.kafka.tools.LogDirsCommand'],
    about: 'Prints sizes of replicas by broker and log directory.',
    load: async () => (await import('../tools/main.ts')).logDirs,
  },
  {
    name: 'kafka-dump-log',
    aliases: ['kafka.tools.DumpLogSegments', 'org.apache.kafka.tools.DumpLogSegments'],
    about: 'Prints logs, indexes and snapshots of a log directory.',
    load: async () => (await import('../tools/main.ts')).dumpLog,
  },
  {
    name: 'kafka-producer-perf-test',
    aliases: ['org.apache.kafka.tools.ProducerPerformance'],
    about: 'Sends many records and prints rates and latencies.',
    load: async () => (await import('../tools/main.ts')).producerPerfTest,
  },
  {
    name: 'kafka-consumer-perf-test',
    aliases: ['kafka.tools.ConsumerPerformance', 'org.apache.kafka.tools.ConsumerPerformance'],
    about: 'Reads many records and prints rates.',
    load: async () => (await import('../tools/main.ts')).consumerPerfTest,
  },
  {
    name: 'kafka-verifiable-producer',
    aliases: ['org.apache.kafka.tools.VerifiableProducer'],
    about: 'Sends numbers and prints what became of each, as JSON.',
    load: async () => (await import('../tools/main.ts')).verifiableProducer,
  },
  {
    name: 'kafka-verifiable-consumer',
    aliases: ['org.apache.kafka.tools.VerifiableConsumer'],
    about: 'Reads a topic and prints what happens, as JSON.',
    load: async () => (await import('../tools/main.ts')).verifiableConsumer,
  },
  {
    name: 'zookeeper-shell',
    aliases: [
      'org.apache.zookeeper.ZooKeeperMain',
      'org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka',
    ],
    about: 'Looks into ZooKeeper: zookeeper-shell HOST:PORT [COMMAND].',
    load: async () => (await import('../tools/main.ts')).zookeeperShell,
  },
  {
    name: 'kafka-reassign-partitions',
    aliases: [
      'kafka.admin.ReassignPartitionsCommand',
      'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
    ],
    about: 'Moves replicas between brokers and log directories.',
    load: async () => (await import('../tools/main.ts')).reassignPartitions,
  },
  {
    name: 'kafka-leader-election',
    aliases: ['kafka.admin.LeaderElectionCommand', 'org.apache.kafka.tools.LeaderElectionCommand'],
    about: 'Lets the controller elect leaders.',
    load: async () => (await import('../tools/main.ts')).leaderElection,
  },
  {
    name: 'kafka-preferred-replica-election',
    aliases: ['kafka.admin.PreferredReplicaLeaderElectionCommand'],
    about: 'Gives the lead back to the first replica of each partition.',
    load: async () => (await import('../tools/main.ts')).preferredElection,
  },
  {
    name: 'wire',
    aliases: [],
    about: 'Decodes and encodes Kafka messages: one JSON line in, one out.',
    usage: 'wire < QUESTIONS',
    load: async () => (await import('../tools/commands/wire.ts')).wire,
  },
]
