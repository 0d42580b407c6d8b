// The client's settings with their defaults filled in.
import type { Ports } from '../runtime/service.ts'
import { UserError } from '../runtime/service.ts'
import type { BackoffSettings } from './backoff.ts'
import type { KafkaError } from './errors.ts'
import { parseAddress } from './metadata.ts'

export type ClientPorts = Pick<Ports, 'clock' | 'network' | 'random' | 'logger'>

export interface ClientSettings {
  /** host:port, IPv6 in brackets. One that answers is enough. */
  readonly bootstrapServers: readonly string[]
  /** Default millrace. */
  readonly clientId?: string
  /** Default 30000. */
  readonly requestTimeoutMs?: number
  /** Default 10000. */
  readonly connectTimeoutMs?: number
  /** First wait before a broker is tried again; doubles up to reconnectBackoffMsMax. Default 50. */
  readonly reconnectBackoffMs?: number
  /** Default 1000. */
  readonly reconnectBackoffMsMax?: number
  /**
   * First wait before a failed request is tried again; doubles up to retryBackoffMsMax. Default
   * 100.
   */
  readonly retryBackoffMs?: number
  /** Default 1000. */
  readonly retryBackoffMsMax?: number
  /** Metadata is asked for again after this, errors or not. Default 300000. */
  readonly metadataMaxAgeMs?: number
  /** A call of the admin client or for offsets, retries included. Default 60000. */
  readonly callTimeoutMs?: number
  /** Told before anything is tried again; 'giveUp' lets the error stand instead. */
  readonly onRetry?: RetryListener
}

/** Something failed and is about to be tried again. */
export interface Retry {
  /** call, produce, join, position: what is done. */
  readonly what: string
  readonly error: KafkaError
  /** How often it failed so far. */
  readonly failures: number
  /** How long it will wait first. */
  readonly waitMs: number
}

export type RetryListener = (retry: Retry) => 'giveUp' | void

export interface CompleteSettings {
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly reconnectBackoff: BackoffSettings
  readonly retryBackoff: BackoffSettings
  readonly metadataMaxAgeMs: number
  readonly callTimeoutMs: number
  readonly onRetry: RetryListener | undefined
}

/** @throws UserError for an address that cannot be read, or none. */
export function completeSettings(settings: ClientSettings): CompleteSettings {
  const bootstrap = settings.bootstrapServers.map((text) => {
    const address = parseAddress(text)
    if (address === undefined) {
      throw new UserError(`Invalid url in bootstrap.servers: ${text} (host:port is meant)`)
    }
    return address
  })
  if (bootstrap.length === 0) throw new UserError('bootstrap.servers names no broker')
  return {
    bootstrap,
    clientId: settings.clientId ?? 'millrace',
    requestTimeoutMs: settings.requestTimeoutMs ?? 30_000,
    connectTimeoutMs: settings.connectTimeoutMs ?? 10_000,
    reconnectBackoff: {
      firstMs: settings.reconnectBackoffMs ?? 50,
      mostMs: settings.reconnectBackoffMsMax ?? 1000,
    },
    retryBackoff: {
      firstMs: settings.retryBackoffMs ?? 100,
      mostMs: settings.retryBackoffMsMax ?? 1000,
    },
    metadataMaxAgeMs: settings.metadataMaxAgeMs ?? 300_000,
    callTimeoutMs: settings.callTimeoutMs ?? 60_000,
    onRetry: settings.onRetry,
  }
}
