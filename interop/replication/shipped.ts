/** What the server.properties of Kafka 0.10.1.0 sets. */
export const shippedSettings: readonly string[] = [
  'broker.id=0',
  'num.network.threads=3',
  'num.io.threads=8',
  'socket.send.buffer.bytes=102400',
  'socket.receive.buffer.bytes=102400',
  'socket.request.max.bytes=104857600',
  'log.dirs=/tmp/kafka-logs',
  'num.partitions=1',
  'num.recovery.threads.per.data.dir=1',
  'log.retention.hours=168',
  'log.segment.bytes=1073741824',
  'log.retention.check.interval.ms=300000',
  'zookeeper.connect=localhost:2181',
  'zookeeper.connection.timeout.ms=6000',
]
