/**
 * When a client is heard: not while it leaves its answers lying, not while it has a request under way
 * and all clients together have too many, and not where it has had more than its share of a turn.
 */
import type { Clock } from '../../runtime/clock.ts'
import type { Framing } from '../../runtime/framing.ts'
import type { Connection } from '../../runtime/network.ts'
import type { TurnSlice } from './turn.ts'
import type { RequestsUnderWay } from './under-way.ts'
import { Outbox, type UnsentBytes } from './unsent.ts'

/** What all connections of a server share. */
export interface Shared {
  readonly clock: Clock
  readonly unsent: UnsentBytes
  readonly underWay: RequestsUnderWay
  readonly slice: TurnSlice
}

export interface FlowEvents {
  /** A client that is held has taken an answer, or been given one: it may well be alive. */
  onAlive(): void
  /** It takes too little; its connection must go. */
  onGivenUp(): void
}

export class Flow {
  /** Requests under way. */
  unanswered = 0
  private readonly shared: Shared
  private readonly framing: Pick<Framing, 'hold' | 'release'>
  private readonly events: FlowEvents
  private readonly outbox: Outbox
  private isHeld = false
  /** Nothing may be heard until something is done. */
  private isBlocked = false
  private isClosed = false

  constructor(
    shared: Shared,
    connection: Connection,
    framing: Pick<Framing, 'hold' | 'release'>,
    events: FlowEvents,
  ) {
    this.shared = shared
    this.framing = framing
    this.events = events
    this.outbox = new Outbox(connection, shared.unsent, {
      onTaken: () => this.keepAlive(),
      onRoom: () => this.relieve(),
      onGivenUp: () => events.onGivenUp(),
    })
  }

  send(bytes: Buffer): void {
    this.outbox.send(bytes)
    if (this.outbox.isFull) this.hold()
  }

  /** Hears nothing until `unblock`. */
  block(): void {
    this.isBlocked = true
    this.hold()
  }

  unblock(): void {
    this.isBlocked = false
    this.relieve()
  }

  /** A request has come. `now` is monotonic. */
  heard(now: number): void {
    if (!this.shared.slice.isOver(now)) return
    this.hold()
    this.shared.clock.schedule(0, () => this.relieve())
  }

  /** A request of so many bytes waits for the disk, or for those before it. */
  begin(bytes: number): void {
    const { underWay } = this.shared
    this.unanswered += 1
    underWay.begin(bytes)
    if (underWay.isFull) this.hold()
  }

  /** It is through. Once it is answered, `relieve` should follow. */
  through(bytes: number): void {
    this.unanswered -= 1
    this.shared.underWay.end(bytes)
    this.keepAlive()
  }

  relieve(): void {
    if (!this.isHeld || this.isBlocked || this.isClosed || this.outbox.isFull) return
    if (this.unanswered > 0 && !this.shared.underWay.hasRoom) return
    this.isHeld = false
    this.framing.release()
  }

  close(): void {
    this.isClosed = true
    this.outbox.close()
  }

  private hold(): void {
    this.isHeld = true
    this.framing.hold()
  }

  private keepAlive(): void {
    if (this.isHeld && !this.isClosed) this.events.onAlive()
  }
}
