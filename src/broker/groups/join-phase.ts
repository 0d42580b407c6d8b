// Pure.
/**
 * How long a rebalance waits for members to join: until all are there, at most the longest rebalance
 * timeout. A group that was empty waits for a while without looking, and again while members keep
 * coming, up to the rebalance timeout in all (group.initial.rebalance.delay.ms, KIP-134).
 */
export class JoinPhase {
  readonly #initialDelayMs: number
  #endMs = Infinity
  #gathering: { untilMs: number; delayMs: number; remainingMs: number } | undefined
  #hasNewMember = false

  constructor(initialDelayMs: number) {
    this.#initialDelayMs = initialDelayMs
  }

  /** When `isOver` is to be asked; Infinity: never. */
  get deadlineMs(): number {
    return this.#gathering?.untilMs ?? this.#endMs
  }

  /** Members gather: that all known ones are there is no reason to go on. */
  get isGathering(): boolean {
    return this.#gathering !== undefined
  }

  /** Of a group that was empty. */
  gather(now: number, longestMs: number): void {
    const delayMs = Math.max(this.#initialDelayMs, 0)
    const remainingMs = Math.max(longestMs - delayMs, 0)
    this.#gathering = { untilMs: now + delayMs, delayMs, remainingMs }
  }

  begin(now: number, longestMs: number): void {
    this.#endMs = now + longestMs
  }

  end(): void {
    this.#gathering = undefined
    this.#endMs = Infinity
  }

  noteNewMember(): void {
    this.#hasNewMember = true
  }

  /** Whether those that have not joined by now are late. */
  isOver(now: number): boolean {
    const { deadlineMs } = this
    const gathering = this.#gathering
    if (deadlineMs > now) return false
    if (gathering === undefined || !this.#hasNewMember || gathering.remainingMs === 0) return true
    this.#hasNewMember = false
    const delayMs = Math.min(this.#initialDelayMs, gathering.remainingMs)
    const remainingMs = Math.max(gathering.remainingMs - gathering.delayMs, 0)
    this.#gathering = { untilMs: now + delayMs, delayMs, remainingMs }
    return false
  }
}
