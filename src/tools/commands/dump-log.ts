// kafka-dump-log: prints what stands in the files of a log directory.
import { dump } from '../dump/dump.ts'
import { dumpOptions, dumpOrder } from '../dump/options.ts'
import type { Options } from '../options.ts'
import { write } from '../output.ts'
import type { Command, Tool } from '../tool.ts'

export const dumpLogCommand: Command<typeof dumpOptions> = {
  name: 'kafka-dump-log',
  className: 'kafka.tools.DumpLogSegments',
  about: 'Prints logs, indexes and snapshots, and whether they fit each other.',
  options: dumpOptions,
  run,
}

/** Lines are gathered, since each write costs more than a line. */
const pieceLength = 64 * 1024

async function run(given: Options<typeof dumpOptions>, tool: Tool): Promise<number> {
  const order = dumpOrder(given)
  const { stdout, stderr } = tool.context
  let piece = ''
  const exitCode = await dump(order, {
    disk: tool.ports.disk,
    line: async (text) => {
      piece += `${text}\n`
      if (piece.length < pieceLength) return
      const full = piece
      piece = ''
      await write(stdout, full)
    },
    complain: (text) => void stderr.write(`${text}\n`),
  })
  await write(stdout, piece)
  return exitCode
}
