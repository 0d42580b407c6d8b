/**
 * A session's life: connections one after another, heartbeat, and what we may believe of it; see
 * client.ts for what it promises.
 */
import { type Clock, delay, type Timer } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Ports } from '../../runtime/service.ts'
import type { TypeOf } from '../../wire/schema.ts'
import { errorCodes } from '../protocol/errors.ts'
import { eventTypes, opcodes, reservedXids } from '../protocol/opcodes.ts'
import { recordBody } from '../protocol/packets.ts'
import * as records from '../protocol/records.ts'
import {
  connectionLoss,
  type SessionEvent,
  type SessionState,
  type WatchEvent,
  ZooKeeperError,
} from './client.ts'
import {
  addressText,
  type ConnectString,
  parseConnectString,
  type ServerAddress,
} from './connect-string.ts'
import { ServerLink } from './link.ts'
import { ClientWatches } from './watches.ts'

export interface ZooKeeperSessionSettings {
  /** `host1:port1,host2:port2/chroot`. */
  readonly connect: string
  /** What is asked for; the server bounds it by its ticks. */
  readonly sessionTimeoutMs: number
  /** How long `start` tries. */
  readonly connectTimeoutMs: number
}

export type SessionPorts = Pick<Ports, 'clock' | 'network' | 'random' | 'logger'>

const BACKOFF_MS_MIN = 50
const BACKOFF_MS_MAX = 1000

interface Waiter {
  resolve(): void
  reject(error: ZooKeeperError): void
}

/** What holds a session alive, over any number of connections. */
export class SessionLife {
  sessionId = 0n
  sessionTimeoutMs: number
  state: SessionState = 'connecting'
  private readonly ports: SessionPorts
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly settings: ZooKeeperSessionSettings
  protected readonly connectString: ConnectString
  private password: Buffer = Buffer.alloc(16)
  protected link: ServerLink | undefined
  protected readonly watches = new ClientWatches()
  private readonly listeners = new Set<(event: SessionEvent) => void>()
  protected readonly credentials: { readonly scheme: string; readonly auth: Uint8Array }[] = []
  private lastZxid = 0n
  /** When we sent the latest of what the server answered: it counts our session from then or later. */
  private contactAt = 0
  private isLost = false
  private lostTimer: Timer | undefined
  private pingTimer: Timer | undefined
  private waiting: Waiter[] = []

  /** @throws RangeError for a connect string that is none. */
  constructor(ports: SessionPorts, settings: ZooKeeperSessionSettings) {
    this.ports = ports
    this.clock = ports.clock
    this.logger = ports.logger.named('org.apache.zookeeper.ClientCnxn')
    this.settings = settings
    this.sessionTimeoutMs = settings.sessionTimeoutMs
    this.connectString = parseConnectString(settings.connect)
  }

  // Life

  async start(): Promise<void> {
    const { connectTimeoutMs, connect } = this.settings
    this.contactAt = this.clock.monotonicMs()
    void this.connectSomewhere()
    const timer = this.clock.schedule(connectTimeoutMs, () => {
      const waited = `Timed out waiting for connection to ZooKeeper at ${connect} after ${connectTimeoutMs} ms`
      this.finish('closed', connectionLoss(null, waited))
    })
    try {
      await this.connected()
    } finally {
      timer.cancel()
    }
  }

  async close(): Promise<void> {
    const { link } = this
    if (this.isOver()) return
    if (this.state === 'connected' && link !== undefined) {
      const answered = link.request(opcodes.closeSession, { path: null }, () => {})
      // A server that does not answer will expire the session; nobody should wait for it here.
      const waited = delay(this.clock, Math.min(this.sessionTimeoutMs / 3, CLOSE_MS_MAX))
      await Promise.race([answered.catch((error: unknown) => this.note(error)), waited])
    }
    this.finish('closed', connectionLoss(null, 'the session was closed'))
  }

  private note(error: unknown): void {
    this.logger.debug(`closing the session: ${String(error)}`)
  }

  connected(): Promise<void> {
    if (this.state === 'connected') return Promise.resolve()
    if (this.isOver()) return Promise.reject(this.overError(null))
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  onState(listener: (event: SessionEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  protected isOver(): boolean {
    return this.state === 'closed' || this.state === 'expired'
  }

  protected overError(path: string | null): ZooKeeperError {
    if (this.state === 'expired') return new ZooKeeperError(errorCodes.SESSIONEXPIRED, path)
    return connectionLoss(path, 'the session was closed')
  }

  private emit(event: SessionEvent): void {
    for (const listener of [...this.listeners]) listener(event)
  }

  /** The end of it all. */
  private finish(state: 'closed' | 'expired', error: ZooKeeperError): void {
    if (this.isOver()) return
    this.state = state
    this.lostTimer?.cancel()
    this.pingTimer?.cancel()
    this.link?.end(state === 'expired' ? 'the session has expired' : 'the session was closed')
    this.watches.clear()
    for (const waiter of this.waiting.splice(0)) waiter.reject(error)
    this.emit(state)
  }

  // Connections

  /** Tries the servers one after another until one takes us or the session is over. */
  private async connectSomewhere(): Promise<void> {
    const servers = this.shuffled()
    let backoffMs = BACKOFF_MS_MIN
    for (let attempt = 0; !this.isOver() && this.link === undefined; attempt++) {
      const server = servers[attempt % servers.length]
      if (server === undefined) return
      try {
        await this.connectTo(server, servers.length)
        return
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error)
        this.logger.info(`Cannot connect to ${addressText(server)}: ${cause}`)
      }
      const isRoundOver = (attempt + 1) % servers.length === 0
      if (!isRoundOver) continue
      await delay(this.clock, backoffMs + this.ports.random.below(backoffMs))
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX)
    }
  }

  /** In an order of chance, so that clients spread over the servers. */
  private shuffled(): ServerAddress[] {
    const servers = [...this.connectString.servers]
    for (let left = servers.length; left > 1; left--) {
      const index = this.ports.random.below(left)
      const [picked] = servers.splice(index, 1)
      if (picked !== undefined) servers.push(picked)
    }
    return servers
  }

  /** Resolves when the connection stands and the handshake is on its way. @throws NetworkError */
  private async connectTo(server: ServerAddress, serverCount: number): Promise<void> {
    const attemptMs = Math.max(this.sessionTimeoutMs / serverCount / 3, ATTEMPT_MS_MIN)
    const connection = await this.ports.network.connect({ ...server, timeoutMs: attemptMs })
    if (this.isOver()) {
      connection.start({ onData() {}, onClose() {} })
      connection.destroy()
      return
    }
    const link = new ServerLink(
      this.clock,
      connection,
      { handshakeMs: attemptMs },
      {
        onSession: (response) => this.onSession(response),
        onEvent: (event) => this.onEvent(event),
        onContact: (sentAt, zxid) => this.onContact(sentAt, zxid),
        onEnd: (reason) => this.onLinkEnd(link, `${addressText(server)}: ${reason}`),
      },
    )
    this.link = link
    link.connect({
      lastZxidSeen: this.lastZxid,
      timeOut: this.settings.sessionTimeoutMs,
      sessionId: this.sessionId,
      passwd: this.password,
    })
  }

  private onLinkEnd(link: ServerLink, reason: string): void {
    if (this.link !== link) return
    this.link = undefined
    this.pingTimer?.cancel()
    if (this.isOver()) return
    this.logger.info(`Connection to ${reason}`)
    if (this.state === 'connected') {
      this.state = 'suspended'
      this.emit('suspended')
    }
    // Servers that take us and drop us again must not make a busy loop.
    const pauseMs = BACKOFF_MS_MIN + this.ports.random.below(BACKOFF_MS_MIN)
    void delay(this.clock, pauseMs).then(() => this.connectSomewhere())
  }

  private onSession(response: TypeOf<typeof records.ConnectResponse>): void {
    if (response.timeOut <= 0 || response.sessionId === 0n) {
      this.logger.warn(`Session 0x${hex(this.sessionId)} has expired`)
      this.finish('expired', new ZooKeeperError(errorCodes.SESSIONEXPIRED, null))
      return
    }
    this.sessionId = response.sessionId
    this.sessionTimeoutMs = response.timeOut
    this.password = response.passwd ?? Buffer.alloc(16)
    for (const one of this.credentials) this.sendAuth(one)
    this.setWatchesAgain()
    this.state = 'connected'
    this.isLost = false
    this.armPing()
    this.armLost()
    for (const waiter of this.waiting.splice(0)) waiter.resolve()
    this.emit('connected')
  }

  /** Servers before 3.6 do not know the request that carries persistent watches. */
  private setWatchesAgain(): void {
    for (const portion of this.watches.portions()) {
      const paths = { relativeZxid: this.lastZxid, ...portion }
      const isOld =
        portion.persistentWatches.length === 0 && portion.persistentRecursiveWatches.length === 0
      if (isOld) {
        const body = recordBody(records.SetWatches, paths)
        this.link?.tell(reservedXids.setWatches, opcodes.setWatches, body)
      } else {
        const body = recordBody(records.SetWatches2, paths)
        this.link?.tell(reservedXids.setWatches, opcodes.setWatches2, body)
      }
    }
  }

  private onContact(sentAt: number, zxid: bigint): void {
    this.contactAt = Math.max(this.contactAt, sentAt)
    if (zxid > this.lastZxid) this.lastZxid = zxid
  }

  /** A heartbeat a third of the session time after the last request. */
  private armPing(): void {
    const { link } = this
    if (link === undefined) return
    this.pingTimer?.cancel()
    const intervalMs = this.sessionTimeoutMs / 3
    const dueAt = link.lastSentAt + intervalMs
    const waitMs = Math.max(1, dueAt - this.clock.monotonicMs())
    this.pingTimer = this.clock.schedule(waitMs, () => {
      if (this.link !== link) return
      if (this.clock.monotonicMs() >= link.lastSentAt + intervalMs) link.ping()
      this.armPing()
    })
  }

  /** Two thirds of the session time after the last proof that the server hears us, all bets are off. */
  private armLost(): void {
    this.lostTimer?.cancel()
    const dueAt = this.contactAt + (this.sessionTimeoutMs * 2) / 3
    const waitMs = Math.max(1, dueAt - this.clock.monotonicMs())
    this.lostTimer = this.clock.schedule(waitMs, () => {
      if (this.isOver() || this.isLost) return
      const lateMs = this.clock.monotonicMs() - this.contactAt
      if (lateMs < (this.sessionTimeoutMs * 2) / 3) return this.armLost()
      this.isLost = true
      this.link?.end(`heard nothing for ${Math.round(lateMs)} ms`)
      this.emit('lost')
    })
  }

  private onEvent({ type, path }: TypeOf<typeof records.WatcherEvent>): void {
    const name = eventNames.get(type)
    if (name === undefined || path === null) return
    const event: WatchEvent = { type: name, path: this.outside(path) }
    for (const watcher of this.watches.take({ type: name, path })) watcher(event)
  }

  // Paths

  /** As the server shall see it. */
  protected inside(path: string): string {
    const { chroot } = this.connectString
    if (chroot === '') return path
    return path === '/' ? chroot : chroot + path
  }

  protected outside(path: string): string {
    const { chroot } = this.connectString
    if (!path.startsWith(chroot)) return path
    return path.length === chroot.length ? '/' : path.slice(chroot.length)
  }

  protected sendAuth({
    scheme,
    auth,
  }: {
    readonly scheme: string
    readonly auth: Uint8Array
  }): void {
    const body = recordBody(records.AuthPacket, { type: 0, scheme, auth })
    this.link?.tell(reservedXids.auth, opcodes.auth, body)
  }
}

const ATTEMPT_MS_MIN = 1000
const CLOSE_MS_MAX = 5000

const eventNames: ReadonlyMap<number, WatchEvent['type']> = new Map([
  [eventTypes.created, 'created'],
  [eventTypes.deleted, 'deleted'],
  [eventTypes.dataChanged, 'dataChanged'],
  [eventTypes.childrenChanged, 'childrenChanged'],
])

function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16)
}
