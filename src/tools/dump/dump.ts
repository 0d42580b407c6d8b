// One file after another as kafka-dump-log of 3.9.1 shows it.
import { resolve } from 'node:path'
import { batchSize } from '../../kafka/records/batch.ts'
import { sourceRecords } from '../../kafka/records/read.ts'
import { type Disk, DiskError, type DiskFile, readFile } from '../../runtime/disk.ts'
import { decodeSnapshot } from '../../storage/producer-snapshot.ts'
import { batchLine, recordLine } from './batch-lines.ts'
import { Findings } from './findings.ts'
import { dumpOffsetIndex, dumpTimeIndex, dumpTransactionIndex } from './indexes.ts'
import { batchesOf } from './log-walk.ts'
import type { DumpOrder } from './options.ts'

export interface DumpPorts {
  readonly disk: Disk
  /** Takes a line of standard output; resolves when more may come. */
  readonly line: (text: string) => Promise<void>
  /** Takes a line of standard error. */
  readonly complain: (text: string) => void
}

/** Resolves to the exit code: 1 where a file could not be read. */
export async function dump(order: DumpOrder, ports: DumpPorts): Promise<number> {
  const findings = new Findings()
  let exitCode = 0
  for (const path of order.files) {
    await ports.line(`Dumping ${path}`)
    try {
      await dumpFile(path, order, ports, findings)
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof RangeError)) throw error
      ports.complain(error instanceof DiskError ? `${path}: ${error.message}` : error.message)
      exitCode = 1
    }
  }
  for (const line of findings.lines()) ports.complain(line)
  return exitCode
}

/** @throws DiskError, RangeError */
async function dumpFile(
  path: string,
  order: DumpOrder,
  ports: DumpPorts,
  findings: Findings,
): Promise<void> {
  const suffix = /\.[a-z]+$/.exec(path)?.[0] ?? ''
  const place = { path, absolutePath: resolve(path), baseOffset: baseOffsetOf(path), findings }
  const checks = { checksOnly: order.checksIndexOnly, verifiesOnly: order.verifiesIndexOnly }
  switch (suffix) {
    case '.log':
      return dumpLog(path, order, ports, findings)
    case '.index':
      return dumpOffsetIndex(place, checks, ports)
    case '.timeindex':
      return dumpTimeIndex(place, checks, ports)
    case '.txnindex':
      return dumpTransactionIndex(path, ports)
    case '.snapshot':
      return dumpSnapshot(path, ports)
    default:
      return ports.complain(`Ignoring unknown file ${path}`)
  }
}

function baseOffsetOf(path: string): number {
  return Number(/(\d+)\.[a-z]+$/.exec(path)?.[1] ?? 0)
}

async function dumpLog(
  path: string,
  order: DumpOrder,
  ports: DumpPorts,
  findings: Findings,
): Promise<void> {
  await ports.line(`Log starting offset: ${baseOffsetOf(path)}`)
  const file = ports.disk.open(path, 'read')
  try {
    await dumpBatches(file, order, ports, findings)
  } finally {
    file.close()
  }
}

async function dumpBatches(
  file: DiskFile,
  order: DumpOrder,
  ports: DumpPorts,
  findings: Findings,
): Promise<void> {
  const absolutePath = resolve(file.path)
  const size = file.size()
  let end = 0
  let lastOffset = -1
  for await (const { position, bytes } of batchesOf(file, 0, Math.min(size, order.bytesMax))) {
    end = position + batchSize(bytes, 0)
    await ports.line(batchLine(bytes, position))
    if (!order.deep) continue
    for (const record of recordsOf(bytes, file.path, position)) {
      if (lastOffset >= 0 && record.offset !== lastOffset + 1) {
        findings.add('gap', absolutePath, lastOffset, record.offset)
      }
      lastOffset = record.offset
      await ports.line(recordLine(bytes, record, order))
    }
  }
  if (end < size && order.bytesMax === Infinity) {
    const name = file.path.replace(/^.*\//, '')
    await ports.line(`Found ${size - end} invalid bytes at the end of ${name}`)
  }
}

/** @throws RangeError that names the place of records that cannot be read */
function recordsOf(
  bytes: Buffer,
  path: string,
  position: number,
): ReturnType<typeof sourceRecords> {
  try {
    return sourceRecords(bytes, 0)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new RangeError(`${path}: the batch at position ${position} cannot be read: ${reason}`)
  }
}

async function dumpSnapshot(path: string, ports: DumpPorts): Promise<void> {
  const states = decodeSnapshot(readFile(ports.disk, path))
  if (states === undefined) {
    return ports.line(`Snapshot file '${resolve(path)}' is corrupted`)
  }
  for (const state of states) {
    const last = state.batches.at(-1)
    const first = state.transactionFirstOffset
    const batchText =
      last === undefined
        ? ''
        : `firstSequence: ${last.firstSequence} lastSequence: ${last.lastSequence}` +
          ` lastOffset: ${last.lastOffset} offsetDelta: ${last.offsetDelta} timestamp: ${last.timestamp}`
    await ports.line(
      `producerId: ${state.producerId} producerEpoch: ${state.epoch}` +
        ` coordinatorEpoch: ${state.coordinatorEpoch}` +
        ` currentTxnFirstOffset: ${first < 0 ? 'OptionalLong.empty' : `OptionalLong[${first}]`}` +
        ` lastTimestamp: ${state.lastTimestamp} ${batchText}`,
    )
  }
}
