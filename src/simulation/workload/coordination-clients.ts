/**
 * Clients of the coordination server itself: each holds an ephemeral node, increments a common counter,
 * reads what others write, and waits for a signal by a watch.
 */
import { delay } from '../../runtime/clock.ts'
import type { Ports } from '../../runtime/service.ts'
import {
  isZooKeeperError,
  type SessionEvent,
  type ZooKeeperClient,
} from '../../zookeeper/client/client.ts'
import { ZooKeeperSession } from '../../zookeeper/client/session.ts'
import type { Life } from '../../memory/life.ts'
import type { CoordinationClientPlan } from '../plan.ts'
import type { Ephemeral } from './ephemerals.ts'
import type { ClientMain } from './processes.ts'
import type { Scene } from './scene.ts'

export const paths = {
  root: '/simulation',
  counter: '/simulation/counter',
  signal: '/simulation/signal',
  ephemerals: '/simulation/ephemerals',
} as const

const retryPauseMs = 200
/** In act two they only look on. */
const endingPauseMs = 1000

export function coordinationClientMain(scene: Scene, plan: CoordinationClientPlan): ClientMain {
  return async (ports, life) => {
    for (let session = 1; ; session += 1) {
      const zookeeper = new ZooKeeperSession(ports, {
        connect: scene.cluster.connectString,
        sessionTimeoutMs: plan.sessionTimeoutMs,
        connectTimeoutMs: 10_000,
      })
      try {
        await zookeeper.start()
        const path = `${paths.ephemerals}/${plan.name}-${life.number}-${session}`
        await new Session(scene, plan, ports, zookeeper).run(path, life)
      } catch (error) {
        if (!isZooKeeperError(error)) throw error
        scene.world.note(`${plan.name}: ${error.message}`)
      }
      await delay(ports.clock, retryPauseMs)
    }
  }
}

class Session {
  readonly #scene: Scene
  readonly #plan: CoordinationClientPlan
  readonly #ports: Ports
  readonly #zookeeper: ZooKeeperClient
  readonly #id: string

  constructor(
    scene: Scene,
    plan: CoordinationClientPlan,
    ports: Ports,
    zookeeper: ZooKeeperClient,
  ) {
    this.#scene = scene
    this.#plan = plan
    this.#ports = ports
    this.#zookeeper = zookeeper
    this.#id = String(zookeeper.sessionId)
  }

  /** Until the session is over. @throws ZooKeeperError */
  async run(path: string, life: Life): Promise<void> {
    void this.#watchSignal()
    await this.#hold(path, life)
    while (this.#zookeeper.state !== 'expired' && this.#zookeeper.state !== 'closed') {
      const { isEnding } = this.#scene
      await delay(this.#ports.clock, isEnding ? endingPauseMs : this.#plan.gapMs)
      await this.#zookeeper.connected()
      await this.#increment()
    }
  }

  /** Makes the ephemeral node; a creation whose answer was lost is nobody's business. */
  async #hold(path: string, life: Life): Promise<void> {
    const zookeeper = this.#zookeeper
    const node: Ephemeral = {
      path,
      life,
      sessionTimeoutMs: zookeeper.sessionTimeoutMs,
      isSure: false,
      endedAtMs: undefined,
    }
    zookeeper.onState((event: SessionEvent) => {
      if (event === 'connected') node.isSure = true
      if (event === 'lost' || event === 'expired' || event === 'closed') node.isSure = false
      if (event === 'expired' || event === 'closed') node.endedAtMs = this.#scene.world.nowMs
    })
    const question = this.#scene.world.newQuestion()
    this.#scene.world.observe({ kind: 'coordinationAsked', question })
    const { stat } = await zookeeper.create(path, Buffer.alloc(0), { ephemeral: true })
    const zxid = stat?.czxid ?? 0n
    this.#scene.world.observe({ kind: 'coordinationWritten', question, path, zxid })
    if (zookeeper.state === 'connected') node.isSure = true
    this.#scene.ephemerals.add(node)
  }

  async #increment(): Promise<void> {
    const { world, counter, isEnding } = this.#scene
    const path = paths.counter
    let isSent = false
    try {
      const { data, stat } = await this.#zookeeper.getData(path)
      world.observe({ kind: 'coordinationRead', session: this.#id, path, zxid: stat.mzxid })
      if (isEnding) return
      const question = world.newQuestion()
      world.observe({ kind: 'coordinationAsked', question })
      isSent = true
      counter.unanswered += 1
      const next = Buffer.from(String(Number(data.toString()) + 1))
      const written = await this.#zookeeper.setData(path, next, stat.version)
      counter.unanswered -= 1
      counter.answered += 1
      world.observe({ kind: 'coordinationWritten', question, path, zxid: written.mzxid })
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      if (isSent && error.name === 'BADVERSION') counter.unanswered -= 1
    }
  }

  async #watchSignal(): Promise<void> {
    const again = (): void => void this.#watchSignal()
    while (this.#zookeeper.state !== 'expired' && this.#zookeeper.state !== 'closed') {
      try {
        const { data } = await this.#zookeeper.getData(paths.signal, again)
        this.#scene.signals.set(this.#plan.name, data.toString())
        return
      } catch (error) {
        if (!isZooKeeperError(error)) throw error
        await delay(this.#ports.clock, retryPauseMs)
      }
    }
  }
}
