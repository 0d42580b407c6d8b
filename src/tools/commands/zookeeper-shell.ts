// zookeeper-shell: looks into ZooKeeper and changes what is there, by one command or many.
import type { Main, ProcessContext } from '../../runtime/process.ts'
import { UserError } from '../../runtime/service.ts'
import { isZooKeeperError, type ZooKeeperClient } from '../../zookeeper/client/client.ts'
import { ZooKeeperSession } from '../../zookeeper/client/session.ts'
import { Shell } from '../shell/shell.ts'
import { connectedText } from '../shell/texts.ts'
import { stoppedCode, type ToolMainOptions, type ToolPorts } from '../tool.ts'

const usage =
  'USAGE: zookeeper-shell.sh zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]\n'
const sessionTimeoutMs = 30_000
const zooKeeperVersion = '3.8.4'

interface ShellOrder {
  readonly connect: string
  readonly timeoutMs: number
  /** Empty: commands come from standard input. */
  readonly command: readonly string[]
}

/** @throws UserError */
export function shellOrder(words: readonly string[]): ShellOrder | undefined {
  let connect: string | undefined
  let timeoutMs = sessionTimeoutMs
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '-server') connect = words[++at]
    else if (word === '-timeout') timeoutMs = Number(words[++at])
    else if (/^-(?:zk-tls-config-file|client-configuration)$/.test(word)) {
      throw new UserError(`${word}: TLS to ZooKeeper is not built`)
    } else if (connect === undefined && !word.startsWith('-')) connect = word
    // Session ids for reconnects and the like are nothing to a new session.
    else if (word !== '-r' && word !== '-waitforconnection') break
  }
  if (connect === undefined) return undefined
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1)
    throw new UserError('-timeout takes milliseconds')
  return { connect, timeoutMs, command: words.slice(at) }
}

export function zookeeperShellMain({ ports, productVersion }: ToolMainOptions): Main {
  return async (context) => {
    const { stdin, stdout, stderr } = context
    const order = shellOrder(context.arguments)
    if (order === undefined || context.arguments.includes('--help')) {
      stderr.write(usage)
      return 1
    }
    const made = ports(context)
    stdout.write(`Connecting to ${order.connect}\n`)
    const shell = new Shell({
      open: (connect) =>
        openSession(made, context, { ...order, connect: connect ?? order.connect }),
      line: (text) => void stdout.write(`${text}\n`),
      note: (text) => void stderr.write(`${text}\n`),
      versionText: `ZooKeeper CLI version: ${zooKeeperVersion} (Millrace ${productVersion()})`,
    })
    const isTerminal = 'isTTY' in stdin && stdin.isTTY === true
    const prompt = (): void => {
      if (isTerminal) stdout.write(`[zk: ${order.connect} ${shell.count}] `)
    }
    const work = async (): Promise<number> => {
      if (order.command.length > 0) await shell.execute(order.command)
      else {
        stdout.write('Welcome to ZooKeeper!\n')
        await shell.executeAll(stdin, prompt)
      }
      return shell.exitCode
    }
    try {
      return await Promise.race([work(), context.stopRequested.then(stoppedCode)])
    } finally {
      await shell.close()
    }
  }
}

/** @throws ZooKeeperError CONNECTIONLOSS where nobody answers; UserError for what is no address */
async function openSession(
  ports: ToolPorts,
  { stdout }: ProcessContext,
  { connect, timeoutMs }: ShellOrder,
): Promise<ZooKeeperClient> {
  let session: ZooKeeperSession
  try {
    const settings = { connect, sessionTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs }
    session = new ZooKeeperSession(ports, settings)
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`${connect}: ${error.message}`)
    throw error
  }
  try {
    await session.start()
  } catch (error) {
    if (isZooKeeperError(error)) await session.close()
    throw error
  }
  stdout.write(connectedText)
  return session
}
