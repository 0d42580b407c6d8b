/** A broker that does not hear others, or is not heard by them. */
import type { Fleet } from './fleet.ts'
import type { Party, Way } from './links.ts'

export interface PartitionOptions {
  /** Other brokers by their ids, and the coordination server. Default: all of them. */
  readonly from?: readonly (number | 'coordination')[]
  /** Which bytes do not arrive, as the broker sees it: those it sends, those sent to it, both. Default both. */
  readonly direction?: 'both' | 'outgoing' | 'incoming'
}

export interface Cut {
  /** Ends this partition; others stay. */
  heal(): void
}

export function cutOf(fleet: Fleet, broker: number, options: PartitionOptions): Cut {
  const { direction = 'both' } = options
  const everybody: readonly Party[] = [...fleet.nodes.map(({ id }) => id), 'coordination']
  const others = (options.from ?? everybody).filter((party) => party !== broker)
  const ways: Way[] = []
  for (const other of others) {
    if (direction !== 'incoming') ways.push({ from: broker, to: other })
    if (direction !== 'outgoing') ways.push({ from: other, to: broker })
  }
  const heal = fleet.links.cut(ways)
  fleet.witness.changed()
  return {
    heal: () => {
      heal()
      fleet.witness.changed()
    },
  }
}
