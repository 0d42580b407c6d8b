// Pure.
/** Where the replicas of a topic go (Kafka's AdminUtils). */

export interface PlacementStart {
  /** Index among the brokers, sorted by id or alternating between racks. */
  readonly broker: number
  readonly shift: number
  readonly firstPartition?: number
  /** Absent, or null of all brokers: racks do not matter. */
  readonly rackOf?: (broker: number) => string | null
}

/** Some brokers have a rack and others have none: nobody can say where replicas would be safe. */
export function lacksRacks(
  brokers: readonly number[],
  rackOf: (broker: number) => string | null,
): boolean {
  const withRack = brokers.filter((id) => rackOf(id) !== null).length
  return withRack > 0 && withRack < brokers.length
}

/**
 * Replica ids per partition: the first replica round robin from a random start, the others shifted by a
 * step that grows each time all brokers have led once. With racks, each rack gets its replica before any
 * gets another one.
 */
export function placeReplicas(
  brokers: readonly number[],
  partitionCount: number,
  replicationFactor: number,
  start: PlacementStart,
): number[][] {
  const sorted = [...brokers].sort((a, b) => a - b)
  const { rackOf } = start
  const hasRacks = rackOf !== undefined && sorted.every((id) => rackOf(id) !== null)
  const racks = new Map(sorted.map((id) => [id, hasRacks ? (rackOf(id) ?? '') : String(id)]))
  const arranged = hasRacks ? alternating(racks) : sorted
  const rackCount = new Set(racks.values()).size
  const count = arranged.length
  const first = start.firstPartition ?? 0
  let { shift } = start
  const result: number[][] = []
  for (let partition = first; partition < first + partitionCount; partition += 1) {
    if (partition > 0 && partition % count === 0) shift += 1
    const leaderAt = (partition + start.broker) % count
    const replicas = [arranged[leaderAt] ?? -1]
    const usedRacks = new Set(replicas.map((id) => racks.get(id)))
    // Racks make the step larger, so that followers are spread over all brokers of the others.
    const from = hasRacks ? shift * rackCount : shift
    for (let tried = 0; replicas.length < Math.min(replicationFactor, count); tried += 1) {
      const step = 1 + ((from + tried) % Math.max(count - 1, 1))
      const id = arranged[(leaderAt + step) % count] ?? -1
      const isRackFree = !usedRacks.has(racks.get(id)) || usedRacks.size === rackCount
      if (!isRackFree || replicas.includes(id)) continue
      replicas.push(id)
      usedRacks.add(racks.get(id))
    }
    result.push(replicas)
  }
  return result
}

/** One broker of each rack in turn, racks by name, brokers of a rack by id. */
function alternating(racks: ReadonlyMap<number, string>): number[] {
  const names = [...new Set(racks.values())].sort((one, other) => (one < other ? -1 : 1))
  const queues = names.map((name) => [...racks.keys()].filter((id) => racks.get(id) === name))
  const arranged: number[] = []
  for (let row = 0; arranged.length < racks.size; row += 1)
    for (const queue of queues) {
      const id = queue[row]
      if (id !== undefined) arranged.push(id)
    }
  return arranged
}
