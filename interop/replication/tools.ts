/** The console tools, ours or those of a version of the original, as one function. */
import { join } from 'node:path'
import { root } from '../../test/platform/chain.ts'
import { javaArguments, toolClass } from '../support/kafka.ts'
import { Running } from './running.ts'

export type ToolName = 'topics' | 'console-producer' | 'console-consumer'

/** Starts a tool. */
export type Tools = (name: ToolName, args: readonly string[]) => Running

export const ourTools: Tools = (name, args) =>
  new Running(join(root, 'bin', `kafka-${name}.sh`), args)

const javaNames = {
  topics: 'topics',
  'console-producer': 'consoleProducer',
  'console-consumer': 'consoleConsumer',
} as const

export function realTools(version: string): Tools {
  return (name, args) => {
    const given = javaArguments(version, toolClass(version, javaNames[name]), '128m')
    return new Running('java', [...given, ...args])
  }
}
