// Runs the commands of zookeeper-shell one after another: from a line, or from standard input.
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { isZooKeeperError, type ZooKeeperClient } from '../../zookeeper/client/client.ts'
import { oldShellCommands, shellCommands } from './commands.ts'
import type { ShellOutput } from './output.ts'
import { errorText, eventText } from './texts.ts'
import { parseWords, ShellError, splitWords } from './words.ts'

export const shellUsage = [
  'ZooKeeper -server host:port -client-configuration properties-file cmd args',
  ...[
    ...Object.entries(shellCommands).map(([name, { usage }]) => [name, usage] as const),
    ['close', ''],
    ['connect', 'host:port'],
    ['history', ''],
    ['printwatches', 'on|off'],
    ['quit', ''],
    ['redo', 'cmdno'],
    ['version', ''],
  ]
    .map(([name, usage]) => `\t${name} ${usage}`)
    .sort(),
]

/** How a session is come by; `connect` is the one of the command line where it is left out. */
export type OpenSession = (connect?: string) => Promise<ZooKeeperClient>

export interface ShellPorts {
  readonly open: OpenSession
  readonly line: (text: string) => void
  readonly note: (text: string) => void
  readonly versionText: string
}

export class Shell {
  readonly #ports: ShellPorts
  readonly #history: string[] = []
  #session: Promise<ZooKeeperClient> | undefined
  #printsWatches = true
  exitCode = 0

  constructor(ports: ShellPorts) {
    this.#ports = ports
  }

  /** One command; what goes wrong is shown and becomes the exit code. */
  async execute(words: readonly string[]): Promise<void> {
    this.exitCode = 0
    try {
      await this.#execute(words)
    } catch (error) {
      if (error instanceof ShellError) {
        this.#ports.note(error.message)
        this.exitCode = error.exitCode
      } else if (isZooKeeperError(error)) {
        const path = words.slice(1).find((word) => word.startsWith('/'))
        this.#ports.note(errorText(error, path))
        this.exitCode = 1
      } else throw error
    }
  }

  /** Until the input or a `quit` ends it. */
  async executeAll(input: Readable, prompt: () => void): Promise<void> {
    // At once, so that the first command is not the one that waits.
    await this.#connected().catch(() => undefined)
    prompt()
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const words = splitWords(line)
      if (words[0] === 'quit') return
      if (words.length > 0) {
        this.#history.push(line.trim())
        await this.execute(words)
      }
      prompt()
    }
  }

  /** Lines so far. */
  get count(): number {
    return this.#history.length
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined)
    this.#session = undefined
    await session?.close()
  }

  async #execute([name = '', ...rest]: readonly string[]): Promise<void> {
    switch (name) {
      case 'close':
        return this.close()
      case 'connect':
        await this.close()
        this.#session = this.#ports.open(rest[0])
        await this.#session
        return
      case 'history':
        return this.#showHistory()
      case 'redo':
        return this.#redo(rest[0])
      case 'printwatches':
        if (rest[0] !== undefined) this.#printsWatches = rest[0] === 'on'
        return this.#ports.line(`printwatches is ${this.#printsWatches ? 'on' : 'off'}`)
      case 'version':
        return this.#ports.line(this.#ports.versionText)
      default:
    }
    const [known = name, ...more] = oldShellCommands[name] ?? [name]
    const command = Object.hasOwn(shellCommands, known) ? shellCommands[known] : undefined
    if (command === undefined) {
      const lines = [...shellUsage, `Command not found: Command not found ${name}`]
      throw new ShellError(lines.join('\n'), 127)
    }
    const given = parseWords([...more, ...rest], command.flags ?? {})
    const [least, most] = command.words
    if (given.rest.length < least || given.rest.length > most) {
      throw new ShellError(`${known} ${command.usage}`)
    }
    const path = most === 0 || known === 'addauth' ? undefined : given.rest[0]
    if (path !== undefined) checkPath(path)
    await command.run(await this.#connected(), given, this.#output())
  }

  #connected(): Promise<ZooKeeperClient> {
    this.#session ??= this.#ports.open()
    return this.#session
  }

  #output(): ShellOutput {
    const { line, note } = this.#ports
    const watcher: ShellOutput['watcher'] = (event) => {
      if (this.#printsWatches) line(eventText(event).replace(/\n$/, ''))
    }
    return { line, note, watcher }
  }

  #showHistory(): void {
    const first = Math.max(0, this.#history.length - 11)
    for (const [index, line] of this.#history.slice(first).entries()) {
      this.#ports.line(`${first + index} - ${line}`)
    }
  }

  async #redo(text: string | undefined): Promise<void> {
    const line = /^\d+$/.test(text ?? '') ? this.#history[Number(text)] : undefined
    const words = splitWords(line ?? '')
    if (words[0] === undefined) throw new ShellError('Command index out of range')
    if (words[0] === 'redo') throw new ShellError('No redoing redos')
    await this.#execute(words)
  }
}

/** @throws ShellError */
function checkPath(path: string): void {
  if (!path.startsWith('/')) throw new ShellError('Path must start with / character')
  if (path.length > 1 && path.endsWith('/'))
    throw new ShellError('Path must not end with / character')
}
