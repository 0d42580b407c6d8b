/** Two brokers' logs of the same partitions, side by side. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../test/platform/chain.ts'
import { runTool } from '../support/kafka.ts'

function segmentsOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.log'))
}

function bytesOf(directory: string): Buffer {
  return Buffer.concat(segmentsOf(directory).map((name) => readFileSync(join(directory, name))))
}

/** What the original's dump tool says of a log, without the names of its files. */
async function dumpOf(version: string, directory: string): Promise<string[]> {
  const files = segmentsOf(directory).map((name) => join(directory, name))
  const args = ['--deep-iteration', '--print-data-log', '--files', files.join(',')]
  const className = 'kafka.tools.DumpLogSegments'
  const { code, stdout, stderr } = await runTool(version, className, args, '', 120_000)
  assert.equal(code, 0, stderr)
  const lines = stdout.split('\n').filter((line) => !line.startsWith('Dumping'))
  const complaints = lines.filter((line) => /isvalid: false|mismatch|Exception|Found/.test(line))
  assert.deepEqual(complaints, [])
  return lines
}

/** Nothing is written any more: waits until both have the same bytes, and has the original dump both. */
export async function assertSameLogs(
  version: string,
  directories: readonly [string, string],
): Promise<void> {
  const [one, other] = directories
  await until(`${one} and ${other} are equal`, 30_000, () =>
    bytesOf(one).equals(bytesOf(other)) ? true : undefined,
  )
  assert.ok(bytesOf(one).length > 0, one)
  const dump = await dumpOf(version, one)
  assert.ok(dump.length > 10, dump.join('\n'))
  assert.deepEqual(await dumpOf(version, other), dump)
}
