// kafka-dump-log: the golden directories as 3.9.1 itself shows them, and files that are broken.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { nodeDisk } from '../../src/node/disk.ts'
import { dump } from '../../src/tools/dump/dump.ts'
import { dumpOptions, dumpOrder } from '../../src/tools/dump/options.ts'
import { parseOptions } from '../../src/tools/options.ts'
import { untar } from '../storage/untar.ts'

const golden = new URL('../golden/tools/', import.meta.url)
const directories = new URL('../golden/storage/', import.meta.url)

function temporaryDirectory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-dump-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

interface Dumped {
  readonly exitCode: number
  readonly lines: readonly string[]
  readonly complaints: readonly string[]
}

/** Dumps files of a directory, whose name is taken out of what is printed. */
async function dumpOf(
  directory: string,
  files: readonly string[],
  ...flags: readonly string[]
): Promise<Dumped> {
  const lines: string[] = []
  const complaints: string[] = []
  const paths = files.map((file) => join(directory, file)).join(',')
  const order = dumpOrder(parseOptions(dumpOptions, [...flags, '--files', paths]))
  const inside = (text: string): string => text.replaceAll(`${directory}/`, '')
  const exitCode = await dump(order, {
    disk: nodeDisk,
    line: (text) => {
      lines.push(inside(text))
      return Promise.resolve()
    },
    complain: (text) => void complaints.push(inside(text)),
  })
  return { exitCode, lines, complaints }
}

/** Lines of standard output, and behind them those of standard error. */
function goldenLines(name: string): string[] {
  const text = gunzipSync(readFileSync(new URL(`${name}.txt.gz`, golden))).toString('utf8')
  return text.split('\n').slice(0, -1)
}

const dumpedFiles = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^Dumping (.*)$/.exec(line)?.[1] ?? [])

/** The original prints a set in an order of its own. */
const sortedPartitions = (line: string): string =>
  line.replace(/partitions=\[([^\]]*)\]/, (_, list: string) => {
    return `partitions=[${list.split(',').sort().join(',')}]`
  })

const decoders = [
  ['', '--print-data-log'],
  ['-offsets', '--offsets-decoder'],
  ['-transactions', '--transaction-log-decoder'],
] as const

for (const state of ['clean', 'killed']) {
  for (const [suffix, flag] of decoders) {
    test(`a directory of 3.9.1, ${state}, is shown as 3.9.1 shows it with ${flag}`, async (t) => {
      const directory = temporaryDirectory(t)
      untar(new URL(`3.9.1-${state}.tar.gz`, directories), directory)
      const all = goldenLines(`dump-${state}${suffix}`)
      const end = all.findIndex((line) => /^(?:Mismatches|Non-consecutive)/.test(line))
      const expected = all.slice(0, end < 0 ? all.length : end)
      const { exitCode, lines, complaints } = await dumpOf(directory, dumpedFiles(all), flag)
      assert.deepEqual(lines.map(sortedPartitions), expected.map(sortedPartitions))
      assert.equal(exitCode, 0)
      const told = (end < 0 ? [] : all.slice(end)).map((line) => line.replace(`${state}/`, ''))
      // By file in an order of the original's own.
      assert.deepEqual(complaints.toSorted(), told.toSorted())
    })
  }
}

test('formats 0 and 1 are shown as 3.9.1 shows them', async (t) => {
  const directory = temporaryDirectory(t)
  untar(new URL('0.10.1.0-clean.tar.gz', directories), directory)
  const expected = goldenLines('dump-0.10.1.0-by-3.9.1')
  const { lines } = await dumpOf(directory, dumpedFiles(expected), '--print-data-log')
  assert.deepEqual(lines, expected)
})

async function copied(t: TestContext): Promise<string> {
  const directory = temporaryDirectory(t)
  untar(new URL('3.9.1-clean.tar.gz', directories), directory)
  return directory
}

const log = 'codec-none-0/00000000000000000000.log'

test('without deep iteration only batches are shown, and of these no more than --max-bytes holds', async (t) => {
  const directory = await copied(t)
  const { lines } = await dumpOf(directory, [log])
  const batches = lines.filter((line) => line.startsWith('baseOffset: '))
  assert.equal(lines.length, batches.length + 2)
  const size = Number(/ size: (\d+)/.exec(batches[0] ?? '')?.[1])
  const limited = await dumpOf(directory, [log], '--max-bytes', String(size + 10))
  assert.deepEqual(limited.lines.slice(2), batches.slice(0, 1))
})

test('bytes that are no batch are counted, at any place where a log may break', async (t) => {
  const directory = await copied(t)
  const path = join(directory, log)
  const whole = readFileSync(path)
  writeFileSync(path, whole.subarray(0, whole.length - 7))
  const { lines, exitCode } = await dumpOf(directory, [log])
  assert.match(lines.at(-1) ?? '', /^Found \d+ invalid bytes at the end of 0+\.log$/)
  assert.equal(exitCode, 0)
  writeFileSync(path, Buffer.alloc(100, 0xff))
  const hostile = await dumpOf(directory, [log], '--deep-iteration')
  assert.equal(
    hostile.lines.at(-1),
    'Found 100 invalid bytes at the end of 00000000000000000000.log',
  )
})

test('a batch that fails its checksum is shown as not valid', async (t) => {
  const directory = await copied(t)
  const path = join(directory, log)
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(70) ^ 1, 70)
  writeFileSync(path, bytes)
  const { lines } = await dumpOf(directory, [log])
  assert.match(lines[2] ?? '', / isvalid: false$/)
})

test('the sanity check says whether an index would be rebuilt', async (t) => {
  const directory = await copied(t)
  const index = 'segments-0/00000000000000000000.index'
  const sane = await dumpOf(directory, [index], '--index-sanity-check')
  assert.deepEqual(sane.lines, [`Dumping ${index}`, `${index} passed sanity check.`])
  writeFileSync(join(directory, index), Buffer.alloc(20))
  const broken = await dumpOf(directory, [index], '--index-sanity-check')
  assert.equal(broken.exitCode, 1)
  assert.match(broken.complaints[0] ?? '', /is corrupt, found 20 bytes/)
})

test('--verify-index-only tells entries that do not fit the log and nothing else', async (t) => {
  const directory = await copied(t)
  const index = 'segments-0/00000000000000000000.index'
  const bytes = readFileSync(join(directory, index))
  bytes.writeInt32BE(bytes.readInt32BE(0) - 1, 0)
  writeFileSync(join(directory, index), bytes)
  const { lines, complaints } = await dumpOf(directory, [index], '--verify-index-only')
  assert.deepEqual(lines, [`Dumping ${index}`])
  assert.equal(complaints[0], `Mismatches in :${index}`)
  assert.equal(complaints.length, 2)
})

test('other files are passed over, missing ones named', async (t) => {
  const directory = await copied(t)
  const { complaints, exitCode } = await dumpOf(directory, ['meta.properties', 'nope-0/1.log'])
  assert.equal(complaints[0], 'Ignoring unknown file meta.properties')
  assert.match(complaints[1] ?? '', /^nope-0\/1\.log: ENOENT/)
  assert.equal(exitCode, 1)
})
