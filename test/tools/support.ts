// What tool tests share: a process context that keeps what was written, and fakes of the client.
import { PassThrough, Readable, Writable } from 'node:stream'
import type { Admin, ClusterAdmin } from '../../src/client/admin/types.ts'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { MemoryLogger } from '../../src/memory/logger.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import type { ProcessContext } from '../../src/runtime/process.ts'
import type { Tool } from '../../src/tools/tool.ts'

/** Keeps all that is written, as text. */
export class TextSink extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

export interface FakeContext extends ProcessContext {
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** As a signal would. */
  readonly stop: (reason: string) => void
}

export function fakeContext(
  commandLine: readonly string[] = [],
  stdin: Readable = Readable.from([]),
): FakeContext {
  let stop: (reason: string) => void = () => undefined
  const stopRequested = new Promise<string>((resolve) => {
    stop = resolve
  })
  return {
    arguments: commandLine,
    environment: {},
    stdin,
    stdout: new TextSink(),
    stderr: new TextSink(),
    stopRequested,
    stop: (reason) => stop(reason),
  }
}

/** Input that comes in these chunks; open at the end unless it is to end. */
export function input(chunks: readonly (string | Buffer)[], options = { ends: true }): Readable {
  const stream = new PassThrough()
  for (const chunk of chunks) stream.write(chunk)
  if (options.ends) stream.end()
  return stream
}

/** An admin client that knows what a test gives it; any other call rejects. */
export function fakeAdmin(known: Partial<Admin>): Admin {
  const unexpected = (): Promise<never> => Promise.reject(new Error('not expected'))
  return {
    describeCluster: unexpected,
    listTopics: unexpected,
    describeTopics: unexpected,
    createTopics: unexpected,
    deleteTopics: unexpected,
    createPartitions: unexpected,
    deleteRecords: unexpected,
    describeConfigs: unexpected,
    alterConfigs: unexpected,
    listOffsets: unexpected,
    listGroups: unexpected,
    describeGroups: unexpected,
    deleteGroups: unexpected,
    groupOffsets: unexpected,
    setGroupOffsets: unexpected,
    ...known,
  }
}

/** The same with all that can be asked of a cluster. */
export function fakeClusterAdmin(known: Partial<ClusterAdmin>): ClusterAdmin {
  const unexpected = (): Promise<never> => Promise.reject(new Error('not expected'))
  return {
    ...fakeAdmin({}),
    deleteTopicsById: unexpected,
    replaceConfigs: unexpected,
    offsetsForLeaderEpochs: unexpected,
    describeProducers: unexpected,
    describeLogDirs: unexpected,
    alterReplicaLogDirs: unexpected,
    electLeaders: unexpected,
    alterPartitionReassignments: unexpected,
    listPartitionReassignments: unexpected,
    deleteGroupOffsets: unexpected,
    removeGroupMembers: unexpected,
    ...known,
  }
}

export interface FakeTool extends Tool {
  readonly context: FakeContext
  readonly logger: MemoryLogger
  readonly disk: MemoryDisk
}

/** A tool whose surroundings are in memory. */
export function fakeTool(commandLine: readonly string[] = []): FakeTool {
  const clock = new VirtualClock()
  const random = new SeededRandom(7)
  const logger = new MemoryLogger()
  const disk = new MemoryDisk()
  const network = new MemoryNetwork({ clock, random })
  const ports = { clock, random, logger, disk, network }
  return { context: fakeContext(commandLine), ports, logger, disk }
}
