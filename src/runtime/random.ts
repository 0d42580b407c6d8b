/** Chance as a port: real entropy in production, a seeded generator in tests and simulations. */
export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Uint8Array
  /** A whole number, 0 <= n < bound; bound is at most 2^48. */
  below(bound: number): number
}

/** A version 4 UUID (RFC 9562) as 16 bytes. */
export function uuidBytes(random: Random): Uint8Array {
  const bytes = random.bytes(16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes
}

/** A version 4 UUID in its usual text form, lower case. */
export function uuidText(random: Random): string {
  const hex = Buffer.from(uuidBytes(random)).toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
