// Pure.
/** Which leaders are not where they are preferred, where that is too many (auto.leader.rebalance). */
import type { Cluster, KnownPartition } from './cluster.ts'

/**
 * Of each live broker that leads less of its preferred partitions than it should: those that another one
 * leads, as far as it could take them at once.
 * @param percentMax leader.imbalance.per.broker.percentage
 */
export function imbalanced(cluster: Cluster, percentMax: number): KnownPartition[] {
  const preferred = new Map<number, { count: number; elsewhere: KnownPartition[] }>()
  for (const partition of cluster.partitions()) {
    const [id] = partition.assignment.replicas
    if (id === undefined || !cluster.brokers.has(id)) continue
    let row = preferred.get(id)
    if (row === undefined) preferred.set(id, (row = { count: 0, elsewhere: [] }))
    row.count += 1
    const { state } = partition
    if (state !== undefined && state.leader !== id) row.elsewhere.push(partition)
  }
  const moved: KnownPartition[] = []
  for (const [id, { count, elsewhere }] of preferred) {
    if (elsewhere.length * 100 <= count * percentMax) continue
    const isAble = (one: KnownPartition) =>
      cluster.isOnline(id, one) && one.state?.isr.includes(id) === true
    moved.push(...elsewhere.filter(isAble))
  }
  return moved
}
