/**
 * What clients were sent and have not taken. Each client's requests are answered only as far as it takes
 * its answers, and what all of them leave lying is bounded too: then those who have taken nothing for
 * longest go.
 */
import type { Clock } from '../../runtime/clock.ts'
import type { Connection } from '../../runtime/network.ts'

/** Of one connection, above which it is given up: what its watches had to tell counts, too. */
const CONNECTION_BYTES_MAX = 64 << 20
/** Of all together, above which a client gets one answer at a time. */
const SCARCE_BYTES = 64 << 20
/** Of all together, above which connections are given up. */
const TOTAL_BYTES_MAX = 256 << 20
/** Whoever owes no more than this is spared. */
const NOTABLE_BYTES = 64 << 10

export interface OutboxEvents {
  /** The client has taken something. */
  onTaken(): void
  /** It has taken all, after `isFull`. Never within a call of `send`. */
  onRoom(): void
  /** It takes too little; its connection must go. */
  onGivenUp(): void
}

/** All outboxes of a server. */
export class UnsentBytes {
  readonly clock: Clock
  private bytes = 0
  private readonly owing = new Set<Outbox>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  get total(): number {
    return this.bytes
  }

  get isScarce(): boolean {
    return this.bytes > SCARCE_BYTES
  }

  count(outbox: Outbox, change: number): void {
    this.bytes += change
    if (outbox.unsent > NOTABLE_BYTES) this.owing.add(outbox)
    else this.owing.delete(outbox)
  }

  /** Gives up whom it must; the asker itself where no other owes much. */
  makeRoom(asker: Outbox): void {
    while (this.bytes > TOTAL_BYTES_MAX && asker.unsent > 0) {
      let slowest = asker
      for (const one of this.owing) if (one.takenAt < slowest.takenAt) slowest = one
      slowest.giveUp()
    }
  }
}

export class Outbox {
  /** No further request should be answered for now. */
  isFull = false
  /** Bytes that the client has not taken. */
  unsent = 0
  /** When it last took something or had nothing to take; monotonic. */
  takenAt = 0
  private isClosed = false
  private readonly connection: Connection
  private readonly all: UnsentBytes
  private readonly events: OutboxEvents

  constructor(connection: Connection, all: UnsentBytes, events: OutboxEvents) {
    this.connection = connection
    this.all = all
    this.events = events
  }

  /** The bytes must not change any more. */
  send(bytes: Buffer): void {
    if (this.isClosed) return
    if (this.unsent === 0) this.takenAt = this.all.clock.monotonicMs()
    const goesOn = this.connection.write(bytes, this.onSent)
    if (!goesOn || this.all.isScarce) this.isFull = true
    this.measure()
    if (this.unsent > CONNECTION_BYTES_MAX) this.giveUp()
    else this.all.makeRoom(this)
  }

  /** Nothing is sent from now on. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    const { unsent } = this
    this.unsent = 0
    this.all.count(this, -unsent)
  }

  giveUp(): void {
    this.close()
    this.events.onGivenUp()
  }

  private measure(): void {
    const before = this.unsent
    this.unsent = this.connection.pendingBytes
    this.all.count(this, this.unsent - before)
  }

  private readonly onSent = (): void => {
    if (this.isClosed) return
    this.measure()
    this.takenAt = this.all.clock.monotonicMs()
    this.events.onTaken()
    if (!this.isFull || this.unsent > 0) return
    // In a turn of its own, so that all connections take their turns.
    this.all.clock.atEndOfTurn(() => {
      if (this.isClosed || !this.isFull || this.unsent > 0) return
      this.isFull = false
      this.events.onRoom()
    })
  }
}
