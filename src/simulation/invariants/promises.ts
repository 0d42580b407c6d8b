// Pure.
/**
 * Whether a reader may count on what it saw, as it may in Kafka with flush.messages=1, where the high
 * watermark passes a record only when it is synced. Ours does so before: SPEC.md promises only what was
 * acknowledged. Readers of flushed topics are held to the stricter rule once this is true.
 */
export const visibleMeansSynced = false

/** Whether a power loss may take back what readers of such a topic have seen. */
export function mayTakeBack(flushed: boolean): boolean {
  return !flushed || !visibleMeansSynced
}
