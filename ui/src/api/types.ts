// The console server's answers, as src/console gives them.

export interface Status {
  readonly nowMs: number
  readonly search: SearchState
  readonly kafka: KafkaState
}

export interface SearchState {
  readonly state: 'up' | 'down'
  readonly url: string
  readonly version?: string | undefined
  readonly clusterName?: string | undefined
  readonly problem?: string | undefined
}

export interface KafkaState {
  readonly state: 'up' | 'down' | 'off'
  readonly bootstrapServers: readonly string[]
  readonly clusterId?: string | undefined
  readonly controllerId?: number | undefined
  readonly brokers?: readonly {
    readonly id: number
    readonly host: string
    readonly port: number
  }[]
  readonly problem?: string | undefined
}

export interface SearchIndex {
  readonly name: string
  readonly health: string
  readonly documentCount: number
  readonly sizeBytes?: number | undefined
}

export interface SearchField {
  readonly name: string
  readonly type: string
  readonly keyword?: string | undefined
}

export interface Hit {
  readonly _id: string
  readonly _index: string
  readonly _source?: unknown
}

export interface SearchAnswer {
  readonly took?: number | undefined
  readonly timed_out?: boolean | undefined
  readonly _shards?: {
    readonly total: number
    readonly failed: number
    readonly failures?: readonly { readonly reason?: { readonly reason?: string } }[] | undefined
  }
  readonly hits: {
    readonly total?: number | { readonly value: number; readonly relation: string }
    readonly hits: readonly Hit[]
  }
  readonly aggregations?: {
    readonly time?: {
      readonly buckets: readonly { readonly key: number; readonly doc_count: number }[]
    }
    readonly values?: { readonly buckets: readonly ValueBucket[] }
  }
}

export interface ValueBucket {
  readonly key: string | number
  readonly key_as_string?: string | undefined
  readonly doc_count: number
}

export interface TopicSummary {
  readonly name: string
  readonly internal: boolean
  readonly partitions: number
  readonly replicas: number
  readonly underReplicated: number
  readonly offline: number
  readonly messageCount?: number | undefined
  readonly sizeBytes?: number | undefined
}

export interface TopicDetail {
  readonly name: string
  readonly internal: boolean
  readonly partitions: readonly PartitionDetail[]
  readonly configs?: readonly TopicConfig[] | undefined
}

export interface PartitionDetail {
  readonly partition: number
  readonly leader?: number | undefined
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  readonly begin?: number | undefined
  readonly end?: number | undefined
}

export interface TopicConfig {
  readonly name: string
  readonly value: string | null
  readonly isDefault: boolean
}

export interface DecodedBytes {
  readonly kind: 'null' | 'json' | 'text' | 'binary'
  readonly text: string
  readonly sizeBytes: number
  readonly truncated: boolean
}

export interface Message {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: DecodedBytes
  readonly value: DecodedBytes
  readonly headers: readonly { readonly key: string; readonly value: DecodedBytes }[]
}

export interface MessagesAnswer {
  readonly messages: readonly Message[]
  readonly partitions: readonly {
    readonly partition: number
    readonly begin: number
    readonly end: number
  }[]
  readonly scannedRecords: number
  readonly scannedBytes: number
  readonly stoppedBy: 'limit' | 'end' | 'time' | 'bytes'
  readonly next: string
}
