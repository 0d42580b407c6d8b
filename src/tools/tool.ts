// What every tool does: reads its command line, answers --help and --version, shows errors, opens a
// client and closes it again.
import { KafkaClient } from '../client/client.ts'
import { parseAddress } from '../client/metadata.ts'
import { readFile, DiskError } from '../runtime/disk.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Main, ProcessContext } from '../runtime/process.ts'
import { parseProperties } from '../runtime/properties.ts'
import { type Ports, UserError } from '../runtime/service.ts'
import { brokersFromZooKeeper, connectString } from './bootstrap.ts'
import type { CommonSettings } from './client-settings.ts'
import {
  helpText,
  OptionError,
  type Options,
  type OptionTable,
  parseOptions,
  spellingWarnings,
} from './options.ts'

export type ToolPorts = Pick<Ports, 'clock' | 'disk' | 'network' | 'random' | 'logger'>

/** What a command gets to work with. */
export interface Tool {
  readonly context: ProcessContext
  readonly ports: ToolPorts
  /** Under the name of the original's class. */
  readonly logger: Logger
}

export interface Command<T extends OptionTable> {
  /** As the script is called, without .sh. */
  readonly name: string
  /** The Java class: the name in log lines. */
  readonly className: string
  readonly about: string
  readonly options: T
  /** Resolves to the exit code. */
  readonly run: (options: Options<T>, tool: Tool) => Promise<number>
}

/** The version of Kafka whose tools these are. */
const kafkaVersion = '3.9.1'

export interface ToolMainOptions {
  /** Made when the command runs. */
  readonly ports: (context: ProcessContext) => ToolPorts
  readonly productVersion: () => string
}

export function toolMain<T extends OptionTable>(
  command: Command<T>,
  { ports, productVersion }: ToolMainOptions,
): Main {
  return async (context) => {
    const { arguments: commandLine, stdout, stderr } = context
    if (commandLine.includes('--help')) {
      stdout.write(helpText(command.name, command.about, command.options))
      return 0
    }
    if (commandLine.includes('--version')) {
      stdout.write(`${kafkaVersion} (Millrace ${productVersion()})\n`)
      return 0
    }
    try {
      const options = parseOptions(command.options, commandLine)
      for (const warning of spellingWarnings(commandLine)) stderr.write(`WARNING: ${warning}\n`)
      if (options.words.length > 0) {
        stderr.write(`WARNING: no option takes '${options.words.join(' ')}': ignored\n`)
      }
      const made = ports(context)
      const tool = { context, ports: made, logger: made.logger.named(command.className) }
      return await command.run(options, tool)
    } catch (error) {
      if (error instanceof OptionError) {
        stderr.write(`${error.message}\n'${command.name} --help' lists the options.\n`)
        return 1
      }
      if (!(error instanceof UserError)) throw error
      stderr.write(`${error.message}\n`)
      return 1
    }
  }
}

/** The exit code of a Java process that a signal ended. */
export function stoppedCode(reason: string): number {
  return reason === 'SIGINT' ? 130 : 143
}

/** A properties file of the command line; nothing where none is named. @throws UserError */
export function propertiesOf(tool: Tool, path: string | undefined): Record<string, string> {
  if (path === undefined) return {}
  try {
    return parseProperties(readFile(tool.ports.disk, path).toString('utf8'))
  } catch (error) {
    if (error instanceof DiskError) throw new UserError(`${path} cannot be read (${error.code})`)
    throw error
  }
}

/** Where brokers are to be found: at most one of the two is used, the first. */
export interface Whereabouts {
  /** host:port,host:port */
  readonly brokers?: string | undefined
  /** Words of --zookeeper, the older way. */
  readonly zookeeper?: readonly string[]
}

/**
 * The list of addresses, from ZooKeeper if need be, which draws a warning.
 * @throws OptionError for what is no address, or no broker in ZooKeeper
 */
export async function findBrokers(
  tool: Tool,
  { brokers, zookeeper }: Whereabouts,
): Promise<string[]> {
  if (brokers !== undefined) {
    const list = brokers.split(',').filter((one) => one.trim() !== '')
    if (list.length > 0 && list.every((one) => parseAddress(one) !== undefined)) return list
    throw new OptionError('Please provide valid host:port like host1:9091,host2:9092')
  }
  if (zookeeper === undefined || zookeeper.length === 0) return []
  tool.context.stderr.write(
    'WARNING: --zookeeper is deprecated; brokers are looked up there. Use --bootstrap-server.\n',
  )
  return brokersFromZooKeeper(tool.ports, connectString(zookeeper))
}

export interface ClientOptions {
  readonly settings: CommonSettings
  readonly warnings: readonly string[]
  /** Go before what the properties say. */
  readonly bootstrapServers: readonly string[]
  readonly clientId: string
}

/** @throws UserError where no broker is named */
export function openClient(tool: Tool, options: ClientOptions): KafkaClient {
  for (const warning of options.warnings) tool.logger.warn(warning)
  const { settings, bootstrapServers, clientId } = options
  return new KafkaClient(tool.ports, {
    clientId,
    ...settings,
    bootstrapServers:
      bootstrapServers.length > 0 ? bootstrapServers : (settings.bootstrapServers ?? []),
  })
}
