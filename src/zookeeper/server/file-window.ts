/**
 * Reads a file from front to end through a window of bounded size, off the loop, so that whoever reads a
 * large one lets others have their turns.
 */
import type { DiskFile } from '../../runtime/disk.ts'
import { WireError } from '../../wire/errors.ts'
import { adler32 } from './adler32.ts'

const WINDOW_BYTES = 64 * 1024

export class FileWindow {
  /** What is here is bytes[at, end), from `position` on. */
  bytes = Buffer.alloc(0)
  at = 0
  end = 0
  readonly size: number
  private readonly file: DiskFile
  private windowPosition = 0
  private checksum = 1
  private summedTo = 0

  constructor(file: DiskFile) {
    this.file = file
    this.size = file.size()
  }

  /** Of bytes[at] in the file. */
  get position(): number {
    return this.windowPosition + this.at
  }

  has(length: number): boolean {
    return this.end - this.at >= length
  }

  /** Whether the file has so many more bytes. */
  reaches(length: number): boolean {
    return this.position + length <= this.size
  }

  /** Brings at least so many bytes in. @throws DiskError, and WireError past the end of the file. */
  async fill(length: number): Promise<void> {
    if (this.has(length)) return
    const { position } = this
    if (length < 0 || !this.reaches(length)) {
      throw new WireError(`${this.file.path} ends within a value of ${length} bytes`, position)
    }
    this.sum()
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.size - position)
    const isLarger = wanted > this.bytes.length
    const target = isLarger ? Buffer.allocUnsafeSlow(wanted) : this.bytes
    const kept = this.bytes.copy(target, 0, this.at, this.end)
    this.bytes = target
    this.windowPosition = position
    this.at = 0
    this.summedTo = 0
    this.end = kept + (await this.file.read(target, kept, wanted - kept, position + kept))
    if (!this.has(length)) throw new WireError(`${this.file.path} has become shorter`, position)
  }

  private sum(): void {
    this.checksum = adler32(this.bytes, this.summedTo, this.at, this.checksum)
    this.summedTo = this.at
  }

  /** The Adler-32 sum of all before `position`. */
  checksumSoFar(): number {
    this.sum()
    return this.checksum
  }
}
