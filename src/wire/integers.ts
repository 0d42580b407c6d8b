// 64-bit integers in place, as numbers, without allocation.
import { WireError } from './errors.ts'

const TWO_32 = 0x100000000

function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

/** Throws WireError when the value is not a safe integer. The eight bytes must be there. */
export function readInt64(bytes: Uint8Array, at: number): number {
  const value = int32At(bytes, at) * TWO_32 + (int32At(bytes, at + 4) >>> 0)
  if (!Number.isSafeInteger(value)) throw new WireError('an int64 beyond 2^53', at)
  return value
}

/** `value` is a safe integer. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / TWO_32)
  putInt32(bytes, at, high)
  putInt32(bytes, at + 4, value - high * TWO_32)
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at)
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  putInt32(bytes, at, value)
}

export function readInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!
}

export function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

/**
 * Whether the int64 at `at`, which may be beyond the safe integers, is the safe integer `value`.
 */
export function isInt64(bytes: Uint8Array, at: number, value: number): boolean {
  return int32At(bytes, at) * TWO_32 + (int32At(bytes, at + 4) >>> 0) === value
}
