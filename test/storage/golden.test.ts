/**
 * Goal: directories of real brokers open here and hold what real consumers read from them. Method:
 * unpack, open, read every log from its start to its end, compare with the listing; delete what may be
 * deleted, and compare what is rebuilt byte by byte.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'
import * as batch from '../../src/kafka/records/batch.ts'
import { sourceRecords } from '../../src/kafka/records/read.ts'
import { nodeDisk } from '../../src/node/disk.ts'
import type { LogDirectory } from '../../src/storage/log-directory.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { readMetaProperties } from '../../src/storage/meta-properties.ts'
import { defaultLogSettings } from '../../src/storage/settings.ts'
import { temporaryDirectory, worldOn } from './harness.ts'
import { untar } from './untar.ts'

interface Listing {
  readonly offsets: Readonly<Record<string, { start: number; end: number; stable: number }>>
  readonly read_uncommitted: readonly ListedRecord[]
}

interface ListedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
}

const golden = new URL('../golden/storage/', import.meta.url)

function listingOf(name: string): Listing {
  const bytes = gunzipSync(fs.readFileSync(new URL(`${name}-listing.json.gz`, golden)))
  return JSON.parse(bytes.toString('utf8')) as Listing
}

function settingsOf(topic: string) {
  const small = topic === 'segments' || topic === 'deleted-records'
  const compacts = topic.includes('compacted') || topic.startsWith('__')
  return { ...defaultLogSettings, compacts, indexIntervalBytes: small ? 512 : 4096 }
}

async function openGolden(directory: string): Promise<LogDirectory> {
  const meta = readMetaProperties(nodeDisk, path.join(directory, 'meta.properties'))
  const world = worldOn(nodeDisk, directory)
  return world.open(
    {},
    { brokerId: meta?.brokerId ?? 1, clusterId: meta?.clusterId ?? 'c', settingsOf },
  )
}

/** Everything a consumer sees: `topic-partition offset timestamp key value`, control records left out. */
function contents(log: PartitionLog): string[] {
  const lines: string[] = []
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    const options = { maxBytes: 3000, upTo: log.logEndOffset, minOneBatch: true }
    const { slice } = log.read(offset, options)
    if (slice === undefined) break
    const bytes = Buffer.alloc(slice.length)
    assert.equal(log.readInto(slice, bytes, 0), slice.length)
    for (const at of batch.batches(bytes, 0, bytes.length)) {
      const v2 = batch.magic(bytes, at) === 2
      if (!v2 || !batch.isControl(bytes, at)) {
        for (const record of sourceRecords(bytes, at)) {
          if (record.offset < offset) continue
          const { key, value, timestamp } = record
          lines.push(line(log.name, record.offset, timestamp, base64(key), base64(value)))
          offset = record.offset + 1
        }
      }
      offset = Math.max(
        offset,
        (v2 ? batch.lastOffset(bytes, at) : batch.baseOffset(bytes, at)) + 1,
      )
    }
  }
  return lines
}

function line(...parts: readonly (string | number | null)[]): string {
  return parts.join(' ')
}

function base64(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('base64')
}

function check(directory: LogDirectory, listing: Listing): void {
  const expected = new Map<string, string[]>()
  for (const record of listing.read_uncommitted) {
    const { topic, partition, offset, timestamp, key, value } = record
    const name = `${topic}-${partition}`
    const lines = expected.get(name) ?? []
    lines.push(line(name, offset, timestamp, key, value))
    expected.set(name, lines)
  }
  assert.deepEqual(Object.keys(listing.offsets).sort(), [...directory.logs.keys()].sort())
  for (const [name, offsets] of Object.entries(listing.offsets)) {
    const log = directory.logs.get(name)
    assert.ok(log !== undefined)
    log.advanceHighWatermark(log.logEndOffset)
    const { logStartOffset: start, logEndOffset: end, lastStableOffset: stable } = log
    assert.deepEqual({ start, end, stable }, offsets, name)
    assert.deepEqual(contents(log), expected.get(name) ?? [], name)
  }
}

/** Every file of the logs, by path, but for those that only say when. */
function files(directory: string, suffixes: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const log of fs.readdirSync(directory, { withFileTypes: true })) {
    if (!log.isDirectory()) continue
    for (const name of fs.readdirSync(path.join(directory, log.name))) {
      if (!suffixes.some((suffix) => name.endsWith(suffix))) continue
      const bytes = fs.readFileSync(path.join(directory, log.name, name))
      found.set(`${log.name}/${name}`, bytes.toString('hex'))
    }
  }
  return found
}

describe('log directories of real brokers', () => {
  for (const name of ['3.9.1-clean', '3.9.1-killed', '0.10.1.0-clean', '0.10.1.0-killed']) {
    it(`${name} opens and holds what a consumer read from it, before and after our own close`, async (test) => {
      const target = temporaryDirectory(test)
      untar(new URL(`${name}.tar.gz`, golden), target)
      const listing = listingOf(name)
      const first = await openGolden(target)
      check(first, listing)
      await first.close(true)
      assert.equal(fs.existsSync(path.join(target, '.kafka_cleanshutdown')), true)
      const second = await openGolden(target)
      assert.equal(fs.existsSync(path.join(target, '.kafka_cleanshutdown')), false)
      check(second, listing)
      await second.close(false)
    })
  }

  it('a clean directory is opened without being changed', async (test) => {
    const target = temporaryDirectory(test)
    untar(new URL('3.9.1-clean.tar.gz', golden), target)
    const all = ['.log', '.index', '.timeindex', '.txnindex', '.snapshot', '.metadata']
    const before = files(target, all)
    const directory = await openGolden(target)
    assert.ok(isDeepStrictEqual(files(target, all), before))
    await directory.close(true)
    assert.ok(isDeepStrictEqual(files(target, all), before))
  })

  it('indexes that were deleted are rebuilt as the broker wrote them', async (test) => {
    const target = temporaryDirectory(test)
    untar(new URL('3.9.1-clean.tar.gz', golden), target)
    // Compaction copies index entries of the segments it merges, and writes others than a rebuild.
    const kinds = ['.index', '.timeindex', '.txnindex']
    const notCompacted = ([name]: [string, string]) => !name.includes('compacted')
    const before = [...files(target, kinds)].filter(notCompacted)
    for (const [name] of before) fs.rmSync(path.join(target, name))
    const directory = await openGolden(target)
    await directory.close(true)
    const after = new Map([...files(target, kinds)].filter(notCompacted))
    let compared = 0
    for (const [name, bytes] of before) {
      // Appends are indexed once per append, a rebuild looks at every batch: times may be finer.
      if (name.endsWith('.timeindex')) continue
      assert.equal(after.get(name), bytes, name)
      compared += 1
    }
    assert.ok(compared > 30)
  })

  it('producer snapshots that were deleted are rebuilt with the same producers', async (test) => {
    const target = temporaryDirectory(test)
    untar(new URL('3.9.1-clean.tar.gz', golden), target)
    const topics = ['transactions-0', 'transactions-1', 'idempotent-0', 'idempotent-1']
    const isOurs = ([name]: [string, string]) => topics.some((topic) => name.startsWith(topic))
    const before = [...files(target, ['.snapshot'])].filter(isOurs)
    assert.equal(before.length, 4)
    for (const [name] of before) fs.rmSync(path.join(target, name))
    fs.rmSync(path.join(target, '.kafka_cleanshutdown'))
    const directory = await openGolden(target)
    await directory.close(true)
    const after = [...files(target, ['.snapshot'])].filter(isOurs)
    const sorted = (entries: [string, string][]) =>
      entries.map(([name, hex]) => [name, producersIn(hex)] as const)
    assert.deepEqual(sorted(after), sorted(before))
  })
})

/** Entries of a snapshot in hexadecimal, sorted: their order does not matter. */
function producersIn(hex: string): string[] {
  const entries = hex.slice(20).match(/.{92}/g) ?? []
  return entries.sort()
}
