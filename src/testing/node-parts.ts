/** What the servers of an in-process cluster share, and where each keeps its files. */
import { MemoryDisk, type DiskSnapshot } from '../memory/disk.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Ports } from '../runtime/service.ts'
import { withoutDelay, type JumpClock } from './clock.ts'
import type { Links } from './links.ts'

export const loopback = '127.0.0.1'

export interface NodeParts {
  /** All but disk and clock. */
  readonly ports: Pick<Ports, 'network' | 'random' | 'logger' | 'metrics'>
  /** The time of all servers. */
  readonly clock: JumpClock
  /** The same time, with timers that never jump: for clients. */
  readonly steadyClock: Clock
  readonly links: Links
  /** Where servers keep their files; undefined: in memory. */
  readonly directory: string | undefined
  readonly realDisk: Disk
}

/** A directory on a disk: the real one, or one in memory of the node's own. */
export interface Place {
  readonly disk: Disk
  readonly memory: MemoryDisk | undefined
  readonly path: string
}

/** @param clock when calls off the loop end, in memory */
export function placeFor({ directory, realDisk }: NodeParts, name: string, clock: Clock): Place {
  if (directory !== undefined)
    return { disk: realDisk, memory: undefined, path: `${directory}/${name}` }
  const memory = new MemoryDisk({ clock: withoutDelay(clock) })
  return { disk: memory, memory, path: `/${name}` }
}

/** All that was written counts as durable, which also forgets what it took to undo it. */
export function snapshotOf({ memory }: Place): DiskSnapshot | undefined {
  memory?.syncAll()
  return memory?.snapshot()
}
