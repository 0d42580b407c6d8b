import { delay, type Clock } from '../runtime/clock.ts'
import { DiskError } from '../runtime/disk.ts'
import { Errors } from '../kafka/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { LogDirectories } from './log-directories.ts'
import type { Partition } from './replication/partition.ts'
import type { Replicas } from './replication/replicas.ts'

export interface LogMovesParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly replicas: Replicas
  readonly directories: LogDirectories
}

/** One replica on its way to another log directory of this broker. */
interface Move {
  readonly partition: Partition
  readonly source: PartitionLog
  readonly future: PartitionLog
  readonly to: LogDirectory
  isOver: boolean
}

const pieceBytes = 1024 * 1024

/**
 * Moves replicas between the log directories of this broker (KIP-113): what is copied stands in a
 * directory of its own until it has caught up, and then takes the place of the other one within a turn,
 * so that nobody sees more of it than a new place.
 */
export class LogMoves {
  readonly #parts: LogMovesParts
  readonly #moves = new Map<Partition, Move>()
  #isStopped = false

  constructor(parts: LogMovesParts) {
    this.#parts = parts
  }

  /** Goes on with what the last process had begun. */
  resume(): void {
    const { directories, replicas } = this.#parts
    for (const to of directories.opened)
      for (const { topic, partition: index } of to.interruptedMoves) {
        const partition = replicas.get(topic, index)
        if (partition !== undefined) this.begin(partition, to)
      }
  }

  /** Copies; a move of the same replica to elsewhere ends. Harmless where it lies there. Error code. */
  begin(partition: Partition, to: LogDirectory): number {
    const known = this.#moves.get(partition)
    if (known?.to === to) return Errors.NONE
    if (known !== undefined) this.#end(known)
    const source = partition.log
    if (to.get(partition.topic, partition.index) === source) return Errors.NONE
    if (source.offline) return Errors.KAFKA_STORAGE_ERROR
    try {
      const future = to.createFuture(source)
      const move: Move = { partition, source, future, to, isOver: false }
      this.#moves.set(partition, move)
      void this.#run(move)
      return Errors.NONE
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#parts.logger.error(`Cannot make a log for ${source.name} in ${to.path}`, error)
      return Errors.KAFKA_STORAGE_ERROR
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  async #run(move: Move): Promise<void> {
    const { clock, logger } = this.#parts
    const buffers = new Pieces()
    try {
      while (!this.#isInVain(move)) {
        const copied = await this.#copySome(move, buffers)
        if (this.#isInVain(move)) break
        if (!copied) {
          await move.future.sync()
          if (!this.#isInVain(move) && this.#tryToReplace(move)) return
        }
        await delay(clock, 0)
      }
    } catch (error) {
      // A disk error has taken its directory offline by now.
      if (!(error instanceof DiskError)) throw error
      logger.error(`Moving ${move.source.name} to ${move.to.path} failed`, error)
    }
    // What a stopping broker leaves is found by the next one, which goes on.
    if (!this.#isStopped) this.#end(move)
  }

  #end(move: Move): void {
    move.isOver = true
    if (this.#moves.get(move.partition) === move) this.#moves.delete(move.partition)
    move.to.dropFuture(move.future)
  }

  /** The replica went away, or one of the disks did. */
  #isInVain({ partition, source, future, isOver }: Move): boolean {
    const { topic, index } = partition
    const isGone = this.#parts.replicas.get(topic, index) !== partition
    return isOver || this.#isStopped || isGone || source.offline || future.offline
  }

  /** False where there is nothing to copy. @throws DiskError */
  async #copySome({ source, future }: Move, pieces: Pieces): Promise<boolean> {
    const { logEndOffset } = future
    const first = source.segments.first.baseOffset
    const isAstray = logEndOffset > source.logEndOffset || !hasSameEpochs(source, future)
    // Deleted at the head or cut at the end meanwhile: from the beginning.
    if (logEndOffset < first || isAstray) await future.truncateFullyAndStartAt(first)
    const from = Math.max(future.logEndOffset, source.logStartOffset)
    const limits = { maxBytes: pieceBytes, upTo: source.logEndOffset, minOneBatch: true }
    const { slice } = source.read(from, limits)
    if (slice === undefined) return false
    const buffer = pieces.take(slice.length)
    const length = await source.readIntoAsync(slice, buffer, 0)
    if (source.offline || future.offline || length < slice.length) return true
    const { error, message } = future.appendAsFollower(buffer, 0, length, this.#parts.clock.now())
    if (error !== Errors.NONE) throw new DiskError('EIO', `copy (${message})`, source.directory)
    return true
  }

  /** Within this turn: nobody appends in between. False where something is still missing. @throws DiskError */
  #tryToReplace({ partition, source, future, to }: Move): boolean {
    const { logger, directories } = this.#parts
    source.flushGathered()
    future.flushGathered()
    if (future.logEndOffset !== source.logEndOffset || future.flushDue) return false
    for (const { epoch, startOffset } of source.leaderEpochs.all)
      if (epoch > future.leaderEpochs.latestEpoch) future.leaderEpochs.assign(epoch, startOffset)
    future.advanceHighWatermark(source.highWatermark)
    future.deleteRecordsBefore(Math.min(source.logStartOffset, future.highWatermark))
    future.settings = source.settings
    const from = directories.opened.find((one) => one.logs.get(source.name) === source)
    to.promote(future)
    partition.log = future
    this.#moves.delete(partition)
    from?.remove(partition.topic, partition.index)
    partition.moved()
    logger.info(`Replica ${future.name} has moved to ${to.path}`)
    return true
  }
}

/** The copied part began in the same epochs: the source was not cut and written anew in between. */
function hasSameEpochs(source: PartitionLog, future: PartitionLog): boolean {
  const { latestEpoch } = future.leaderEpochs
  if (latestEpoch < 0) return true
  const { epoch, endOffset } = source.leaderEpochs.endOffsetFor(latestEpoch, source.logEndOffset)
  return epoch === latestEpoch && endOffset >= future.logEndOffset
}

/** One buffer, used for piece after piece. */
class Pieces {
  #buffer = Buffer.allocUnsafe(pieceBytes)

  take(length: number): Buffer {
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(length)
    return this.#buffer.subarray(0, length)
  }
}
