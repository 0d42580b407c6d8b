/** The entry of every command: finds it by name and runs it in this process. */
import { runMain } from '../node/process.ts'
import { packageVersion } from '../node/surroundings.ts'
import type { ProcessContext } from '../runtime/process.ts'
import { UserError } from '../runtime/service.ts'
import { commands } from './commands.ts'

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
  const run = await command.load()
  return run({ ...context, arguments: rest })
}

await runMain(main)
