import { delay } from '../runtime/clock.ts'
import { UserError, type Ports } from '../runtime/service.ts'
import {
  isZooKeeperError,
  type SessionEvent,
  type ZooKeeperClient,
} from '../zookeeper/client/client.ts'

export type CoordinationPorts = Pick<Ports, 'clock' | 'network' | 'random' | 'logger'>

/** How a session is made: with the chroot and the addresses of zookeeper.connect. */
export type OpenSession = () => ZooKeeperClient

const renewalDelayMs = 1000
const statusTimeoutMs = 2000

/**
 * The broker's session with ZooKeeper, through all the sessions it may need: one that expired is
 * replaced, and whoever holds an office by it is told, first that it is lost, then that there is a new
 * one to hold it by.
 */
export class Coordination {
  readonly #ports: CoordinationPorts
  readonly #open: OpenSession
  #session: ZooKeeperClient
  #isClosed = false
  #isLost = false
  #isRenewing = false
  readonly #lost = new Set<() => void>()
  readonly #regained = new Set<() => void>()
  readonly #renewed = new Set<() => Promise<void>>()

  constructor(ports: CoordinationPorts, open: OpenSession) {
    this.#ports = ports
    this.#open = open
    this.#session = open()
  }

  /** The present session. Not to be kept: after an expiry it is another one. */
  get session(): ZooKeeperClient {
    return this.#session
  }

  /** The session may be over: who acts by it must stop. */
  onLost(action: () => void): void {
    this.#lost.add(action)
  }

  /** It was not over after all: same session, ephemerals and watches still there. */
  onRegained(action: () => void): void {
    this.#regained.add(action)
  }

  /**
   * A new session is there: ephemerals and watches are to be set up again, in the order of the calls.
   * Where one fails, all are called again with another session.
   */
  onRenewed(action: () => Promise<void>): void {
    this.#renewed.add(action)
  }

  /**
   * Does what may be done twice: again when the connection was lost on the way, as soon as there is one.
   * @throws ZooKeeperError, SESSIONEXPIRED among them
   */
  async insist<T>(action: (zookeeper: ZooKeeperClient) => Promise<T>): Promise<T> {
    const session = this.#session
    for (;;) {
      try {
        await session.connected()
        return await action(session)
      } catch (error) {
        const isOver = session.state === 'closed' || session.state === 'expired'
        if (isOver || !isZooKeeperError(error, 'CONNECTIONLOSS')) throw error
      }
    }
  }

  /** @throws UserError when nobody answers in time. */
  async start(): Promise<void> {
    try {
      await this.#session.start()
    } catch (error) {
      throw new UserError('zookeeper.connect: no coordination server answered in time', {
        cause: error,
      })
    }
    this.#follow(this.#session)
  }

  async stop(): Promise<void> {
    this.#isClosed = true
    await this.#session.close()
  }

  #follow(session: ZooKeeperClient): void {
    session.onState((event: SessionEvent) => {
      if (this.#isClosed || session !== this.#session) return
      if (event === 'lost' || event === 'expired') this.#lose()
      if (event === 'connected' && this.#isLost) {
        this.#isLost = false
        for (const action of this.#regained) action()
      }
      if (event === 'expired') void this.#renew()
    })
  }

  #lose(): void {
    if (this.#isLost) return
    this.#isLost = true
    for (const action of this.#lost) action()
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return
    this.#isRenewing = true
    this.#ports.logger.warn('The ZooKeeper session has expired; opening a new one')
    while (!this.#isClosed && !(await this.#tryRenewal()))
      await delay(this.#ports.clock, renewalDelayMs)
    this.#isRenewing = false
  }

  async #tryRenewal(): Promise<boolean> {
    const session = this.#open()
    this.#session = session
    this.#follow(session)
    try {
      await session.start()
      if (this.#isClosed) throw new UserError('the broker stops')
      this.#isLost = false
      for (const action of this.#renewed) await action()
      return true
    } catch (error) {
      if (!this.#isClosed) this.#ports.logger.warn('The session could not be renewed yet', error)
      await session.close()
      return false
    }
  }
}

/**
 * Two standalone servers behind one zookeeper.connect would give two brokers a cluster each: a start
 * error that names both. Servers that do not answer, or do not tell, are not counted.
 */
export async function refuseTwoStandalone(
  ports: CoordinationPorts,
  addresses: readonly { readonly host: string; readonly port: number }[],
): Promise<void> {
  const names: string[] = []
  await Promise.all(
    addresses.map(async ({ host, port }) => {
      const status = await serverStatus(ports, host, port)
      if (/^Mode: standalone$/m.test(status)) names.push(`${host}:${port}`)
    }),
  )
  if (names.length > 1)
    throw new UserError(
      `zookeeper.connect: ${names.sort().join(' and ')} are two standalone servers, not one ensemble; name only one of them`,
    )
}

/** The answer to `srvr`; empty where there is none in time. */
async function serverStatus(
  { clock, network }: CoordinationPorts,
  host: string,
  port: number,
): Promise<string> {
  const connection = await network
    .connect({ host, port, timeoutMs: statusTimeoutMs })
    .catch(() => undefined)
  if (connection === undefined) return ''
  return new Promise((resolve) => {
    let text = ''
    const timer = clock.schedule(statusTimeoutMs, () => connection.destroy())
    connection.start({
      onData(chunk) {
        if (text.length < 4096) text += chunk.toString('latin1')
      },
      onClose() {
        timer.cancel()
        resolve(text)
      },
    })
    connection.write(Buffer.from('srvr'))
  })
}
