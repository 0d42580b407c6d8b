// Pure. What a configuration amounts to: the shipper's settings, whole and checked.

import type { PlainValue } from './settings/section.ts'

export type FieldMap = { readonly [key: string]: PlainValue }

export interface ShipperSettings {
  /** `name`: agent.name and host.name. Default: the host's name. */
  readonly name: string
  readonly dataDirectory: string
  /** path.data/registry, or what filebeat.registry.path says. */
  readonly registryDirectory: string
  readonly registryFlushMs: number
  readonly queue: QueueSettings
  readonly inputs: readonly InputSettings[]
  readonly output: OutputSettings
  readonly http: { readonly enabled: boolean; readonly host: string; readonly port: number }
  /** How long a stop waits for acknowledgements. */
  readonly shutdownTimeoutMs: number
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'
}

/** What may be read and not yet acknowledged. */
export interface QueueSettings {
  readonly events: number
  readonly bytes: number
}

export interface InputSettings {
  readonly kind: 'log' | 'filestream'
  /** Of a filestream; part of its registry keys. */
  readonly id: string
  readonly paths: readonly string[]
  readonly recursive: boolean
  readonly excludeFiles: readonly RegExp[]
  readonly includeFiles: readonly RegExp[]
  /** Upper bound between two looks for new files. */
  readonly scanFrequencyMs: number
  /** 0: no file is too old. */
  readonly ignoreOlderMs: number
  readonly closeInactiveMs: number
  readonly closeRenamed: boolean
  readonly closeRemoved: boolean
  readonly closeEof: boolean
  readonly cleanRemoved: boolean
  /** 0: never. */
  readonly cleanInactiveMs: number
  readonly tailFiles: boolean
  /** 0: no limit. */
  readonly harvesterLimit: number
  readonly includeLines: readonly RegExp[]
  readonly excludeLines: readonly RegExp[]
  readonly maxBytes: number
  readonly multiline: MultilineSettings | undefined
  readonly json: JsonSettings | undefined
  /** What every event of this input carries besides what the line gives. */
  readonly event: EventSettings
}

export interface MultilineSettings {
  readonly pattern: RegExp
  readonly negate: boolean
  readonly match: 'after' | 'before'
  readonly maxLines: number
  readonly timeoutMs: number
  readonly flushPattern: RegExp | undefined
  readonly skipNewLine: boolean
}

export interface JsonSettings {
  readonly keysUnderRoot: boolean
  readonly overwriteKeys: boolean
  readonly addErrorKey: boolean
  readonly messageKey: string | undefined
  /** The object that takes the keys where they do not go under the root. */
  readonly target: string
}

export interface EventSettings {
  readonly inputType: string
  readonly tags: readonly string[]
  /** Under `fields`. */
  readonly fields: FieldMap
  /** At the top of the event, over what is there. */
  readonly rootFields: FieldMap
}

export type OutputSettings = KafkaOutputSettings | ConsoleOutputSettings

export interface ConsoleOutputSettings {
  readonly kind: 'console'
  readonly pretty: boolean
}

export interface KafkaOutputSettings {
  readonly kind: 'kafka'
  readonly hosts: readonly string[]
  readonly topic: string
  readonly key: string | undefined
  readonly partition: PartitionSettings
  readonly clientId: string
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4'
  readonly requiredAcks: -1 | 0 | 1
  readonly bulkMaxSize: number
  readonly maxMessageBytes: number
  readonly timeoutMs: number
  readonly brokerTimeoutMs: number
  readonly metadataRefreshMs: number
  readonly retryBackoffMs: number
  readonly backoffInitMs: number
  readonly backoffMaxMs: number
  readonly pretty: boolean
}

export interface PartitionSettings {
  readonly kind: 'hash' | 'random' | 'round_robin'
  /** Events that go to one partition before the next is taken. */
  readonly groupEvents: number
  /** hash: the fields that are hashed instead of the key. */
  readonly hashFields: readonly string[]
}
