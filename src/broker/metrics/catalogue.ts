// Pure.
// Every metric of the broker, once: the code measures by these keys, docs/metrics.md lists them. Names
// are those that the usual rules of the JMX exporter make of Kafka's MBeans (design section 4).

/** A count that only grows, a value of now, or quantiles over some minutes with sum and count. */
export type MetricKind = 'counter' | 'gauge' | 'summary'

export interface MetricDeclaration {
  readonly name: string
  readonly kind: MetricKind
  readonly labels: readonly string[]
  readonly about: string
}

function counter(name: string, about: string, ...labels: string[]): MetricDeclaration {
  return { name, kind: 'counter', labels, about }
}

function gauge(name: string, about: string, ...labels: string[]): MetricDeclaration {
  return { name, kind: 'gauge', labels, about }
}

const perTopic = 'by topic, and of all topics together'

/** What is counted for each topic, by the fields of TopicTraffic. */
export const trafficMetrics = {
  messagesIn: counter(topicMetric('messagesin'), `Records taken from producers, ${perTopic}`),
  bytesIn: counter(topicMetric('bytesin'), `Bytes taken from producers, ${perTopic}`),
  bytesOut: counter(topicMetric('bytesout'), `Bytes given to consumers, ${perTopic}`),
  bytesRejected: counter(topicMetric('bytesrejected'), `Bytes refused, ${perTopic}`),
  replicationBytesIn: counter(
    topicMetric('replicationbytesin'),
    `Bytes taken from leaders, ${perTopic}`,
  ),
  replicationBytesOut: counter(
    topicMetric('replicationbytesout'),
    `Bytes given to followers, ${perTopic}`,
  ),
  produceRequests: counter(
    topicMetric('totalproducerequests'),
    `Produce requests, once for each partition they name, ${perTopic}`,
  ),
  fetchRequests: counter(
    topicMetric('totalfetchrequests'),
    `Fetch requests, once for each partition they read, ${perTopic}`,
  ),
  failedProduceRequests: counter(
    topicMetric('failedproducerequests'),
    `Partitions whose records were refused, ${perTopic}`,
  ),
  failedFetchRequests: counter(
    topicMetric('failedfetchrequests'),
    `Partitions that could not be read, ${perTopic}`,
  ),
} as const

function topicMetric(name: string): string {
  return `kafka_server_brokertopicmetrics_${name}_total`
}

/** What is known of each request. */
export const requestMetrics = {
  requests: counter(
    'kafka_network_requestmetrics_requests_total',
    'Requests, by API and version',
    'request',
    'version',
  ),
  errors: counter(
    'kafka_network_requestmetrics_errors_total',
    'Errors in answers, NONE among them, by API and name of the error',
    'request',
    'error',
  ),
  totalTimeMs: {
    name: 'kafka_network_requestmetrics_totaltimems',
    kind: 'summary',
    labels: ['request', 'quantile'],
    about:
      'From the arrival of a request until its answer is given to the network, in milliseconds',
  },
} as const satisfies Record<string, MetricDeclaration>

/** What is looked up when somebody asks. */
export const stateMetrics = {
  partitions: replicaMetric('partitioncount', 'Replicas on this broker'),
  leaders: replicaMetric('leadercount', 'Partitions that this broker leads'),
  offline: replicaMetric('offlinereplicacount', 'Replicas in directories that failed'),
  underReplicated: replicaMetric(
    'underreplicatedpartitions',
    'Partitions led here with fewer in-sync replicas than replicas',
  ),
  underMinInSync: replicaMetric(
    'underminisrpartitioncount',
    'Partitions led here with fewer in-sync replicas than min.insync.replicas',
  ),
  atMinInSync: replicaMetric(
    'atminisrpartitioncount',
    'Partitions led here with just min.insync.replicas in-sync replicas',
  ),
  logSize: gauge('kafka_log_log_size', 'Bytes of a log', 'topic', 'partition'),
  logStart: gauge('kafka_log_log_logstartoffset', 'First offset of a log', 'topic', 'partition'),
  logEnd: gauge('kafka_log_log_logendoffset', 'Next offset of a log', 'topic', 'partition'),
  highWatermark: gauge(
    'kafka_cluster_partition_highwatermark',
    'Up to where consumers read, in partitions led here (not one of Kafka)',
    'topic',
    'partition',
  ),
  inSyncReplicas: gauge(
    'kafka_cluster_partition_insyncreplicascount',
    'In-sync replicas of a partition led here',
    'topic',
    'partition',
  ),
  offlineDirectories: gauge(
    'kafka_log_logmanager_offlinelogdirectorycount',
    'Log directories that failed',
  ),
  directoryOffline: gauge(
    'kafka_log_logmanager_logdirectoryoffline',
    '1 where a log directory has failed',
    'logDirectory',
  ),
  activeController: controllerMetric('activecontrollercount', '1 on the broker that is controller'),
  activeBrokers: controllerMetric('activebrokercount', 'Live brokers, as this broker was told'),
  topics: controllerMetric('globaltopiccount', 'Topics of the cluster, as this broker was told'),
  clusterPartitions: controllerMetric(
    'globalpartitioncount',
    'Partitions of the cluster, as this broker was told',
  ),
  offlinePartitions: controllerMetric(
    'offlinepartitionscount',
    'Partitions without a leader, as this broker was told',
  ),
  preferredImbalance: controllerMetric(
    'preferredreplicaimbalancecount',
    'Partitions that another replica than the first leads, as this broker was told',
  ),
  groups: groupMetric('numgroups', 'Groups coordinated here'),
  groupsOfState: gauge(
    'kafka_coordinator_group_groupmetadatamanager_numgroupsofstate',
    'Groups coordinated here, by state (Kafka has a metric for each state)',
    'state',
  ),
  offsets: groupMetric('numoffsets', 'Committed offsets held here'),
  fetchSessions: gauge(
    'kafka_server_fetchsessioncache_numincrementalfetchsessions',
    'Incremental fetch sessions',
  ),
  fetchSessionPartitions: gauge(
    'kafka_server_fetchsessioncache_numincrementalfetchpartitionscached',
    'Partitions in incremental fetch sessions',
  ),
  connections: gauge(
    'kafka_server_socket_server_metrics_connection_count',
    'Connections of clients and brokers',
  ),
  pendingAnswerBytes: gauge(
    'kafka_network_requestchannel_responsequeuebytes',
    'Bytes of answers that clients have not taken yet (not one of Kafka)',
  ),
  brokerState: gauge(
    'kafka_server_kafkaserver_brokerstate',
    '0 not running, 1 starting, 3 running, 6 shutting down',
  ),
  sessionState: gauge(
    'kafka_server_sessionexpirelistener_sessionstate',
    '1 in the state that the session with ZooKeeper has',
    'state',
  ),
} as const

function replicaMetric(name: string, about: string): MetricDeclaration {
  return gauge(`kafka_server_replicamanager_${name}`, about)
}

function controllerMetric(name: string, about: string): MetricDeclaration {
  return gauge(`kafka_controller_kafkacontroller_${name}`, about)
}

function groupMetric(name: string, about: string): MetricDeclaration {
  return gauge(`kafka_coordinator_group_groupmetadatamanager_${name}`, about)
}

export const brokerMetrics: readonly MetricDeclaration[] = [
  ...Object.values(trafficMetrics).map((one) => ({ ...one, labels: ['topic'] })),
  ...Object.values(requestMetrics),
  ...Object.values(stateMetrics),
]
