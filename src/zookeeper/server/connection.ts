/** One client's connection: the handshake that gives it a session, then requests in order. */
import type { ByteBudget } from '../../runtime/byte-budget.ts'
import type { Timer } from '../../runtime/clock.ts'
import { type FrameProblem, Framing } from '../../runtime/framing.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Connection } from '../../runtime/network.ts'
import { WireError } from '../../wire/errors.ts'
import { Reader } from '../../wire/reader.ts'
import { errorCodes } from '../protocol/errors.ts'
import {
  eventTypes,
  opcodes,
  operationNames,
  permissions,
  reservedXids,
} from '../protocol/opcodes.ts'
import {
  connectResponsePacket,
  dataReplyPieces,
  eventPacket,
  replyPacket,
} from '../protocol/packets.ts'
import { AuthPacket, ConnectRequest, take } from '../protocol/records.ts'
import { allowed, digestId, type Identity, SUPER } from './access.ts'
import { ConnectionStatistics } from './connection-statistics.ts'
import { Flow, type Shared } from './flow.ts'
import { fourLetterAnswer } from './four-letter-words.ts'
import type { Origin, RequestProcessor } from './processors.ts'
import type { Answer, View } from './reads.ts'
import { type Job, parseRequest, type ReadJob, type WriteJob } from './requests.ts'
import { type ConnectionView, countAnswer, type Counters, type ServerView } from './server-view.ts'
import { type Session, sessionPassword } from './sessions.ts'
import type { CoordinationSettings } from './settings.ts'
import type { TreeEvent } from './tree.ts'

/** What a connection needs of its server. */
export interface ConnectionHost extends Shared {
  readonly logger: Logger
  readonly settings: CoordinationSettings
  readonly budget: ByteBudget
  readonly processor: RequestProcessor<ServerConnection>
  readonly counters: Counters
  view(): ServerView
  newSessionId(): bigint
  /** Makes the connection the one of its session; another one that had it is closed. */
  adopt(session: bigint, connection: ServerConnection): void
  forget(connection: ServerConnection): void
  /** The session's end was put off. */
  touched(): void
}

/** A connection that has not asked for a session after this long is closed. */
const SESSIONLESS_MS = 10_000
/** A packet that was begun and does not end is given up after this long. */
const SLOW_PACKET_MS = 30_000
export class ServerConnection implements ConnectionView {
  /** 0 until it is known. */
  sessionId = 0n
  private session: Session | undefined
  private readonly host: ConnectionHost
  private readonly connection: Connection
  private readonly framing: Framing
  private readonly flow: Flow
  private readonly identities: Identity[]
  private sessionlessTimer: Timer | undefined
  private isClosed = false
  /** The last answer is on its way, or the connection gone: nothing more is heard or said. */
  private isEnding = false
  private writesUnanswered = 0
  timeoutMs = 0
  readonly statistics = new ConnectionStatistics()
  readonly establishedAt: number
  private readonly openedAt: number

  constructor(host: ConnectionHost, connection: Connection) {
    this.host = host
    this.connection = connection
    this.establishedAt = host.clock.now()
    this.openedAt = host.clock.monotonicMs()
    this.identities = [{ scheme: 'ip', id: connection.remoteAddress }]
    this.sessionlessTimer = host.clock.schedule(SESSIONLESS_MS, () => {
      host.counters.sessionlessExpired += 1
      this.destroy()
    })
    const settings = { limitBytes: host.settings.packetBytesMax, slowFrameMs: SLOW_PACKET_MS }
    this.framing = new Framing(connection, host, settings, {
      onFrame: (buffer, start, end) => this.onFrame(new Reader(buffer, start, end)),
      onBroken: (problem) => this.onBroken(problem),
      onClose: () => this.onClose(),
    })
    this.flow = new Flow(host, connection, this.framing, {
      onAlive: () => this.touch(),
      onGivenUp: () => {
        this.warn('does not take what it is sent; closing')
        this.destroy()
      },
    })
  }

  get address(): string {
    return this.connection.remoteAddress
  }

  get port(): number {
    return this.connection.remotePort
  }

  get queued(): number {
    return this.flow.unanswered
  }

  get expiresAt(): number {
    return this.session?.expiresAt ?? this.openedAt + SESSIONLESS_MS
  }

  /** Who may not read a node hears nothing of it. */
  notify(event: TreeEvent): void {
    if (!allowed(event.acl, permissions.read, this.identities)) return
    this.send(eventPacket(eventTypes[event.type], event.path))
  }

  /** Sends what is pending, then closes. */
  end(): void {
    if (this.isEnding) return
    this.isEnding = true
    this.connection.end()
  }

  destroy(): void {
    if (this.isClosed) return
    this.isEnding = true
    this.flow.close()
    this.framing.destroy()
  }

  /** One packet, in pieces. */
  private send(...pieces: readonly Buffer[]): number {
    if (this.isEnding) return 0
    const { counters } = this.host
    let bytes = 0
    for (const piece of pieces) {
      bytes += piece.length
      this.flow.send(piece)
    }
    this.statistics.sent += 1
    counters.sent += 1
    counters.sentBytes += bytes
    return bytes
  }

  private countReceived(bytes: number): void {
    const { counters } = this.host
    this.statistics.received += 1
    counters.received += 1
    counters.receivedBytes += bytes
  }

  private warn(message: string): void {
    const { remoteAddress, remotePort } = this.connection
    const session = BigInt.asUintN(64, this.sessionId).toString(16)
    this.host.logger.warn(`/${remoteAddress}:${remotePort} session 0x${session} ${message}`)
  }

  /** Its client is alive. */
  touch(): void {
    const { clock, processor } = this.host
    if (this.session !== undefined) processor.sessions.touch(this.session, clock.monotonicMs())
  }

  private onFrame(reader: Reader): void {
    if (this.isEnding) return
    this.countReceived(reader.remaining)
    try {
      if (this.session === undefined) this.connect(reader)
      else this.request(reader, this.session)
      // What is kept of a request was copied.
      this.framing.dropFrame()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.warn(`sent what makes no sense: ${error.message}`)
      this.destroy()
    }
  }

  private onBroken(problem: FrameProblem): void {
    const isWord = this.session === undefined && problem.kind !== 'slow'
    if (isWord) this.countReceived(4)
    const answer = isWord ? fourLetterAnswer(problem.sizeBytes, () => this.host.view()) : undefined
    if (answer !== undefined) {
      this.connection.write(Buffer.from(answer))
      this.host.counters.sent += 1
      return
    }
    this.host.counters.largeRequests += problem.kind === 'oversize' ? 1 : 0
    this.warn(`${problem.kind} packet of ${problem.sizeBytes} bytes`)
  }

  private onClose(): void {
    this.isClosed = true
    this.isEnding = true
    this.flow.close()
    this.sessionlessTimer?.cancel()
    this.host.processor.watches.removeWatcher(this)
    this.host.forget(this)
  }

  // The handshake

  private connect(reader: Reader): void {
    const { lastZxidSeen, timeOut, sessionId, passwd } = take(reader, ConnectRequest)
    // Clients before 3.4 end here.
    const knowsReadOnly = reader.remaining > 0
    const { settings, processor, counters } = this.host
    counters.connections += 1
    if (lastZxidSeen > processor.lastZxid) {
      this.warn(`has seen zxid 0x${lastZxidSeen.toString(16)}, which we do not have`)
      return this.destroy()
    }
    const least = Math.max(timeOut, settings.sessionTimeoutMsMin)
    const timeoutMs = Math.min(least, settings.sessionTimeoutMsMax)
    if (sessionId !== 0n) return this.reconnect(sessionId, passwd, timeoutMs, knowsReadOnly)
    // No request is read before the session is there.
    this.flow.block()
    const origin = { session: this.host.newSessionId(), identities: [], cxid: 0 }
    processor.write(
      origin,
      () => ({ type: 'createSession', timeoutMs }),
      () => this.established(origin.session, timeoutMs, knowsReadOnly),
    )
  }

  private reconnect(
    id: bigint,
    password: Buffer | null,
    timeoutMs: number,
    knowsReadOnly: boolean,
  ): void {
    const { sessions } = this.host.processor
    const session = sessions.get(id)
    const isTheirs = password !== null && sessionPassword(id).equals(password)
    if (session === undefined || session.closing || !isTheirs) {
      const nothing = { timeOut: 0, sessionId: 0n, passwd: Buffer.alloc(16) }
      this.send(connectResponsePacket(nothing, knowsReadOnly ? false : undefined))
      return this.end()
    }
    session.timeoutMs = timeoutMs
    sessions.touch(session, this.host.clock.monotonicMs())
    this.established(id, timeoutMs, knowsReadOnly)
  }

  private established(id: bigint, timeoutMs: number, knowsReadOnly: boolean): void {
    const session = this.host.processor.sessions.get(id)
    this.host.touched()
    if (this.isEnding || session === undefined) return
    this.session = session
    this.sessionId = id
    this.timeoutMs = timeoutMs
    this.sessionlessTimer?.cancel()
    this.host.adopt(id, this)
    const response = { timeOut: timeoutMs, sessionId: id, passwd: sessionPassword(id) }
    this.send(connectResponsePacket(response, knowsReadOnly ? false : undefined))
    this.flow.unblock()
  }

  // Requests

  private request(reader: Reader, session: Session): void {
    const xid = reader.int32()
    const type = reader.int32()
    const { clock, processor } = this.host
    const ask: Ask = { xid, type, began: clock.monotonicMs(), bytes: reader.remaining }
    processor.sessions.touch(session, ask.began)
    this.flow.heard(ask.began)
    if (type === opcodes.ping) return this.reply(ask, OK)
    if (type === opcodes.auth) return this.authenticate(reader, ask)
    if (session.closing) return this.reply(ask, { err: errorCodes.SESSIONEXPIRED })
    if (type === opcodes.closeSession) return this.closeSession(ask, session)
    const job = this.parse(reader, ask)
    if (job === undefined) return
    if (job.kind === 'write') this.write(ask, job)
    else this.read(ask, job)
  }

  /** Undefined for what cannot be done, which is answered, as the original does it. */
  private parse(reader: Reader, ask: Ask): Job<ServerConnection> | undefined {
    try {
      const job = parseRequest<ServerConnection>(ask.type, reader)
      if (job !== undefined) return job
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.reply(ask, { err: errorCodes.MARSHALLINGERROR })
      return undefined
    }
    this.warn(`asks for the unknown operation ${ask.type}`)
    this.reply(ask, { err: errorCodes.UNIMPLEMENTED }, -1n)
    this.end()
    return undefined
  }

  private origin(xid: number): Origin {
    return { session: this.sessionId, identities: this.identities, cxid: xid }
  }

  private read(ask: Ask, job: ReadJob<ServerConnection>): void {
    const { processor } = this.host
    // A client sees its own writes, so its reads wait for those before them.
    if (!job.afterAll && this.writesUnanswered === 0) {
      return this.reply(ask, job.run(this.view(ask.xid)))
    }
    this.flow.begin(ask.bytes)
    processor.inOrder(() => {
      this.flow.through(ask.bytes)
      if (!this.isEnding) this.reply(ask, job.run(this.view(ask.xid)))
      this.flow.relieve()
    })
  }

  private view(xid: number): View<ServerConnection> {
    const { tree, watches } = this.host.processor
    return { tree, watches, watcher: this, asker: this.origin(xid), tell: this.tell }
  }

  private readonly tell = (event: TreeEvent): void => this.notify(event)

  private write(ask: Ask, job: WriteJob): void {
    const origin = this.origin(ask.xid)
    this.flow.begin(ask.bytes)
    this.writesUnanswered += 1
    this.host.processor.write(
      origin,
      (preparer, zxid) => job.prepare(preparer, origin, zxid),
      (outcome) => {
        this.flow.through(ask.bytes)
        this.writesUnanswered -= 1
        this.reply(ask, job.answer(outcome), outcome.zxid)
        this.flow.relieve()
      },
      job.needsStats,
    )
  }

  private reply({ xid, type, began }: Ask, answer: Answer, zxid?: bigint): void {
    if (this.isEnding) return
    const { processor, clock, counters } = this.host
    const { err, body, long } = answer
    const shownZxid = zxid ?? processor.lastZxid
    const header = { xid, zxid: shownZxid, err }
    const bytes =
      long === undefined
        ? this.send(replyPacket(header, err === 0 ? body : undefined))
        : this.send(...dataReplyPieces(header, long))
    const now = clock.monotonicMs()
    const latencyMs = now - began
    countAnswer(counters, bytes, latencyMs)
    const operation = operationNames.get(type) ?? 'NA'
    this.statistics.answered({ operation, xid, zxid: shownZxid, now, latencyMs })
  }

  private closeSession(ask: Ask, session: Session): void {
    const { processor } = this.host
    processor.sessions.setClosing(session)
    this.flow.begin(ask.bytes)
    processor.write(
      this.origin(ask.xid),
      (preparer, zxid) => preparer.closeSession(session.id, zxid),
      ({ zxid }) => {
        this.flow.through(ask.bytes)
        this.reply(ask, OK, zxid)
        this.end()
      },
    )
  }

  private authenticate(reader: Reader, asked: Ask): void {
    const { scheme, auth } = take(reader, AuthPacket)
    const ask = { ...asked, xid: reservedXids.auth }
    if (scheme === 'ip') return this.reply(ask, OK, 0n)
    if (scheme !== 'digest' || auth === null) {
      this.warn(`asks for the authentication scheme ${scheme ?? ''}, which is not known here`)
      this.host.counters.refusedCredentials += 1
      this.reply(ask, { err: errorCodes.AUTHFAILED }, 0n)
      return this.end()
    }
    const id = digestId(auth)
    if (id === this.host.settings.superDigest.reveal()) this.identities.push(SUPER)
    const isKnown = this.identities.some((one) => one.scheme === 'digest' && one.id === id)
    if (!isKnown) this.identities.push({ scheme: 'digest', id })
    this.reply(ask, OK, 0n)
  }
}

/** A request: its number, its type, when it came, and its length. */
interface Ask {
  readonly xid: number
  readonly type: number
  readonly began: number
  readonly bytes: number
}

const OK: Answer = { err: errorCodes.OK }
