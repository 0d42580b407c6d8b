// Pure.
/** Which versions brokers speak among themselves at an inter.broker.protocol.version (kafka.md D). */

export interface InterBrokerLevel {
  readonly leaderAndIsr: number
  readonly updateMetadata: number
  readonly stopReplica: number
  readonly controlledShutdown: number
  /** A follower's. */
  readonly fetch: number
  readonly listOffsets: number
  /** -1: followers know nothing of leader epochs, and cut their logs at the high watermark. */
  readonly offsetForLeaderEpoch: number
  /** Values of __consumer_offsets: a coordinator of this level reads none that is newer. */
  readonly groupRecord: number
  readonly offsetRecord: number
  /** Topics get ids, and clients are told of them. */
  readonly usesTopicIds: boolean
}

/** From this level up to the next row's, in the order of the interface's fields. */
const levels: readonly (readonly [level: string, ...versions: Versions])[] = [
  ['0.8', 0, 0, 0, 0, 0, 0, -1, 0, 1],
  ['0.9', 0, 1, 0, 1, 1, 0, -1, 0, 1],
  ['0.10', 0, 2, 0, 1, 2, 0, -1, 0, 1],
  ['0.10.1', 0, 2, 0, 1, 3, 1, -1, 1, 1],
  ['0.10.2', 0, 3, 0, 1, 3, 1, -1, 1, 1],
  ['0.11', 0, 3, 0, 1, 5, 2, 0, 1, 1],
  ['1.0', 1, 4, 0, 1, 5, 2, 0, 1, 1],
  ['1.1', 1, 4, 0, 1, 7, 2, 0, 1, 1],
  ['2.0', 1, 4, 0, 1, 8, 3, 1, 1, 1],
  ['2.1', 1, 4, 0, 1, 10, 4, 2, 2, 3],
  ['2.2', 2, 5, 1, 2, 10, 5, 2, 2, 3],
  ['2.3', 2, 5, 1, 2, 11, 5, 3, 3, 3],
  ['2.4', 4, 6, 2, 3, 11, 5, 3, 3, 3],
  // From here on a leader tells with the records where the logs part.
  ['2.7', 4, 6, 2, 3, 12, 5, 3, 3, 3],
]

type Versions = readonly [
  ...(readonly [number, number, number, number, number, number, number]),
  groupRecord: number,
  offsetRecord: number,
]

const numbersOf = (level: string): number[] => level.split('-')[0]?.split('.').map(Number) ?? []

function compare(one: string, other: string): number {
  const [left, right] = [numbersOf(one), numbersOf(other)]
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The level as the setting has it, as `2.3` or `0.10.1-IV2`; unset, it is 2.3, but with topic ids. */
export function interBrokerLevel(given?: string): InterBrokerLevel {
  const setting = given ?? '2.3'
  const known = levels.findLast(([level]) => compare(level, setting) <= 0)
  const [, ...versions] = known ?? ['0.8', 0, 0, 0, 0, 0, 0, -1, 0, 1]
  return {
    leaderAndIsr: versions[0],
    updateMetadata: versions[1],
    stopReplica: versions[2],
    controlledShutdown: versions[3],
    fetch: versions[4],
    listOffsets: versions[5],
    offsetForLeaderEpoch: versions[6],
    groupRecord: versions[7],
    offsetRecord: versions[8],
    usesTopicIds: given === undefined || compare(given, '2.8') >= 0,
  }
}
