import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../runtime/random.ts'

/** The system's entropy. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  // The system's generator stops one short of the port's largest bound.
  below: (bound) => (bound < 2 ** 48 ? randomInt(bound) : randomBytes(6).readUIntBE(0, 6)),
}
