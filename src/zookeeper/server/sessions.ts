// Pure.
// Which sessions there are and when they expire: in buckets of one tick, as in the original, so that
// a touch costs two set operations and a tick costs only what expires.

export interface Session {
  readonly id: bigint
  timeoutMs: number
  /** End of the tick in which it expires unless it is touched. */
  expiresAt: number
  /** Its end is decided; it takes no more requests. */
  closing: boolean
}

export class SessionTable {
  private readonly sessions = new Map<bigint, Session>()
  private readonly buckets = new Map<number, Set<Session>>()
  private readonly tickMs: number

  constructor(tickMs: number) {
    this.tickMs = tickMs
  }

  get size(): number {
    return this.sessions.size
  }

  get(id: bigint): Session | undefined {
    return this.sessions.get(id)
  }

  values(): IterableIterator<Session> {
    return this.sessions.values()
  }

  /** Adds a session, or gives a known one a new timeout. `now` is monotonic. */
  add(id: bigint, timeoutMs: number, now: number): Session {
    const known = this.sessions.get(id)
    if (known !== undefined) {
      known.timeoutMs = timeoutMs
      this.touch(known, now)
      return known
    }
    const session = { id, timeoutMs, expiresAt: this.roundUp(now + timeoutMs), closing: false }
    this.sessions.set(id, session)
    this.bucket(session.expiresAt).add(session)
    return session
  }

  remove(id: bigint): void {
    const session = this.sessions.get(id)
    if (session === undefined) return
    this.sessions.delete(id)
    this.leaveBucket(session)
  }

  /** Puts the session's end off to its timeout from now. */
  touch(session: Session, now: number): void {
    const expiresAt = this.roundUp(now + session.timeoutMs)
    if (expiresAt === session.expiresAt || session.closing) return
    this.leaveBucket(session)
    session.expiresAt = expiresAt
    this.bucket(expiresAt).add(session)
  }

  /** Takes the session out of the clock's reach: its end is under way. */
  setClosing(session: Session): void {
    session.closing = true
    this.leaveBucket(session)
  }

  /** The sessions whose time is up; they are closing then. */
  expire(now: number): Session[] {
    const expired: Session[] = []
    for (const [end, sessions] of this.buckets) {
      if (end > now) continue
      for (const session of sessions) {
        session.closing = true
        expired.push(session)
      }
      this.buckets.delete(end)
    }
    return expired
  }

  /** When to call `expire` next; undefined with no session to expire. */
  nextExpiry(): number | undefined {
    let next: number | undefined
    for (const end of this.buckets.keys()) if (next === undefined || end < next) next = end
    return next
  }

  private roundUp(time: number): number {
    return (Math.floor(time / this.tickMs) + 1) * this.tickMs
  }

  private bucket(end: number): Set<Session> {
    let bucket = this.buckets.get(end)
    if (bucket === undefined) {
      bucket = new Set()
      this.buckets.set(end, bucket)
    }
    return bucket
  }

  private leaveBucket(session: Session): void {
    const bucket = this.buckets.get(session.expiresAt)
    bucket?.delete(session)
    if (bucket?.size === 0) this.buckets.delete(session.expiresAt)
  }
}

const SUPER_SECRET = 0xb3415c00n
const MULTIPLIER = 0x5deece66dn
const MASK = (1n << 48n) - 1n

/**
 * The password of a session: derived from its id as in the original (the first 16 bytes of
 * java.util.Random seeded with it), so that sessions outlive a move of the data directory either way.
 * It guards against mistakes, not against attackers.
 */
export function sessionPassword(id: bigint): Buffer {
  const password = Buffer.alloc(16)
  let seed = (BigInt.asUintN(64, id ^ SUPER_SECRET) ^ MULTIPLIER) & MASK
  for (let at = 0; at < 16; at += 4) {
    seed = (seed * MULTIPLIER + 0xbn) & MASK
    password.writeUInt32LE(Number(seed >> 16n), at)
  }
  return password
}

/** The first session id of a server: its number in the top byte, then the time, then a counter. */
export function firstSessionId(now: number, serverId: bigint): bigint {
  const time = BigInt.asUintN(40, BigInt(now)) << 16n
  return BigInt.asIntN(64, (serverId << 56n) | time)
}
