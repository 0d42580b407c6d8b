// The shipper: inputs, harvester, registry and output, assembled; and the clock that drives them.

import type { Timer } from '../runtime/clock.ts'
import { DiskError } from '../runtime/disk.ts'
import type { Ports, Service } from '../runtime/service.ts'
import type { Agent } from './event.ts'
import { Harvester } from './harvest.ts'
import { FileInput, POLL_MS } from './inputs/file-input.ts'
import { type HarvestCounts, type InputContext, noHarvest } from './inputs/shared.ts'
import type { TrackedFile } from './inputs/tracked-file.ts'
import type { Output } from './outputs/output.ts'
import { Registry } from './registry/registry.ts'
import { stateOf } from './registry/states.ts'
import type { InputSettings, ShipperSettings } from './settings.ts'

/** How often directories are looked at for changes, which bring a scan forward. */
const DIRECTORY_POLL_MS = 500
/** Acknowledgements arrive all the time; what they change is saved together. */
const REGISTRY_GATHER_MS = 50

export interface ShipperParts {
  readonly agent: Agent
  readonly output: Output
  /** Ends, with `finished`, when all is read and acknowledged. */
  readonly once?: boolean
  /** Small in tests. */
  readonly chunkBytes?: number
}

export type ShipperPorts = Pick<Ports, 'clock' | 'disk' | 'logger'>

interface Scanned {
  readonly input: FileInput
  nextMs: number
  isUnderWay: boolean
  isDone: boolean
}

export class Shipper implements Service {
  readonly harvest: HarvestCounts = noHarvest()
  /** Resolves when there is nothing left to do; only with `once`. */
  readonly finished: Promise<void>
  readonly #ports: ShipperPorts
  readonly #parts: ShipperParts
  readonly #settings: ShipperSettings
  readonly #harvester: Harvester
  readonly #scanned: Scanned[] = []
  #registry: Registry | undefined
  #timer: Timer | undefined
  #nextDirectoryPollMs = 0
  #finish: () => void = () => {}
  #stopping: Promise<void> | undefined

  constructor(ports: ShipperPorts, parts: ShipperParts, settings: ShipperSettings) {
    this.#ports = ports
    this.#parts = parts
    this.#settings = settings
    this.finished = new Promise((resolve) => {
      this.#finish = resolve
    })
    this.#harvester = new Harvester(
      ports,
      {
        output: parts.output,
        counts: this.harvest,
        onAcknowledged: (file, input) => this.#record(file, input),
        onUnreadable: ({ file }, error) => this.#giveUp(file, error),
        ...(parts.chunkBytes === undefined ? {} : { chunkBytes: parts.chunkBytes }),
      },
      settings.queue,
    )
  }

  /** Files that are open, files that are known, states in the registry, events not acknowledged. */
  get gauges(): { open: number; files: number; states: number; active: number } {
    let open = 0
    let files = 0
    for (const { input } of this.#scanned) {
      open += input.openFiles.size
      files += input.fileCount
    }
    const states = this.#registry?.size ?? 0
    return { open, files, states, active: this.#harvester.activeEvents }
  }

  get registryCounts(): Registry['counts'] | undefined {
    return this.#registry?.counts
  }

  /** @throws UserError, DiskError */
  start(): Promise<void> {
    const { logger } = this.#ports
    const registry = Registry.open(this.#ports, {
      directory: this.#settings.registryDirectory,
      flushMs: Math.max(this.#settings.registryFlushMs, REGISTRY_GATHER_MS),
    })
    this.#registry = registry
    logger.info(`States Loaded from registrar: ${registry.size}`)
    const context: InputContext = {
      ports: this.#ports,
      registry,
      agent: this.#parts.agent,
      prettyJson: this.#settings.output.pretty,
      counts: this.harvest,
      enqueue: (file, input) => this.#harvester.enqueue(file, input),
      record: (file, input) => this.#record(file, input),
      owners: new Map(),
    }
    for (const settings of this.#settings.inputs) {
      const input = new FileInput(context, settings)
      this.#scanned.push({ input, nextMs: 0, isUnderWay: false, isDone: false })
      logger.info(`Configured paths: [${settings.paths.join(' ')}] (${settings.kind})`)
    }
    this.#harvester.start()
    this.#tick()
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { clock, logger } = this.#ports
    this.#timer?.cancel()
    await this.#harvester.stop()
    for (const { input } of this.#scanned) input.stop()
    if (this.#harvester.activeEvents > 0) {
      let timer: Timer | undefined
      const late = new Promise<void>((resolve) => {
        timer = clock.schedule(this.#settings.shutdownTimeoutMs, resolve)
      })
      await Promise.race([this.#harvester.settled(), late])
      timer?.cancel()
      const left = this.#harvester.activeEvents
      if (left > 0) logger.warn(`${left} events were not acknowledged and will be sent again`)
    }
    await this.#registry?.close()
    await this.#parts.output.close()
  }

  /** Four times a second: who has grown, who is due for a scan. */
  #tick(): void {
    const nowMs = this.#ports.clock.monotonicMs()
    const looksAtDirectories = nowMs >= this.#nextDirectoryPollMs
    if (looksAtDirectories) this.#nextDirectoryPollMs = nowMs + DIRECTORY_POLL_MS
    for (const scanned of this.#scanned) {
      scanned.input.poll()
      if (scanned.isUnderWay) continue
      const isDue = nowMs >= scanned.nextMs
      if (isDue || (looksAtDirectories && scanned.input.hasChangedDirectory())) {
        void this.#scan(scanned)
      }
    }
    if (this.#parts.once === true && this.#isDone()) this.#finish()
    this.#timer = this.#ports.clock.schedule(POLL_MS, () => this.#tick())
  }

  async #scan(scanned: Scanned): Promise<void> {
    scanned.isUnderWay = true
    await scanned.input.scan()
    scanned.nextMs = this.#ports.clock.monotonicMs() + scanned.input.settings.scanFrequencyMs
    scanned.isUnderWay = false
    scanned.isDone = true
  }

  #isDone(): boolean {
    if (!this.#harvester.isIdle) return false
    return this.#scanned.every(({ input, isDone }) => {
      if (!isDone) return false
      return [...input.openFiles].every(({ open }) => open?.joiner?.pendingStart === undefined)
    })
  }

  #record(file: TrackedFile, input: InputSettings): void {
    if (file.isForgotten) return
    const { inode, device, path, readMs } = file
    const offset = file.acknowledged.position
    const position = { inode, device, source: path, offset, timestampMs: readMs }
    this.#registry?.set(file.key, stateOf(input.kind, position))
  }

  #giveUp(file: TrackedFile, error: DiskError): void {
    const owner = this.#scanned.find(({ input }) => input.openFiles.has(file))
    owner?.input.giveUp(file, error)
  }
}
