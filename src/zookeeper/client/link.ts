/**
 * One connection to one server: handshake, then requests in order and their answers. It ends once,
 * with every request that has no answer failed; whoever wants another makes a new one.
 */
import { ByteBudget } from '../../runtime/byte-budget.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import { Framing } from '../../runtime/framing.ts'
import type { Connection } from '../../runtime/network.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import type { InputOf, TypeOf } from '../../wire/schema.ts'
import type { Writer } from '../../wire/writer.ts'
import { errorCodes } from '../protocol/errors.ts'
import { opcodes, reservedXids } from '../protocol/opcodes.ts'
import { connectRequestPacket, requestPacket } from '../protocol/packets.ts'
import { type ConnectRequest, ConnectResponse } from '../protocol/records.ts'
import { ReplyHeader, take, WatcherEvent } from '../protocol/records.ts'
import { connectionLoss, ZooKeeperError } from './client.ts'

/** Children lists of large parents are more than the megabyte a server would take. */
const ANSWER_BYTES_MAX = 64 << 20
const SLOW_ANSWER_MS = 60_000

export interface LinkEvents {
  onSession(response: TypeOf<typeof ConnectResponse>): void
  onEvent(event: TypeOf<typeof WatcherEvent>): void
  /** The server has seen us: `sentAt` is when what it answered was sent. `zxid` is its state then. */
  onContact(sentAt: number, zxid: bigint): void
  /** Once; the reason in words. */
  onEnd(reason: string): void
}

interface Pending {
  readonly xid: number
  readonly path: string | null
  readonly sentAt: number
  answer(reader: Reader): void
  fail(error: ZooKeeperError): void
}

export class ServerLink {
  lastSentAt: number
  private readonly clock: Clock
  private readonly connection: Connection
  private readonly framing: Framing
  private readonly events: LinkEvents
  private readonly pending: Pending[] = []
  private pendingStart = 0
  private nextXid = 1
  private connectSentAt: number
  private pingSentAt: number | undefined
  private hasSession = false
  private isEnded = false
  private readonly handshakeTimer: Timer

  constructor(
    clock: Clock,
    connection: Connection,
    { handshakeMs }: { readonly handshakeMs: number },
    events: LinkEvents,
  ) {
    this.clock = clock
    this.connection = connection
    this.events = events
    this.lastSentAt = clock.monotonicMs()
    this.connectSentAt = this.lastSentAt
    this.handshakeTimer = clock.schedule(handshakeMs, () => {
      if (!this.hasSession) this.end('no answer to the connect request')
    })
    const budget = new ByteBudget(Infinity)
    const settings = { limitBytes: ANSWER_BYTES_MAX, slowFrameMs: SLOW_ANSWER_MS }
    this.framing = new Framing(connection, { clock, budget }, settings, {
      onFrame: (buffer, start, end) => this.onFrame(new Reader(buffer, start, end)),
      onBroken: (problem) => this.end(`${problem.kind} packet of ${problem.sizeBytes} bytes`),
      onClose: (error) => this.end(error?.message ?? 'the server closed the connection'),
    })
  }

  connect(request: InputOf<typeof ConnectRequest>): void {
    this.connectSentAt = this.clock.monotonicMs()
    this.send(connectRequestPacket(request, false))
  }

  /** Resolves to what `parse` makes of the answer's body. @throws ZooKeeperError */
  request<T>(
    type: number,
    { path, body }: { readonly path: string | null; readonly body?: (writer: Writer) => void },
    parse: (reader: Reader) => T,
    onRefused?: (code: number) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isEnded) {
        reject(connectionLoss(path))
        return
      }
      const xid = this.nextXid
      this.nextXid = xid === 0x7fffffff ? 1 : xid + 1
      this.pending.push({
        xid,
        path,
        sentAt: this.clock.monotonicMs(),
        answer: (reader) => resolve(parse(reader)),
        fail: (error) => {
          onRefused?.(error.code)
          reject(error)
        },
      })
      this.send(requestPacket(xid, type, body))
    })
  }

  /** For what has an answer nobody waits for: auth, setWatches. */
  tell(xid: number, type: number, body: (writer: Writer) => void): void {
    if (!this.isEnded) this.send(requestPacket(xid, type, body))
  }

  ping(): void {
    if (this.isEnded) return
    this.pingSentAt ??= this.clock.monotonicMs()
    this.send(requestPacket(reservedXids.ping, opcodes.ping))
  }

  private send(packet: Buffer): void {
    this.lastSentAt = this.clock.monotonicMs()
    this.connection.write(packet)
  }

  /** Ends the connection: what was sent and not answered fails with CONNECTIONLOSS. */
  end(reason: string): void {
    if (this.isEnded) return
    this.isEnded = true
    this.handshakeTimer.cancel()
    this.framing.destroy()
    this.events.onEnd(reason)
    for (const one of this.pending.splice(0).slice(this.pendingStart)) {
      one.fail(connectionLoss(one.path, reason))
    }
  }

  private onFrame(reader: Reader): void {
    if (this.isEnded) return
    try {
      if (this.hasSession) this.onReply(reader)
      else this.onConnectResponse(reader)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.end(`an answer makes no sense: ${error.message}`)
    }
  }

  private onConnectResponse(reader: Reader): void {
    const response = take(reader, ConnectResponse)
    this.hasSession = true
    this.handshakeTimer.cancel()
    this.events.onContact(this.connectSentAt, 0n)
    this.events.onSession({ ...response, passwd: Buffer.from(response.passwd ?? []) })
  }

  private onReply(reader: Reader): void {
    const { xid, zxid, err } = take(reader, ReplyHeader)
    if (xid === reservedXids.notification) {
      this.events.onEvent(take(reader, WatcherEvent))
      return
    }
    if (xid === reservedXids.ping) {
      const sentAt = this.pingSentAt
      this.pingSentAt = undefined
      if (sentAt !== undefined) this.events.onContact(sentAt, zxid)
      return
    }
    if (xid === reservedXids.auth || xid === reservedXids.setWatches) {
      if (err === errorCodes.AUTHFAILED) this.end('the server refused our credentials')
      return
    }
    const head = this.pending[this.pendingStart]
    if (head === undefined || head.xid !== xid) {
      this.end(`answer ${xid} where ${head?.xid ?? 'none'} was due`)
      return
    }
    this.forgetHead()
    this.events.onContact(head.sentAt, zxid)
    this.settle(head, err, reader)
  }

  private settle(head: Pending, err: number, reader: Reader): void {
    if (err !== errorCodes.OK) {
      head.fail(new ZooKeeperError(err, head.path))
      return
    }
    try {
      head.answer(reader)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      head.fail(new ZooKeeperError(errorCodes.MARSHALLINGERROR, head.path, error.message))
    }
  }

  private forgetHead(): void {
    this.pendingStart += 1
    if (this.pendingStart < 1000 || this.pendingStart * 2 < this.pending.length) return
    this.pending.splice(0, this.pendingStart)
    this.pendingStart = 0
  }
}
