import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { CheckpointError, readCheckpoint, writeCheckpoint } from '../../src/storage/checkpoints.ts'
import {
  deletedDirectory,
  parsePartitionDirectory,
  parseSegmentFile,
  segmentFile,
} from '../../src/storage/file-names.ts'
import { readInt64, writeInt64 } from '../../src/storage/int64.ts'
import { LeaderEpochs } from '../../src/storage/leader-epochs.ts'
import { LogFile, OpenFiles } from '../../src/storage/log-file.ts'
import { OffsetIndex } from '../../src/storage/offset-index.ts'
import { decodeSnapshot, encodeSnapshot } from '../../src/storage/producer-snapshot.ts'
import type { ProducerState } from '../../src/storage/producers.ts'
import { RecentBatches } from '../../src/storage/recent-batches.ts'
import { TimeIndex } from '../../src/storage/time-index.ts'

function put(disk: MemoryDisk, path: string, text: string): void {
  const file = disk.open(path, 'replace')
  const bytes = Buffer.from(text)
  file.write(bytes, 0, bytes.length, 0)
  file.close()
}

describe('checkpoint files', () => {
  it('are written and read in the original\u2019s form', () => {
    const disk = new MemoryDisk()
    writeCheckpoint(
      disk,
      '/c',
      new Map([
        ['a-b-0', 17],
        ['t-12', 9007199254740991],
      ]),
    )
    const file = disk.open('/c', 'read')
    const bytes = Buffer.alloc(file.size())
    file.readNow(bytes, 0, bytes.length, 0)
    assert.equal(bytes.toString(), '0\n2\na-b 0 17\nt 12 9007199254740991\n')
    assert.deepEqual(readCheckpoint(disk, '/c')?.get('a-b-0'), 17)
    assert.equal(readCheckpoint(disk, '/missing'), undefined)
  })

  it('that are damaged are refused with an error that names them', () => {
    const disk = new MemoryDisk()
    for (const text of [
      '1\n0\n',
      '0\n2\na 0 1\n',
      '0\n1\na 0\n',
      '0\n1\na 0 1 2\n',
      '0\n1\na x 1\n',
    ]) {
      put(disk, '/c', text)
      assert.throws(() => readCheckpoint(disk, '/c'), CheckpointError)
    }
  })
})

describe('file names', () => {
  it('are those of the original', () => {
    assert.equal(segmentFile(127, '.timeindex'), '00000000000000000127.timeindex')
    assert.deepEqual(parseSegmentFile('00000000000000000127.log.swap'), {
      offset: 127,
      suffix: '.log',
      temporary: '.swap',
    })
    assert.equal(parseSegmentFile('leader-epoch-checkpoint'), undefined)
    assert.deepEqual(parsePartitionDirectory('odd.name_1-a-0'), {
      kind: 'log',
      topic: 'odd.name_1-a',
      partition: 0,
    })
    const id = 'c41e7ba7f2c44e2c9ddf2f2a0a3ad1e7'
    assert.equal(deletedDirectory('t', 3, id), `t-3.${id}-delete`)
    assert.equal(deletedDirectory('t'.repeat(249), 3, id).length, 255)
    assert.deepEqual(parsePartitionDirectory(`t-3.${id}-delete`), { kind: 'deleted' })
    assert.deepEqual(parsePartitionDirectory(`t-3.${id}-stray`), { kind: 'stray' })
    for (const name of ['lost+found', 'topic', 'topic-', '-1', 'a-b']) {
      assert.equal(parsePartitionDirectory(name), undefined, name)
    }
  })
})

describe('numbers of 64 bits', () => {
  it('are kept exactly within 2^53, and are those of the platform', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const buffer = Buffer.alloc(8)
        writeInt64(buffer, 0, value)
        assert.equal(buffer.readBigInt64BE(0), BigInt(value))
        assert.equal(readInt64(buffer, 0), value)
      }),
    )
  })
})

describe('producer snapshots', () => {
  /** transactions-0 of the golden directory of 3.9.1. */
  const golden = Buffer.from(
    '0001d9d6f22000000002000000000000000100000000000d000000000000002d00000003000001a205d0a18a' +
      '00000000ffffffffffffffff00000000000000020000000000190000000000000029' +
      '00000007000001a205d0a18400000000ffffffffffffffff',
    'hex',
  )

  it('of a real broker are read, and written back byte for byte', () => {
    const states = decodeSnapshot(golden)
    assert.deepEqual(states?.[0], {
      producerId: 1,
      epoch: 0,
      coordinatorEpoch: 0,
      lastTimestamp: 0x1a205d0a18a,
      transactionFirstOffset: -1,
      batches: [
        {
          firstSequence: 10,
          lastSequence: 13,
          lastOffset: 45,
          offsetDelta: 3,
          timestamp: 0x1a205d0a18a,
        },
      ],
    } satisfies ProducerState)
    assert.deepEqual(encodeSnapshot(states ?? []), golden)
  })

  it('are refused wherever they are cut or a bit is wrong', () => {
    for (let length = 0; length < golden.length; length++) {
      assert.equal(decodeSnapshot(golden.subarray(0, length)), undefined)
    }
    for (let at = 0; at < golden.length; at++) {
      const damaged = Buffer.from(golden)
      damaged[at] = (damaged[at] ?? 0) ^ 16
      assert.equal(decodeSnapshot(damaged), undefined)
    }
  })
})

describe('leader epochs', () => {
  const fresh = () => {
    const disk = new MemoryDisk()
    const epochs = new LeaderEpochs(disk, '/e', [])
    epochs.assign(1, 0)
    epochs.assign(2, 10)
    epochs.assign(5, 20)
    return { disk, epochs }
  }

  it('tell where an epoch ended, as OffsetForLeaderEpoch wants it', () => {
    const { epochs } = fresh()
    assert.deepEqual(epochs.endOffsetFor(5, 33), { epoch: 5, endOffset: 33 })
    assert.deepEqual(epochs.endOffsetFor(2, 33), { epoch: 2, endOffset: 20 })
    assert.deepEqual(epochs.endOffsetFor(4, 33), { epoch: 2, endOffset: 20 })
    assert.deepEqual(epochs.endOffsetFor(0, 33), { epoch: 0, endOffset: 0 })
    assert.deepEqual(epochs.endOffsetFor(6, 33), { epoch: -1, endOffset: -1 })
    assert.deepEqual(epochs.endOffsetFor(-1, 33), { epoch: -1, endOffset: -1 })
    assert.deepEqual([epochs.epochOf(9), epochs.epochOf(10), epochs.epochOf(99)], [1, 2, 5])
  })

  it('follow truncation at both ends and later assignments, and are read back', () => {
    const { disk, epochs } = fresh()
    epochs.truncateFromStart(12)
    assert.deepEqual(LeaderEpochs.read(disk, '/e').all, [
      { epoch: 2, startOffset: 12 },
      { epoch: 5, startOffset: 20 },
    ])
    epochs.truncateFromEnd(20)
    assert.equal(epochs.latestEpoch, 2)
    epochs.assign(7, 12)
    assert.deepEqual(LeaderEpochs.read(disk, '/e').all, [{ epoch: 7, startOffset: 12 }])
  })
})

describe('indexes', () => {
  it('find the floor of any offset, in memory and from the file', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 100_000 }), { maxLength: 1500 }),
        fc.array(fc.integer({ min: 0, max: 100_001 }), { minLength: 1, maxLength: 20 }),
        (unsorted, questions) => {
          const offsets = unsorted.sort((one, other) => one - other)
          const file = new LogFile(new OpenFiles(new MemoryDisk(), 10), '/i')
          const index = new OffsetIndex(file, 1000, 0)
          offsets.forEach((offset, at) => index.append(1000 + offset, at * 10 + 5, 100_000))
          const check = (each: OffsetIndex) => {
            for (const question of questions) {
              const at = offsets.findLastIndex((offset) => offset <= question)
              assert.equal(each.floorPosition(1000 + question), at < 0 ? 0 : at * 10 + 5)
            }
            assert.equal(each.lastOffset(), 1000 + (offsets.at(-1) ?? 0))
          }
          check(index)
          index.entries.seal()
          assert.equal(file.size(), offsets.length * 8)
          check(index)
          check(new OffsetIndex(file, 1000, offsets.length))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('cut at an offset hold what lies before it, and go on', () => {
    const file = new LogFile(new OpenFiles(new MemoryDisk(), 10), '/i')
    const index = new TimeIndex(file, 0, 0)
    for (let at = 1; at <= 700; at++) index.maybeAppend(at * 10, at, 12_000)
    index.truncateTo(300)
    assert.deepEqual([index.lastTimestamp(), index.lastOffset()], [2990, 299])
    index.maybeAppend(2990, 400, 12_000)
    index.maybeAppend(5000, 400, 12_000)
    assert.deepEqual([index.lastTimestamp(), index.lastOffset()], [5000, 400])
    index.entries.seal()
    const again = new TimeIndex(file, 0, 300)
    assert.deepEqual([again.floorOffset(4999), again.floorOffset(5000)], [299, 400])
    assert.equal(again.floorOffset(9), 0)
  })

  it('of recent batches answer only what they know for sure', () => {
    const recent = new RecentBatches()
    assert.equal(recent.positionOf(0), -1)
    for (let at = 0; at < 100; at++) recent.add(at * 3 + 2, at * 50)
    assert.equal(recent.positionOf(300), -1)
    assert.equal(recent.positionOf(299), 99 * 50)
    assert.equal(recent.positionOf(297), 99 * 50)
    assert.equal(recent.positionOf(296), 98 * 50)
    assert.equal(recent.positionOf(10), -1)
  })
})

describe('open files', () => {
  it('stay within their bound and are opened again when needed', () => {
    const disk = new MemoryDisk()
    const open = new Set<string>()
    const counted = Object.assign(Object.create(disk) as MemoryDisk, {
      open: (...[path, mode]: Parameters<MemoryDisk['open']>) => {
        const file = disk.open(path, mode)
        open.add(path)
        const close = file.close.bind(file)
        file.close = () => {
          open.delete(path)
          close()
        }
        return file
      },
    })
    const files = new OpenFiles(counted, 3)
    const list = Array.from({ length: 10 }, (_, at) => new LogFile(files, `/f${at}`))
    const byte = Buffer.alloc(1)
    for (let round = 0; round < 3; round++) {
      for (const [at, file] of list.entries()) {
        file.write(Buffer.from([at]), 0, 1, 0)
        assert.ok(open.size <= 3)
      }
    }
    for (const [at, file] of list.entries()) {
      file.readNow(byte, 0, 1, 0)
      assert.equal(byte[0], at)
    }
  })
})
