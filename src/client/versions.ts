// Pure.
// Which versions of an API both sides speak.
import { Errors } from '../kafka/errors.ts'
import type { AnyApi } from '../wire/schema.ts'
import { brokerError, type KafkaError } from './errors.ts'

export interface SpokenRange {
  readonly min: number
  readonly max: number
}

/** What a broker lists in its ApiVersions answer, by API key. */
export type VersionTable = ReadonlyMap<number, SpokenRange>

type KeyedApi = Pick<AnyApi, 'key' | 'name' | 'versions'>

/** The newest version within both ranges and `limits`; undefined where there is none. */
export function commonVersion(
  table: VersionTable,
  api: KeyedApi,
  limits: Partial<SpokenRange> = {},
): number | undefined {
  const theirs = table.get(api.key)
  if (theirs === undefined) return undefined
  const min = Math.max(api.versions.min, theirs.min, limits.min ?? 0)
  const max = Math.min(api.versions.max, theirs.max, limits.max ?? Infinity)
  return max >= min ? max : undefined
}

export function unsupported(api: KeyedApi, broker: string): KafkaError {
  return brokerError(Errors.UNSUPPORTED_VERSION, `${api.name} of broker ${broker}`)
}

/** An int64 that must be exact: offsets, times, producer ids. @throws RangeError beyond 2^53. */
export function exact(value: number | bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new RangeError(`not a safe integer: ${value}`)
  return number
}
