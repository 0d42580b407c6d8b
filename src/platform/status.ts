import type { Writable } from 'node:stream'
import type { HttpClient } from '../runtime/http.ts'
import type { UpSettings } from './arguments.ts'
import type { Supervised } from './supervisor.ts'

/** What is shown of a stage. */
export type Shown = Pick<Supervised, 'stage' | 'state' | 'pid' | 'startedAtMs' | 'restarts'>

/** What a stage has done so far, as its own port tells; undefined while it does not answer. */
type Count = () => Promise<number | undefined>

const clearBelow = '\u001b[0J'
// The column too: a terminal that echoes ^C has moved it.
const lineUp = (count: number): string => (count === 0 ? '' : `\r\u001b[${count}A`)

/**
 * The status of all stages: on a terminal a block that is drawn anew every second, elsewhere one line
 * per change of a stage's state.
 */
export class StatusScreen {
  readonly #output: Writable
  readonly #isTerminal: boolean
  readonly #stages: readonly Shown[]
  readonly #counts: ReadonlyMap<string, Count>
  readonly #last = new Map<string, { count: number; atMs: number }>()
  readonly #shown = new Map<string, string>()
  #drawnLines = 0

  constructor(
    output: Writable,
    isTerminal: boolean,
    stages: readonly Shown[],
    http: HttpClient,
    up: UpSettings,
  ) {
    this.#output = output
    this.#isTerminal = isTerminal
    this.#stages = stages
    this.#counts = countsOf(http, up)
  }

  /** A line that stays: above the block, on a terminal. */
  say(line: string): void {
    if (this.#drawnLines > 0) this.#output.write(lineUp(this.#drawnLines) + clearBelow)
    this.#drawnLines = 0
    this.#output.write(`${line}\n`)
  }

  /** A stage has another state. */
  changed(): void {
    if (this.#isTerminal) return
    for (const { stage, state, pid, startedAtMs } of this.#stages) {
      if (startedAtMs === 0) continue
      if (this.#shown.get(stage.name) === state) continue
      this.#shown.set(stage.name, state)
      const process = pid === undefined ? '' : ` (pid ${pid}, port ${stage.port})`
      if (state !== 'starting') this.say(`${stage.name}: ${state}${process}`)
    }
  }

  async draw(nowMs: number): Promise<void> {
    if (!this.#isTerminal) return
    const lines: string[] = []
    for (const { stage, state, pid, restarts } of this.#stages) {
      const rate = state === 'running' ? await this.#rate(stage.name, nowMs) : ''
      const again = restarts === 0 ? '' : `restarted ${restarts}x`
      const cells = [stage.name.padEnd(10), state.padEnd(20), `port ${stage.port}`.padEnd(12)]
      lines.push(
        [...cells, `pid ${pid ?? '-'}`.padEnd(12), rate.padEnd(30), again].join(' ').trimEnd(),
      )
    }
    const text = lines.map((line) => `  ${line}\n`).join('')
    this.#output.write(lineUp(this.#drawnLines) + clearBelow + text)
    this.#drawnLines = lines.length
  }

  async #rate(name: string, nowMs: number): Promise<string> {
    const count = await this.#counts.get(name)?.()
    if (count === undefined) return ''
    const last = this.#last.get(name)
    this.#last.set(name, { count, atMs: nowMs })
    const seconds = last === undefined ? 0 : (nowMs - last.atMs) / 1000
    const rate = seconds > 0 && last !== undefined ? (count - last.count) / seconds : 0
    return `${count.toLocaleString('en')} events, ${Math.round(Math.max(rate, 0)).toLocaleString('en')}/s`
  }
}

function countsOf(http: HttpClient, up: UpSettings): Map<string, Count> {
  const { host, ports } = up
  const ask = (port: number, path: string, keys: readonly string[]): Count => {
    return async () => {
      try {
        const url = `http://${host}:${port}${path}`
        const { body } = await http.send({ method: 'GET', url, timeoutMs: 500 })
        let value: unknown = JSON.parse(body.toString('utf8'))
        for (const key of keys)
          value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
        return typeof value === 'number' ? value : undefined
      } catch {
        return undefined
      }
    }
  }
  return new Map([
    ['shipper', ask(ports.shipper, '/stats', ['libbeat', 'output', 'events', 'acked'])],
    ['pipeline', ask(ports.pipeline, '/_node/stats', ['events', 'out'])],
    ['search', ask(ports.search, '/_count', ['count'])],
  ])
}
