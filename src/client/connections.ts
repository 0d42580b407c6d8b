// The open connections of a client, by broker and by purpose. A purpose has connections of its own
// where it must not wait behind another's long polls: a broker answers one request at a time.
import { delay } from '../runtime/clock.ts'
import { backoffMs } from './backoff.ts'
import { BrokerConnection } from './connection.ts'
import { clientError } from './errors.ts'
import type { ClientPorts, CompleteSettings } from './settings.ts'

interface Slot {
  readonly address: string
  readonly connection: Promise<BrokerConnection>
  open: BrokerConnection | undefined
}

interface Trouble {
  failures: number
  notBeforeMs: number
}

export interface Address {
  readonly host: string
  readonly port: number
}

export class Connections {
  readonly #ports: ClientPorts
  readonly #settings: CompleteSettings
  readonly #slots = new Map<string, Slot>()
  /** By address: every purpose fails together when a broker is down. */
  readonly #troubles = new Map<string, Trouble>()
  #closed = false

  constructor(ports: ClientPorts, settings: CompleteSettings) {
    this.#ports = ports
    this.#settings = settings
  }

  /** The open connection, if there is one: asks nobody. */
  openTo(address: Address, purpose: string): BrokerConnection | undefined {
    const open = this.#slots.get(key(address, purpose))?.open
    return open?.isOpen === true ? open : undefined
  }

  /** Milliseconds until a broker that failed may be tried again; 0 for others. */
  backoffLeftMs(address: Address): number {
    const trouble = this.#troubles.get(`${address.host}:${address.port}`)
    if (trouble === undefined) return 0
    return Math.max(0, trouble.notBeforeMs - this.#ports.clock.monotonicMs())
  }

  /**
   * The connection, opened where there is none; after failures only when the back-off is over.
   * @throws KafkaError
   */
  to(address: Address, purpose: string): Promise<BrokerConnection> {
    if (this.#closed) return Promise.reject(clientError('CLIENT_CLOSED', 'the client is closed'))
    const slotKey = key(address, purpose)
    const known = this.#slots.get(slotKey)
    if (known !== undefined) return known.connection
    const slot: Slot = {
      address: `${address.host}:${address.port}`,
      connection: this.#open(address, slotKey),
      open: undefined,
    }
    this.#slots.set(slotKey, slot)
    return slot.connection
  }

  /** Ends every connection of a purpose. */
  closePurpose(purpose: string): void {
    for (const [slotKey, slot] of this.#slots) {
      if (!slotKey.startsWith(`${purpose} `)) continue
      this.#slots.delete(slotKey)
      closeSlot(slot)
    }
  }

  close(): void {
    this.#closed = true
    for (const slot of this.#slots.values()) closeSlot(slot)
    this.#slots.clear()
  }

  async #open(address: Address, slotKey: string): Promise<BrokerConnection> {
    const text = `${address.host}:${address.port}`
    const { clock, random } = this.#ports
    const waitMs = this.backoffLeftMs(address)
    // Even without a wait the slot must be in the table before anything below can fail.
    await (waitMs > 0 ? delay(clock, waitMs) : Promise.resolve())
    const slot = this.#slots.get(slotKey)
    if (slot === undefined) throw clientError('CLIENT_CLOSED', `connection to ${text} closed`)
    const connection = new BrokerConnection(this.#ports, {
      ...address,
      clientId: this.#settings.clientId,
      requestTimeoutMs: this.#settings.requestTimeoutMs,
      connectTimeoutMs: this.#settings.connectTimeoutMs,
    })
    slot.open = connection
    connection.onClose(() => {
      if (this.#slots.get(slotKey) === slot) this.#slots.delete(slotKey)
    })
    try {
      await connection.connect()
      this.#troubles.delete(text)
      return connection
    } catch (error) {
      const failures = (this.#troubles.get(text)?.failures ?? 0) + 1
      const chance = random.below(0x10000) / 0x10000
      const nextMs = backoffMs(this.#settings.reconnectBackoff, failures, chance)
      this.#troubles.set(text, { failures, notBeforeMs: clock.monotonicMs() + nextMs })
      throw error
    }
  }
}

function key(address: Address, purpose: string): string {
  return `${purpose} ${address.host}:${address.port}`
}

function closeSlot(slot: Slot): void {
  slot.open?.close()
  // A slot that waits out its back-off finds itself gone and rejects; its callers hear that.
  slot.connection.catch(() => undefined)
}
