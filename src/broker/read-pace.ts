// Pure.

/** A megabyte from the page cache takes about 0.1 ms, one from a disk at least three times as long. */
const fastMsPerMegabyte = 1
const callMs = 0.3
/** So many fast reads in a row before the next is trusted to be fast, too. */
const trustedAfter = 3

/**
 * Whether old records are in the page cache, which a process is not told: guessed from how long the last
 * reads took. A read on the loop from the page cache moves twice the bytes per second of one that goes
 * through another thread; one from a disk would hold up everybody. So one slow read ends the trust.
 */
export class ReadPace {
  #fastReads = 0

  get seemsCached(): boolean {
    return this.#fastReads >= trustedAfter
  }

  /** A read of so many bytes took so long. */
  note(bytes: number, tookMs: number): void {
    const isFast = tookMs <= callMs + (bytes / 1_048_576) * fastMsPerMegabyte
    this.#fastReads = isFast ? this.#fastReads + 1 : 0
  }
}
