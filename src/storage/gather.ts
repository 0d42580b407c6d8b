// Pure.
// Buffers in which small appends of one loop turn wait for their one write. They go around between
// the logs: only those that were written to in this turn hold one.

/** Appends above this are written directly: their copy costs more than the system call it saves. */
export const gatheredAppendMax = 8 * 1024

const chunkBytes = 64 * 1024
const keptMax = 64

export class GatherPool {
  private readonly idle: Buffer[] = []

  take(): Buffer {
    return this.idle.pop() ?? Buffer.allocUnsafeSlow(chunkBytes)
  }

  give(chunk: Buffer): void {
    if (this.idle.length < keptMax) this.idle.push(chunk)
  }
}
