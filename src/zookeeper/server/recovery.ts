/**
 * What a server knows when it starts: the newest good snapshot and the log from there on. Read in
 * slices, so that a process that has other work goes on with it.
 */
import type { Clock } from '../../runtime/clock.ts'
import type { Disk, DiskFile } from '../../runtime/disk.ts'
import type { Logger } from '../../runtime/logger.ts'
import { UserError } from '../../runtime/service.ts'
import { WireError } from '../../wire/errors.ts'
import { judgeDamage } from './log-damage.ts'
import { LogReader, MORE } from './log-reader.ts'
import { readSnapshot } from './snapshot-reader.ts'
import type { Transaction } from './transactions.ts'
import { DataTree } from './tree.ts'

export interface RecoveryPorts {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
}

export interface DataDirectories {
  /** The version-2 directories: of dataDir and dataLogDir. */
  readonly snapshots: string
  readonly logs: string
}

export interface Recovered {
  readonly tree: DataTree
  /** Session id to timeout in milliseconds. */
  readonly sessions: Map<bigint, number>
  readonly lastZxid: bigint
  /** That of the snapshot; undefined where there was none. */
  readonly snapshotZxid: bigint | undefined
  /** How many transactions the log had beyond the snapshot. */
  readonly replayed: number
}

export interface NumberedFile {
  readonly path: string
  readonly zxid: bigint
}

/** Files called `<prefix>.<hex zxid>`, in order of zxid. @throws DiskError */
export function numberedFiles(disk: Disk, directory: string, prefix: string): NumberedFile[] {
  const files: NumberedFile[] = []
  for (const { name, kind } of disk.list(directory)) {
    const [head, hex, more] = name.split('.')
    if (kind !== 'file' || head !== prefix || more !== undefined) continue
    if (hex === undefined || !/^[0-9a-f]{1,16}$/.test(hex)) continue
    files.push({ path: `${directory}/${name}`, zxid: BigInt(`0x${hex}`) })
  }
  return files.sort((one, other) => Number(one.zxid > other.zxid) - Number(one.zxid < other.zxid))
}

/**
 * The logs that a snapshot needs: all that begin behind it, and the one before those, which may hold
 * transactions on either side.
 */
export function logsNeeded(logs: readonly NumberedFile[], snapshotZxid: bigint): NumberedFile[] {
  const last = logs.findLastIndex(({ zxid }) => zxid <= snapshotZxid)
  return logs.slice(Math.max(0, last))
}

/**
 * Reads everything. Cuts a torn tail off the last log, which a crash leaves and nobody was told of.
 * @throws DiskError, and UserError where the files cannot be made sense of.
 */
export async function recover(
  ports: RecoveryPorts,
  directories: DataDirectories,
): Promise<Recovered> {
  const { disk } = ports
  for (const { name, kind } of disk.list(directories.snapshots)) {
    const unfinished = kind === 'file' && /^snapshot\.[0-9a-f]+\.tmp$/.test(name)
    if (unfinished) disk.remove(`${directories.snapshots}/${name}`)
  }
  const newest = await newestSnapshot(ports, directories.snapshots)
  const all = numberedFiles(disk, directories.logs, 'log')
  const first = all[0]?.zxid ?? 1n
  if (newest === undefined && first > 1n) {
    throw new UserError(
      `${directories.snapshots} has no usable snapshot, and the transaction log begins at zxid ` +
        `0x${first.toString(16)}: what was before is missing`,
    )
  }
  const snapshotZxid = newest?.zxid
  checkContinuity(newest, all)
  const { tree: oldTree = new DataTree(), sessions: oldSessions = new Map() } = newest ?? {}
  const replay = new Replay(oldTree, oldSessions, snapshotZxid ?? 0n)
  const logs = logsNeeded(all, snapshotZxid ?? 0n)
  for (const [index, { path }] of logs.entries()) {
    const isLast = index === logs.length - 1
    await replayLog(ports, path, { replay, isLast })
  }
  const { tree, sessions, lastZxid, count } = replay
  for (const path of tree.limited.values()) tree.recount(path)
  return { tree, sessions, lastZxid, snapshotZxid, replayed: count }
}

/** Where the newest snapshot cannot be read, an older one helps only if the log goes on from there. */
function checkContinuity(
  used: { readonly zxid: bigint; readonly unreadable: string | undefined } | undefined,
  logs: readonly NumberedFile[],
): void {
  if (used?.unreadable === undefined) return
  const first = logsNeeded(logs, used.zxid)[0]
  if (first !== undefined && first.zxid <= used.zxid + 1n) return
  throw new UserError(
    `${used.unreadable} cannot be read, and no transaction log goes on from the snapshot before it ` +
      `(zxid 0x${used.zxid.toString(16)}): what was between is missing`,
  )
}

class Replay {
  readonly tree: DataTree
  readonly sessions: Map<bigint, number>
  lastZxid: bigint
  count = 0

  constructor(tree: DataTree, sessions: Map<bigint, number>, snapshotZxid: bigint) {
    this.tree = tree
    this.sessions = sessions
    this.lastZxid = snapshotZxid
  }

  take({ header, change }: Transaction): void {
    if (header.zxid <= this.lastZxid) return
    if (change.type === 'createSession') this.sessions.set(header.clientId, change.timeoutMs)
    if (change.type === 'closeSession') this.sessions.delete(header.clientId)
    this.tree.apply(header, change)
    this.lastZxid = header.zxid
    this.count += 1
  }
}

async function newestSnapshot({ disk, logger }: RecoveryPorts, directory: string) {
  let unreadable: string | undefined
  for (const { path, zxid } of numberedFiles(disk, directory, 'snapshot').reverse()) {
    const file = disk.open(path, 'read')
    try {
      const { tree, sessions } = await readSnapshot(file)
      const timeouts = new Map(sessions.map(({ id, timeoutMs }) => [id, timeoutMs]))
      return { tree, sessions: timeouts, zxid, unreadable }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      unreadable ??= path
      logger.warn(`problem reading snap file ${path}: ${error.message}`)
    } finally {
      file.close()
    }
  }
  return undefined
}

async function replayLog(
  ports: RecoveryPorts,
  path: string,
  { replay, isLast }: { readonly replay: Replay; readonly isLast: boolean },
): Promise<void> {
  const { clock, disk, logger } = ports
  const file = disk.open(path, isLast ? 'readWrite' : 'read')
  try {
    // A process that died, or whose sync failed, may have left bytes in the page cache only. Whoever is
    // told of them must find them again after a power loss.
    if (isLast) await file.sync()
    const reader = new LogReader(file)
    await readAll(ports, reader, { path, replay })
    if (reader.end === 'clean') return
    if (!isLast) throw damaged(path, reader.position)
    if (reader.end === 'damaged') {
      const damage = await judgeDamage(clock, file, reader.position)
      if (damage === 'changed') throw damaged(path, reader.position)
      return cutTail(file, reader.position, logger)
    }
  } finally {
    file.close()
  }
  logger.warn(`${path} holds nothing; removing it`)
  disk.remove(path)
  disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
}

function damaged(path: string, position: number): UserError {
  return new UserError(`${path} is damaged at byte ${position}; refusing to start`)
}

/** How long a slice may hold the loop. The clock is asked every so many transactions. */
const SLICE_MS = 5
const SLICE_TRANSACTIONS = 64

async function readAll(
  { clock }: RecoveryPorts,
  reader: LogReader,
  { path, replay }: { readonly path: string; readonly replay: Replay },
): Promise<void> {
  let began = clock.monotonicMs()
  let count = 0
  try {
    for (let one = reader.next(); one !== undefined; one = reader.next()) {
      if (one === MORE) {
        await reader.fill()
        began = clock.monotonicMs()
        continue
      }
      replay.take(one)
      count += 1
      if (count % SLICE_TRANSACTIONS !== 0 || clock.monotonicMs() - began < SLICE_MS) continue
      await new Promise<void>((resolve) => clock.atEndOfTurn(resolve))
      began = clock.monotonicMs()
    }
  } catch (error) {
    // Its sum is right, so it is not damaged, but it is nothing we know.
    if (error instanceof WireError) throw new UserError(`${path}: ${error.message}`)
    throw error
  }
}

function cutTail(file: DiskFile, position: number, logger: Logger): void {
  logger.warn(`${file.path}: cutting off what a crash left behind byte ${position}`)
  file.truncate(position)
  file.syncNow()
}
