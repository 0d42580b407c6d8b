/**
 * Memory for large frames, used again and again: fresh memory costs about 25 us per MB, a quarter of
 * what receiving a megabyte costs. What is handed out is bounded by the budget of half-received frames;
 * what is kept free, here.
 */
export interface FramePoolSettings {
  /** Smaller frames are left to the allocator. Default 64 KB. */
  readonly frameBytesMin?: number
  /** Larger ones too. Default 4 MB. */
  readonly frameBytesMax?: number
  /** How many bytes are kept while nobody uses them. Default 8 MB. */
  readonly freeBytesMax?: number
}

export class FramePool {
  readonly #frameBytesMin: number
  readonly #frameBytesMax: number
  readonly #freeBytesMax: number
  /** By their size, a power of two. */
  readonly #free = new Map<number, ArrayBuffer[]>()
  readonly #used = new Set<ArrayBufferLike>()
  #freeBytes = 0

  constructor(settings: FramePoolSettings = {}) {
    this.#frameBytesMin = settings.frameBytesMin ?? 64 * 1024
    this.#frameBytesMax = settings.frameBytesMax ?? 4 * 1024 * 1024
    this.#freeBytesMax = settings.freeBytesMax ?? 8 * 1024 * 1024
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** A buffer of exactly that size, with anything in it; undefined for sizes the pool has not. */
  take(size: number): Buffer | undefined {
    if (size < this.#frameBytesMin || size > this.#frameBytesMax) return undefined
    const wholeSize = 2 ** Math.ceil(Math.log2(size))
    let memory = this.#free.get(wholeSize)?.pop()
    if (memory === undefined) memory = Buffer.allocUnsafeSlow(wholeSize).buffer
    else this.#freeBytes -= wholeSize
    this.#used.add(memory)
    return Buffer.from(memory, 0, size)
  }

  owns(buffer: Buffer): boolean {
    return this.#used.has(buffer.buffer)
  }

  /** Leaves a buffer to the garbage collector. */
  abandon(buffer: Buffer): void {
    this.#used.delete(buffer.buffer)
  }

  /** Harmless for a buffer that is not the pool's. */
  giveBack(buffer: Buffer): void {
    const memory = buffer.buffer
    if (!this.#used.delete(memory) || !(memory instanceof ArrayBuffer)) return
    if (this.#freeBytes + memory.byteLength > this.#freeBytesMax) return
    this.#freeBytes += memory.byteLength
    const free = this.#free.get(memory.byteLength)
    if (free === undefined) this.#free.set(memory.byteLength, [memory])
    else free.push(memory)
  }
}
