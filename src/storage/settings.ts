/**
 * What a log and a log directory may be told. The broker derives these from its own and from the
 * topic's settings; names are Kafka's in camel case with the unit last. -1 means "no limit" where the
 * original says so.
 */
export interface LogSettings {
  /** segment.bytes */
  readonly segmentBytes: number
  /** segment.ms */
  readonly segmentMs: number
  /** segment.jitter.ms: each segment's age limit is shortened by a random part of this. */
  readonly segmentJitterMs: number
  /** segment.index.bytes: the size an index is preallocated to while its segment is active. */
  readonly segmentIndexBytes: number
  /** index.interval.bytes */
  readonly indexIntervalBytes: number
  /** retention.ms, -1 for ever */
  readonly retentionMs: number
  /** retention.bytes, -1 for no limit */
  readonly retentionBytes: number
  /** cleanup.policy contains delete */
  readonly deletes: boolean
  /** cleanup.policy contains compact: records need keys. */
  readonly compacts: boolean
  /** max.message.bytes, of one batch with its overhead */
  readonly maxMessageBytes: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  /** message.timestamp.before.max.ms */
  readonly timestampBeforeMaxMs: number
  /** message.timestamp.after.max.ms */
  readonly timestampAfterMaxMs: number
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** message.format.version as the format's magic; default 2. */
  readonly messageFormat?: 0 | 1 | 2
  /** flush.messages: a flush is due once this many records are unflushed. */
  readonly flushMessages: number
  /** flush.ms */
  readonly flushMs: number
  /** file.delete.delay.ms */
  readonly fileDeleteDelayMs: number
}

/** "No limit" of Kafka's long settings (Long.MAX_VALUE), as the nearest number that is exact. */
export const unlimited = Number.MAX_SAFE_INTEGER

/** Kafka 3.9.1's defaults. */
export const defaultLogSettings: LogSettings = {
  segmentBytes: 1073741824,
  segmentMs: 604800000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10485760,
  indexIntervalBytes: 4096,
  retentionMs: 604800000,
  retentionBytes: -1,
  deletes: true,
  compacts: false,
  maxMessageBytes: 1048588,
  messageTimestampType: 'CreateTime',
  timestampBeforeMaxMs: unlimited,
  timestampAfterMaxMs: unlimited,
  compressionType: 'producer',
  flushMessages: unlimited,
  flushMs: unlimited,
  fileDeleteDelayMs: 60000,
}

export interface LogDirectorySettings {
  /** Checked against meta.properties, which is written with these where it is missing. */
  readonly brokerId: number
  readonly clusterId: string
  /** The settings of a topic's logs, asked once per log at opening. */
  settingsOf(topic: string): LogSettings
  /** producer.id.expiration.ms */
  readonly producerIdExpirationMs: number
  /** num.recovery.threads.per.data.dir: how many logs are opened side by side. */
  readonly recoveryConcurrency: number
  /** How many log files may be open at once; the least recently used are closed. */
  readonly openFilesMax: number
  /** log.retention.check.interval.ms; 0 turns the check off. */
  readonly retentionCheckIntervalMs: number
  /** log.initial.task.delay.ms: when the first retention check runs. */
  readonly initialTaskDelayMs: number
  /** log.flush.offset.checkpoint.interval.ms, log.flush.start.offset.checkpoint.interval.ms */
  readonly checkpointIntervalMs: number
  /** log.flush.scheduler.interval.ms: how often flush.ms is looked at; never, unless it is set. */
  readonly flushSchedulerIntervalMs?: number
  /** replica.high.watermark.checkpoint.interval.ms */
  readonly highWatermarkCheckpointIntervalMs: number
}

/** Kafka 3.9.1's defaults, for a broker that has not said who it is. */
export const defaultLogDirectorySettings: Omit<LogDirectorySettings, 'brokerId' | 'clusterId'> = {
  settingsOf: () => defaultLogSettings,
  producerIdExpirationMs: 86400000,
  recoveryConcurrency: 2,
  openFilesMax: 8192,
  retentionCheckIntervalMs: 300000,
  initialTaskDelayMs: 30000,
  checkpointIntervalMs: 60000,
  highWatermarkCheckpointIntervalMs: 5000,
}
