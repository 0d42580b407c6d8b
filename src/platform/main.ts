/** `millrace up`: the whole chain on one machine, supervised. */
import { Child, ownScript } from '../node/child.ts'
import { createHttpClient } from '../node/http.ts'
import { realPorts } from '../node/ports.ts'
import { currentDirectory, isTerminal } from '../node/surroundings.ts'
import type { DiskFile } from '../runtime/disk.ts'
import { NetworkError } from '../runtime/network.ts'
import type { ProcessContext } from '../runtime/process.ts'
import { UserError, type Ports } from '../runtime/service.ts'
import {
  asksForHelp,
  parseUpArguments,
  upUsage,
  type StageName,
  type UpSettings,
} from './arguments.ts'
import { lockData, missingFiles, ownFiles } from './files.ts'
import { buildPages } from './pages.ts'
import { checkOwnFiles } from './check.ts'
import {
  addressesOf,
  configFiles,
  flagsOfConsole,
  hostOf,
  stages,
  type ConfigFile,
  type Shape,
} from './stages.ts'
import { StatusScreen } from './status.ts'
import { Supervised, type SupervisorParts } from './supervisor.ts'

const drawIntervalMs = 1000

export async function main(context: ProcessContext): Promise<number> {
  if (asksForHelp(context.arguments)) {
    context.stdout.write(upUsage)
    return 0
  }
  const ports = realPorts({ logStream: context.stderr })
  const asked = parseUpArguments(context.arguments, currentDirectory())
  const own = ownFiles(asked, ports)
  const shipsOwn = own.some(({ name }) => name === 'filebeat.yml')
  if (shipsOwn && asked.files.length > 0)
    throw new UserError(`up: the files to ship stand in ${asked.configDirectory}/filebeat.yml`)
  await checkOwnFiles(asked, own)
  const up = { ...asked, ...addressesOf(asked, own) }
  // The user's file where there is one, else the one that is made.
  const files = configFiles(up).map((made) => own.find(({ name }) => name === made.name) ?? made)
  if (up.printConfig) {
    for (const { name, text } of files) context.stdout.write(`--- ${name}\n${masked(text)}\n`)
    return 0
  }
  const missing = missingFiles(up, ports)
  await refuseTakenPorts(up, ports)
  const lock = lockData(up, ports)
  try {
    writeFiles(up, ports, files)
    const shipsFiles = shipsOwn || up.files.length > 0
    const consoleFlags = flagsOfConsole(up, files)
    return await new Chain(context, ports, { up, shipsFiles, consoleFlags }).run(missing)
  } finally {
    lock.release()
  }
}

/** Somebody else's server on one of the ports would pass for ours. */
async function refuseTakenPorts(up: UpSettings, { network }: Ports): Promise<void> {
  for (const [stage, port] of Object.entries(up.ports)) {
    const host = hostOf(up, stage)
    try {
      const listener = await network.listen({ host, port }, (connection) => connection.destroy())
      await listener.close()
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      const what = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be bound: ${error.code}`
      throw new UserError(
        `port ${port} of ${host} ${what}; --${stage}-port N gives the ${stage} another`,
      )
    }
  }
}

function masked(text: string): string {
  return text.replace(
    /((?:password|secret|api_key|jaas\.config)\s*(?:=>|[:=])\s*).*/gi,
    '$1[hidden]',
  )
}

function writeFiles(up: UpSettings, { disk }: Ports, files: readonly ConfigFile[]): void {
  const folder = `${up.dataDirectory}/config`
  try {
    for (const { name, text } of files) {
      const file = disk.open(`${folder}/${name}`, 'replace')
      const bytes = Buffer.from(text)
      file.write(bytes, 0, bytes.length, 0)
      file.close()
    }
  } catch (error) {
    throw new UserError(
      `${up.dataDirectory} cannot be written: ${error instanceof Error ? error.message : ''}`,
    )
  }
}

/** The stages of one run, and their logs. */
class Chain {
  readonly #context: ProcessContext
  readonly #ports: Ports
  readonly #up: UpSettings
  readonly #supervised: readonly Supervised[]
  readonly #logs = new Map<StageName, DiskFile>()
  readonly #screen: StatusScreen
  #isOver = false

  constructor(
    context: ProcessContext,
    ports: Ports,
    { up, ...shape }: { readonly up: UpSettings } & Shape,
  ) {
    this.#context = context
    this.#ports = ports
    this.#up = up
    const parts: SupervisorParts = {
      clock: ports.clock,
      network: ports.network,
      startChild: (options) => new Child(options),
      script: ownScript(),
      onLine: (stage, line) => this.#log(stage, line),
      onChange: () => this.#screen.changed(),
    }
    const planned = stages(up, {
      fileOf: (name) => `${up.dataDirectory}/config/${name}`,
      ...shape,
    })
    this.#supervised = planned.map((stage) => new Supervised(stage, parts))
    const isLive = isTerminal(context.stdout)
    this.#screen = new StatusScreen(
      context.stdout,
      isLive,
      this.#supervised,
      createHttpClient(),
      up,
    )
  }

  /** `missing`: files to ship that are not there yet. */
  async run(missing: readonly string[]): Promise<number> {
    const { host, ports, dataDirectory } = this.#up
    this.#screen.say(`Data and logs: ${dataDirectory}`)
    for (const file of missing)
      this.#screen.say(`There is no ${file} yet: its lines will come once there is`)
    const pages = buildPages(this.#ports, (line) => this.#screen.say(line))
    try {
      const started = this.#start()
      const isStopped = await Promise.race([
        started.then(() => false),
        this.#context.stopRequested.then(() => true),
      ])
      if (!isStopped) {
        this.#screen.say(
          `The pages are at http://${host}:${ports.console}/ ; Ctrl-C stops everything.`,
        )
        this.#redraw()
        await this.#context.stopRequested
      }
      await started.catch(() => {})
      return 0
    } finally {
      this.#isOver = true
      pages.stop()
      this.#screen.say('Stopping')
      await this.#stop()
    }
  }

  /** Broker, search and pages side by side; what reads and writes them as soon as they are there. */
  async #start(): Promise<void> {
    const isFeeding = ({ stage }: Supervised): boolean =>
      stage.name === 'pipeline' || stage.name === 'shipper'
    await Promise.all(
      this.#supervised.filter((one) => !isFeeding(one)).map((one) => this.#begin(one)),
    )
    await Promise.all(this.#supervised.filter(isFeeding).map((one) => this.#begin(one)))
  }

  async #begin(one: Supervised): Promise<void> {
    try {
      await one.start()
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      throw new UserError(`${one.stage.name}: ${error.message.replace(/^millrace: /, '')}`)
    }
  }

  /** What feeds goes first, so that nothing is left in flight; the broker goes last. */
  async #stop(): Promise<void> {
    const order: readonly StageName[] = ['shipper', 'pipeline', 'console', 'search', 'broker']
    for (const name of order)
      await this.#supervised.find(({ stage }) => stage.name === name)?.stop()
    for (const file of this.#logs.values()) file.close()
    this.#logs.clear()
  }

  #redraw(): void {
    const { clock } = this.#ports
    clock.schedule(drawIntervalMs, () => {
      if (this.#isOver) return
      void this.#screen.draw(clock.now()).then(() => {
        if (!this.#isOver) this.#redraw()
      })
    })
  }

  #log(stage: StageName, line: string): void {
    let file = this.#logs.get(stage)
    if (file === undefined) {
      file = this.#ports.disk.open(`${this.#up.dataDirectory}/logs/${stage}.log`, 'readWrite')
      this.#logs.set(stage, file)
    }
    const bytes = Buffer.from(`${line}\n`)
    file.write(bytes, 0, bytes.length, file.size())
  }
}
