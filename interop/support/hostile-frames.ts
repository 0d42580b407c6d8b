/** Frames that no client would send: mutations of requests of every API and version, and noise. */
import { handlers } from '../../src/broker/handlers/index.ts'
import { encodeRequest } from '../../src/kafka/header.ts'
import type { SeededRandom } from '../../src/memory/random.ts'
import { defaults } from '../../src/wire/schema.ts'

/** A request for each API and version, as empty as it may be. */
function requests(): Buffer[] {
  const found: Buffer[] = []
  for (const { api, versions } of handlers)
    for (let version = versions[0]; version <= versions[1]; version += 1) {
      const header = { correlationId: 7, clientId: 'hostile' }
      const body = defaults(api.request)
      found.push(Buffer.from(encodeRequest(api, version, header, body as never)))
    }
  return found
}

function sized(body: Buffer): Buffer {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeInt32BE(body.length)
  body.copy(frame, 4)
  return frame
}

const lengths = [0, 1, -1, -2, 0x7fffffff, -0x80000000, 0x00ffffff, 104_857_601]

/** Six ways to be hostile; what a frame claims about itself is among them. */
function mutated(request: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(request)
  const at = (from: number): number => from + random.below(Math.max(1, copy.length - from))
  switch (random.below(6)) {
    case 0:
      // Cut off, with a size that says so.
      return sized(copy.subarray(4, 4 + random.below(copy.length - 3)))
    case 1:
      for (let count = 1 + random.below(8); count > 0; count -= 1) copy[at(4)] = random.below(256)
      return copy
    case 2: {
      // A length or count somewhere is another.
      const value = lengths[random.below(lengths.length)] ?? 0
      if (copy.length >= 12) copy.writeInt32BE(value, 8 + random.below(copy.length - 11))
      return copy
    }
    case 3:
      // Keys and versions that there are not.
      copy.writeInt16BE(random.below(65_536) - 32_768, 4 + 2 * random.below(2))
      return copy
    case 4:
      // The size is another than that of what follows.
      copy.writeInt32BE(lengths[random.below(lengths.length)] ?? 0, 0)
      return copy
    default:
      return sized(Buffer.from(random.bytes(1 + random.below(400))))
  }
}

/** As many as asked for, each of another request. */
export function* hostileFrames(count: number, random: SeededRandom): Generator<Buffer> {
  const all = requests()
  for (let n = 0; n < count; n += 1) {
    const request = all[n % all.length]
    if (request !== undefined) yield mutated(request, random)
  }
}
