// Pure.
/** Where replicas go and who leads first: the decisions of topic creation (Kafka's AdminUtils). */

/**
 * Replica ids per partition, without racks: the first replica round robin from a random start, the
 * others shifted by a step that grows each time all brokers have led once.
 */
export function placeReplicas(
  brokers: readonly number[],
  partitionCount: number,
  replicationFactor: number,
  start: { readonly broker: number; readonly shift: number; readonly firstPartition?: number },
): number[][] {
  const sorted = [...brokers].sort((a, b) => a - b)
  const count = sorted.length
  const first = start.firstPartition ?? 0
  let shift = start.shift
  const result: number[][] = []
  for (let partition = first; partition < first + partitionCount; partition += 1) {
    if (partition > 0 && partition % count === 0) shift += 1
    const leaderAt = (partition + start.broker) % count
    const replicas = [sorted[leaderAt] ?? -1]
    for (let replica = 0; replica < replicationFactor - 1; replica += 1) {
      const step = 1 + ((shift + replica) % Math.max(count - 1, 1))
      replicas.push(sorted[(leaderAt + step) % count] ?? -1)
    }
    result.push(replicas)
  }
  return result
}

export interface Election {
  readonly leader: number
  readonly isr: readonly number[]
}

/** A new partition: its first live replica leads, all live ones are in sync. Undefined: none lives. */
export function electForNew(
  replicas: readonly number[],
  live: ReadonlySet<number>,
): Election | undefined {
  const isr = replicas.filter((id) => live.has(id))
  const leader = isr[0]
  return leader === undefined ? undefined : { leader, isr }
}

/**
 * A partition without a live leader: the first live replica that is in sync; with unclean election, any
 * live one, which then is the whole in-sync set. Undefined: it stays offline.
 */
export function electForOffline(
  replicas: readonly number[],
  isr: readonly number[],
  live: ReadonlySet<number>,
  uncleanAllowed: boolean,
): Election | undefined {
  const liveIsr = isr.filter((id) => live.has(id))
  const clean = replicas.find((id) => liveIsr.includes(id))
  if (clean !== undefined) return { leader: clean, isr: liveIsr }
  const unclean = uncleanAllowed ? replicas.find((id) => live.has(id)) : undefined
  return unclean === undefined ? undefined : { leader: unclean, isr: [unclean] }
}
