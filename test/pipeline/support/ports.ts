// Ports for pipelines under test: a memory disk and logger, streams that keep what they get.

import { PassThrough, type Readable, Writable } from 'node:stream'
import { MemoryDisk } from '../../../src/memory/disk.ts'
import { MemoryLogger } from '../../../src/memory/logger.ts'
import { SeededRandom } from '../../../src/memory/random.ts'
import { systemClock } from '../../../src/node/clock.ts'
import { createNodeNetwork } from '../../../src/node/network.ts'
import type { PipelinePorts } from '../../../src/pipeline/plugin.ts'
import { type HttpClient, HttpError } from '../../../src/runtime/http.ts'
import { noMetrics } from '../../../src/runtime/metrics.ts'

export interface TestPorts extends PipelinePorts {
  readonly logger: MemoryLogger
  readonly stdin: PassThrough
  /** What was written to standard output. */
  readonly written: () => string
}

const nobody: HttpClient = {
  send: () => Promise.reject(new HttpError('ECONNREFUSED', 'there is no server')),
}

export function testPorts(changes: Partial<PipelinePorts> = {}): TestPorts {
  const chunks: string[] = []
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString())
      done()
    },
  })
  const clock = changes.clock ?? systemClock
  return {
    clock,
    disk: new MemoryDisk(),
    network: createNodeNetwork(),
    random: new SeededRandom(1),
    metrics: noMetrics,
    http: nobody,
    stdout,
    hostname: 'testhost',
    ...changes,
    stdin: changes.stdin === undefined ? new PassThrough() : passThrough(changes.stdin),
    logger: new MemoryLogger(),
    written: () => chunks.join(''),
  }
}

function passThrough(source: Readable): PassThrough {
  const stream = new PassThrough()
  source.pipe(stream)
  return stream
}
