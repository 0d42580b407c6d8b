/** The tools as processes. */
import { realPorts } from '../node/ports.ts'
import { packageVersion } from '../node/surroundings.ts'
import type { Main } from '../runtime/process.ts'
import { consoleConsumerCommand } from './commands/console-consumer.ts'
import { consoleProducerCommand } from './commands/console-producer.ts'
import { getOffsetsCommand } from './commands/get-offsets.ts'
import { topicsCommand } from './commands/topics.ts'
import { toolMain, type ToolMainOptions } from './tool.ts'

const real: ToolMainOptions = {
  // Standard output carries results only.
  ports: ({ stderr }) => realPorts({ logStream: stderr, logLevel: 'WARN' }),
  productVersion: packageVersion,
}

export const topics: Main = toolMain(topicsCommand, real)
export const consoleProducer: Main = toolMain(consoleProducerCommand, real)
export const consoleConsumer: Main = toolMain(consoleConsumerCommand, real)
export const getOffsets: Main = toolMain(getOffsetsCommand, real)
