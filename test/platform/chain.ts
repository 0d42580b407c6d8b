/** Starts the whole chain as its users do, on free ports and a directory of its own. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const millrace = join(root, 'bin', 'millrace')

export interface ChainPorts {
  readonly broker: number
  readonly coordination: number
  readonly search: number
  readonly pipeline: number
  readonly console: number
  readonly shipper: number
}

/** Ports that nobody had a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export function temporaryDirectory(test: { after(action: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
  test.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Looks until `look` gives something, and fails with what it was that never came. */
export async function until<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const limit = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`)
    await pause(50)
  }
}

/** One run of `millrace up`. */
export class Chain {
  readonly directory: string
  readonly ports: ChainPorts
  readonly #process: ChildProcess
  output = ''

  constructor(directory: string, ports: ChainPorts, files: readonly string[]) {
    this.directory = directory
    this.ports = ports
    const options = Object.entries(ports).flatMap(([name, port]) => [
      `--${name}-port`,
      String(port),
    ])
    this.#process = spawn(millrace, ['up', ...files, '--data', directory, ...options], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** The pids of the stages, from what `up` printed. */
  stagePids(): number[] {
    return [...this.output.matchAll(/running \(pid (\d+)/g)].map((match) => Number(match[1]))
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** Resolves to the exit code; null where a signal ended it. */
  ended(): Promise<number | null> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null)
      return Promise.resolve(this.#process.exitCode)
    return new Promise((resolve) => this.#process.once('exit', resolve))
  }

  /** Ctrl-C, and the wait for the end. */
  async stop(): Promise<number | null> {
    this.signal('SIGINT')
    return this.ended()
  }

  logOf(stage: string): string {
    try {
      return readFileSync(join(this.directory, 'logs', `${stage}.log`), 'utf8')
    } catch {
      return ''
    }
  }

  async get(port: number, path: string): Promise<unknown> {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`)
      const text = await answer.text()
      return answer.ok ? JSON.parse(text) : undefined
    } catch {
      return undefined
    }
  }

  /** How many documents the search has; undefined while it does not answer. */
  async documents(): Promise<number | undefined> {
    const answer = await this.get(this.ports.search, '/logs-*/_count')
    if (typeof answer !== 'object' || answer === null || !('count' in answer)) return undefined
    return Number(answer.count)
  }

  /** Waits until the page comes with all that it names: where they are not built yet, `up` builds them. */
  async awaitPages(limitMs: number): Promise<void> {
    const at = `http://127.0.0.1:${this.ports.console}`
    const page = await until('the pages', limitMs, async () => {
      const answer = await fetch(`${at}/`).catch(() => undefined)
      return answer?.status === 200 ? answer.text() : undefined
    })
    const named = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1])
    assert.ok(
      named.some((path) => path?.endsWith('.js')),
      page,
    )
    for (const path of named) {
      const answer = await fetch(`${at}${path}`)
      const type = answer.headers.get('content-type') ?? ''
      assert.equal(`${path} ${answer.status} ${type.includes('html')}`, `${path} 200 false`)
    }
  }

  /** Waits for exactly so many documents. */
  awaitDocuments(count: number, limitMs: number): Promise<true> {
    return until(`${count} documents`, limitMs, async () =>
      (await this.documents()) === count ? true : undefined,
    )
  }

  /** The messages of all documents, each once, read page by page. */
  async messages(): Promise<Set<string>> {
    const found = new Set<string>()
    let after: readonly string[] | undefined
    for (;;) {
      const body = { size: 5000, sort: ['message.keyword'], search_after: after }
      const answer = await fetch(`http://127.0.0.1:${this.ports.search}/logs-*/_search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const { hits } = (await answer.json()) as { hits: { hits: Hit[] } }
      const last = hits.hits.at(-1)
      if (last === undefined) return found
      for (const hit of hits.hits) found.add(hit._source.message)
      after = last.sort
    }
  }
}

interface Hit {
  readonly _source: { readonly message: string }
  readonly sort: readonly string[]
}

export async function startChain(
  test: { after(action: () => void | Promise<void>): void },
  files: readonly string[],
  again?: Chain,
): Promise<Chain> {
  let ports = again?.ports
  if (ports === undefined) {
    const [broker = 0, coordination = 0, search = 0, pipeline = 0, console = 0, shipper = 0] =
      await freePorts(6)
    ports = { broker, coordination, search, pipeline, console, shipper }
  }
  const directory = again?.directory ?? temporaryDirectory(test)
  const chain = new Chain(directory, ports, files)
  test.after(async () => {
    chain.signal('SIGKILL')
    await chain.ended()
  })
  return chain
}
