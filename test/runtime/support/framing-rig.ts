// A framing over a connection whose input the test plays by hand.
import fc from 'fast-check'
import { VirtualClock } from '../../../src/memory/clock.ts'
import { ByteBudget } from '../../../src/runtime/byte-budget.ts'
import type { FramePool } from '../../../src/runtime/frame-pool.ts'
import { Framing } from '../../../src/runtime/framing.ts'
import type { FrameProblem } from '../../../src/runtime/framing.ts'
import type { Connection, Receiver } from '../../../src/runtime/network.ts'

/** A connection whose input the test plays by hand. */
export class ScriptedConnection implements Connection {
  readonly remoteAddress = ''
  readonly remotePort = 0
  readonly localAddress = ''
  readonly localPort = 0
  readonly pendingBytes = 0
  readonly calls: string[] = []
  readonly shared = Buffer.alloc(256 * 1024)
  paused = false
  receiver: Receiver | undefined

  start(receiver: Receiver): void {
    this.receiver = receiver
  }
  write(): boolean {
    return true
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  end(): void {
    this.calls.push('end')
  }
  destroy(): void {
    this.calls.push('destroy')
  }

  /** Delivers bytes as the network does: into the target or the shared memory, which is then reused. */
  deliver(bytes: Buffer): void {
    let rest = bytes
    while (rest.length > 0) {
      const buffer = this.receiver?.target?.() ?? this.shared
      const count = rest.copy(buffer)
      this.receiver?.onData(buffer.subarray(0, count))
      if (buffer === this.shared) this.shared.fill(0xdb, 0, count)
      rest = rest.subarray(count)
    }
  }
}

export interface Rig {
  readonly connection: ScriptedConnection
  readonly clock: VirtualClock
  readonly framing: Framing
  readonly frames: string[]
  readonly owned: boolean[]
  readonly problems: FrameProblem[]
  readonly closes: unknown[]
}

export interface RigOptions {
  readonly limitBytes?: number
  readonly budget?: ByteBudget
  readonly pool?: FramePool
  readonly slowFrameMs?: number
  readonly onFrame?: (rig: Rig) => void
}

export function rig(options: RigOptions = {}): Rig {
  const connection = new ScriptedConnection()
  const clock = new VirtualClock()
  const frames: string[] = []
  const owned: boolean[] = []
  const problems: FrameProblem[] = []
  const closes: unknown[] = []
  const framing = new Framing(
    connection,
    {
      clock,
      budget: options.budget ?? new ByteBudget(Infinity),
      ...(options.pool === undefined ? {} : { pool: options.pool }),
    },
    { limitBytes: options.limitBytes ?? 1_000_000, slowFrameMs: options.slowFrameMs ?? 1000 },
    {
      onFrame(buffer, start, end, isOwned) {
        frames.push(buffer.toString('latin1', start, end))
        owned.push(isOwned)
        options.onFrame?.(made)
      },
      onBroken: (problem) => void problems.push(problem),
      onClose: (error) => void closes.push(error),
    },
  )
  const made = { connection, clock, framing, frames, owned, problems, closes }
  return made
}

export function framed(...bodies: string[]): Buffer {
  return Buffer.concat(
    bodies.map((body) => {
      const frame = Buffer.alloc(4 + body.length)
      frame.writeInt32BE(body.length)
      frame.write(body, 4, 'latin1')
      return frame
    }),
  )
}

export function deliverSplit(
  connection: ScriptedConnection,
  bytes: Buffer,
  cuts: readonly number[],
): void {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b)
  let at = 0
  for (const end of [...ends, bytes.length]) {
    connection.deliver(bytes.subarray(at, end))
    at = end
  }
}

/** Bodies around the sizes where the framing changes its ways: nothing, small, pooled, read directly. */
export const bodies = fc.array(
  fc
    .tuple(fc.constantFrom(0, 1, 3, 100, 16_384, 16_385, 40_000, 90_000), fc.nat(255))
    .map(([size, fill]) => Buffer.alloc(size, fill).toString('latin1')),
  { maxLength: 8 },
)
