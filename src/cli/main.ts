/** The entry of every command: finds it by name and runs it in this process. */
import { runMain } from '../node/process.ts'
import { packageVersion } from '../node/surroundings.ts'
import type { ProcessContext } from '../runtime/process.ts'
import { UserError } from '../runtime/service.ts'
import { commands } from './commands.ts'

const kafkaVersion = '3.9.1'

function help(): string {
  const width = Math.max(...commands.map((command) => command.name.length)) + 2
  return [
    'Usage: millrace COMMAND [ARGUMENTS]',
    '',
    ...commands.map((command) => `  ${command.name.padEnd(width)}${command.about}`),
    '',
    'millrace COMMAND --help says more of one. millrace --version prints the version.',
    '',
  ].join('\n')
}

async function main(context: ProcessContext): Promise<number> {
  let [name, ...rest] = context.arguments
  if (name === 'run-class') [name, ...rest] = rest
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    context.stdout.write(help())
    return name === undefined ? 1 : 0
  }
  if (name === '--version') {
    context.stdout.write(`${packageVersion()}\n`)
    return 0
  }
  const command = commands.find((one) => one.name === name || one.aliases.includes(name))
  if (command === undefined)
    throw new UserError(`there is no command '${name}'; 'millrace --help' lists them`)
  if (command.usage !== undefined && (rest[0] === '--help' || rest[0] === '-h')) {
    context.stdout.write(`Usage: millrace ${command.usage}\n\n${command.about}\n`)
    return 0
  }
  // Kafka's own answer to it: the version of the protocol first.
  if (command.name === 'broker' && rest.includes('--version')) {
    context.stdout.write(`${kafkaVersion} (Millrace ${packageVersion()})\n`)
    return 0
  }
  const run = await command.load()
  return run({ ...context, arguments: rest })
}

await runMain(main)
