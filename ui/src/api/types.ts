// The console server's answers, as src/console gives them.

export interface Status {
  readonly nowMs: number
  readonly search: SearchState
  readonly kafka: KafkaState
}

export interface SearchState {
  readonly state: 'up' | 'down'
  readonly url: string
  readonly version?: string
  readonly clusterName?: string
  readonly problem?: string
}

export interface KafkaState {
  readonly state: 'up' | 'down' | 'off'
  readonly bootstrapServers: readonly string[]
  readonly clusterId?: string
  readonly controllerId?: number
  readonly brokers?: readonly { readonly id: number; readonly host: string; readonly port: number }[]
  readonly problem?: string
}

export interface SearchIndex {
  readonly name: string
  readonly health: string
  readonly documentCount: number
  readonly sizeBytes?: number
}

export interface SearchField {
  readonly name: string
  readonly type: string
  readonly keyword?: string
}

export interface Hit {
  readonly _id: string
  readonly _index: string
  readonly _source?: unknown
}

export interface SearchAnswer {
  readonly took?: number
  readonly timed_out?: boolean
  readonly _shards?: {
    readonly total: number
    readonly failed: number
    readonly failures?: readonly { readonly reason?: { readonly reason?: string } }[]
  }
  readonly hits: {
    readonly total?: number | { readonly value: number; readonly relation: string }
    readonly hits: readonly Hit[]
  }
  readonly aggregations?: {
    readonly time?: { readonly buckets: readonly { readonly key: number; readonly doc_count: number }[] }
    readonly values?: { readonly buckets: readonly ValueBucket[] }
    readonly present?: { readonly doc_count: number }
  }
}

export interface ValueBucket {
  readonly key: string | number
  readonly key_as_string?: string
  readonly doc_count: number
}

export interface TopicSummary {
  readonly name: string
  readonly internal: boolean
  readonly partitions: number
  readonly replicas: number
  readonly underReplicated: number
  readonly offline: number
  readonly messageCount?: number
  readonly sizeBytes?: number
}

export interface TopicDetail {
  readonly name: string
  readonly internal: boolean
  readonly partitions: readonly PartitionDetail[]
  readonly configs?: readonly TopicConfig[]
}

export interface PartitionDetail {
  readonly partition: number
  readonly leader?: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  readonly begin?: number
  readonly end?: number
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
