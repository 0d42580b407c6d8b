/** One file of the in-memory disk: what is visible, and what a power loss would leave of it. */
import type { Random } from '../runtime/random.ts'

/** What the disk writes whole or not at all. */
const sectorBytes = 512

/** A change since the last sync, with what it takes to undo it. */
interface Change {
  readonly number: number
  readonly kind: 'write' | 'truncate'
  readonly position: number
  readonly written: Buffer
  readonly overwritten: Buffer
  readonly sizeBefore: number
  readonly sizeAfter: number
}

export class FileNode {
  readonly kind = 'file'
  readonly inode: number
  modifiedMs: number
  size = 0
  /** Zeroes from `size` on. */
  #bytes = Buffer.alloc(0)
  #changes: Change[] = []
  #nextNumber = 0

  constructor(inode: number, modifiedMs: number) {
    this.inode = inode
    this.modifiedMs = modifiedMs
  }

  read(target: Uint8Array, targetStart: number, length: number, position: number): number {
    const end = Math.min(position + length, this.size)
    if (end <= position) return 0
    target.set(this.#bytes.subarray(position, end), targetStart)
    return end - position
  }

  write(source: Uint8Array, position: number): void {
    const written = Buffer.from(source)
    const sizeBefore = this.size
    const sizeAfter = Math.max(sizeBefore, position + written.length)
    this.#reserve(sizeAfter)
    const overwrittenEnd = Math.min(position + written.length, sizeBefore)
    const overwritten = Buffer.from(
      this.#bytes.subarray(position, Math.max(overwrittenEnd, position)),
    )
    this.#note({ kind: 'write', position, written, overwritten, sizeBefore, sizeAfter })
    written.copy(this.#bytes, position)
    this.size = sizeAfter
  }

  truncate(size: number): void {
    const sizeBefore = this.size
    const overwritten = Buffer.from(this.#bytes.subarray(size, Math.max(sizeBefore, size)))
    const written = Buffer.alloc(0)
    this.#note({
      kind: 'truncate',
      position: size,
      written,
      overwritten,
      sizeBefore,
      sizeAfter: size,
    })
    this.#resize(size)
  }

  /** What a sync that begins now makes durable when it ends: pass it to `synced`. */
  syncMark(): number {
    return this.#nextNumber
  }

  synced(mark: number): void {
    this.#changes = this.#changes.filter((change) => change.number >= mark)
  }

  flip(position: number, mask: number): void {
    this.#bytes[position] = (this.#bytes[position] ?? 0) ^ mask
  }

  /** Power loss: back to what was synced, plus a subset of the rest where `random` is given. */
  crash(random: Random | undefined): void {
    const changes = this.#changes
    this.#changes = []
    for (const change of changes.toReversed()) {
      if (change.kind === 'write') {
        this.#bytes.fill(0, change.position, change.position + change.written.length)
      }
      this.#resize(change.sizeBefore)
      change.overwritten.copy(this.#bytes, change.position)
    }
    if (random === undefined) return
    for (const change of changes) this.#redo(change, random)
  }

  clone(): FileNode {
    const copy = new FileNode(this.inode, this.modifiedMs)
    copy.size = this.size
    copy.#bytes = Buffer.from(this.#bytes.subarray(0, this.size))
    copy.#changes = [...this.#changes]
    copy.#nextNumber = this.#nextNumber
    return copy
  }

  /** Lost, whole, torn at sectors, or only the new length with zeroes: all of it happens. */
  #redo(change: Change, random: Random): void {
    const fate = random.below(4)
    if (fate === 0) return
    if (change.kind === 'truncate') {
      this.#resize(change.sizeAfter)
      return
    }
    if (fate === 3) {
      this.#resize(Math.max(this.size, change.sizeAfter))
      return
    }
    const { position, written } = change
    let at = 0
    while (at < written.length) {
      const sectorEnd = sectorBytes - ((position + at) % sectorBytes)
      const end = Math.min(at + sectorEnd, written.length)
      if (fate === 1 || random.below(2) === 0) {
        this.#resize(Math.max(this.size, position + end))
        written.copy(this.#bytes, position + at, at, end)
      }
      at = end
    }
  }

  #note(change: Omit<Change, 'number'>): void {
    this.#changes.push({ number: this.#nextNumber, ...change })
    this.#nextNumber += 1
  }

  #resize(size: number): void {
    this.#reserve(size)
    if (size < this.size) this.#bytes.fill(0, size, this.size)
    this.size = size
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return
    const grown = Buffer.alloc(Math.max(size, this.#bytes.length * 2))
    this.#bytes.copy(grown)
    this.#bytes = grown
  }
}
