/**
 * Lock files without native code. Java (Kafka's `.lock`) takes a POSIX record lock, which Node cannot.
 * So on Linux the lock is a socket in the abstract name space, named after the file's device and inode:
 * the kernel grants it to one process, at once, and frees it when that process dies; no stale state.
 * Before it, /proc/locks tells whether a Java process holds its kind of lock on the same file.
 *
 * What this cannot do: keep a Java process that starts later from locking the same file, or see a
 * holder in another network namespace (two containers on one volume). Brokers are guarded there by
 * their registration under /brokers/ids. Elsewhere than on Linux the file names its holder's process.
 */
import fs from 'node:fs'
import net from 'node:net'
import { DiskError } from '../runtime/disk.ts'
import type { DiskLock } from '../runtime/disk.ts'

const heldHere = new Set<string>()

/** @throws DiskError ELOCKED, or the system's code where the file cannot be made. */
export function lockFile(path: string): DiskLock {
  const file = identify(path)
  const { key } = file
  if (heldHere.has(key)) throw new DiskError('ELOCKED', 'lock', path)
  const holder = process.platform === 'linux' ? holdSocket(path, file) : holdFile(path)
  heldHere.add(key)
  let released = false
  return {
    release() {
      if (released) return
      released = true
      heldHere.delete(key)
      holder.free()
    },
  }
}

interface Holder {
  free(): void
}

interface LockFile {
  readonly key: string
  readonly inode: number
  readonly device: number
  /** It was made just now, so that nobody can have locked it. */
  readonly isNew: boolean
}

function identify(path: string): LockFile {
  try {
    const isNew = !fs.existsSync(path)
    const descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o640)
    try {
      const { dev, ino } = fs.fstatSync(descriptor)
      return { key: `${dev}-${ino}`, inode: ino, device: dev, isNew }
    } finally {
      fs.closeSync(descriptor)
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    throw new DiskError(code, 'lock', path, { cause: error })
  }
}

function holdSocket(path: string, { key, inode, device, isNew }: LockFile): Holder {
  // Reading the table takes the kernel some 15 ms.
  const recordLockHolder = isNew ? undefined : findRecordLock(path, inode, device)
  if (recordLockHolder !== undefined) {
    throw new DiskError('ELOCKED', `lock (held by process ${recordLockHolder})`, path)
  }
  // Nobody has business on this socket.
  const server = net.createServer((socket) => socket.destroy())
  let failure: Error | undefined
  server.on('error', (error) => {
    failure = error
  })
  // For a local name, binding happens within this call; only the error event comes later.
  server.listen({ path: `\0millrace-lock-${key}`, exclusive: true })
  if (!server.listening) throw new DiskError('ELOCKED', 'lock', path, { cause: failure })
  server.unref()
  return { free: () => server.close() }
}

/**
 * The process that holds a POSIX record lock on the file, by /proc/locks. A line there reads
 * `1: POSIX  ADVISORY  WRITE 4711 fe:01:1234 0 EOF`: process, then device and inode. Some file systems
 * show another device there than to stat; then the process's open files decide.
 */
function findRecordLock(path: string, inode: number, device: number): number | undefined {
  let table: string
  try {
    table = fs.readFileSync('/proc/locks', 'latin1')
  } catch {
    // No such table in this container: nothing can be told, and the socket still guards our own.
    return undefined
  }
  const major = Math.floor(device / 256) % 4096
  const minor = (device % 256) + Math.floor(device / 2 ** 20) * 256
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (fields[1] !== 'POSIX' && fields[1] !== 'OFDLCK') continue
    const [lockMajor, lockMinor, lockInode] = (fields[5] ?? '').split(':')
    if (Number(lockInode) !== inode) continue
    const sameDevice =
      Number.parseInt(lockMajor ?? '', 16) === major &&
      Number.parseInt(lockMinor ?? '', 16) === minor
    const holder = Number(fields[4])
    if (holder !== process.pid && (sameDevice || hasOpen(holder, path))) return holder
  }
  return undefined
}

function hasOpen(processId: number, path: string): boolean {
  try {
    const wanted = fs.realpathSync(path)
    const directory = `/proc/${processId}/fd`
    return fs
      .readdirSync(directory)
      .some((name) => fs.readlinkSync(`${directory}/${name}`) === wanted)
  } catch {
    // Another user's process, or one that just ended: not provable, so not held.
    return false
  }
}

/** For systems without an abstract name space: the file says which process holds it. Best effort. */
function holdFile(path: string): Holder {
  const holder = Number.parseInt(fs.readFileSync(path, 'latin1'), 10)
  if (Number.isInteger(holder) && holder !== process.pid && isAlive(holder)) {
    throw new DiskError('ELOCKED', `lock (held by process ${holder})`, path)
  }
  fs.writeFileSync(path, `${process.pid}\n`)
  return { free: () => fs.writeFileSync(path, '') }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
