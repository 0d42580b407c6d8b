/** The matrix as tests, for the quick run and the whole one. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { KafkaClient } from '../../src/client/client.ts'
import { realPorts } from '../../src/node/ports.ts'
import { type MillraceBroker, startMillrace } from '../support/millrace.ts'
import type { MatrixClient } from './clients.ts'
import {
  chainEnd,
  fillChain,
  partitions,
  produceAll,
  readAll,
  takeShare,
  topicsOf,
} from './matrix.ts'

export type ReadCounts = ReadonlyMap<string, ReadonlyMap<string, number>>

async function createTopics(bootstrap: string, names: readonly string[]): Promise<void> {
  const ports = realPorts({ logLevel: 'ERROR', logStream: process.stderr })
  const client = new KafkaClient(ports, { bootstrapServers: [bootstrap], clientId: 'matrix' })
  const topics = names.map((name) => {
    return { name, partitions, replicationFactor: 1, configs: { 'retention.ms': '-1' } }
  })
  const outcomes = await client.clusterAdmin().createTopics(topics)
  await client.close()
  for (const { error } of outcomes) assert.equal(error, undefined)
}

/**
 * Declares the tests. `bootstrap` names a running broker instead of a Millrace of its own, as a control
 * of the rig. `onEnd` is told which reader read how many records of which writer.
 */
export function declareMatrix(
  clients: readonly MatrixClient[],
  options: { readonly bootstrap?: string; readonly onEnd?: (counts: ReadCounts) => void } = {},
): void {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-matrix-'))
  let broker: MillraceBroker | undefined
  let bootstrap = options.bootstrap ?? ''
  const counts = new Map<string, ReadonlyMap<string, number>>()
  before(async () => {
    if (bootstrap === '') {
      broker = await startMillrace(join(directory, 'broker'))
      bootstrap = broker.address
    }
    await createTopics(bootstrap, topicsOf(clients))
  })
  after(async () => {
    await broker?.stop()
    rmSync(directory, { recursive: true, force: true })
    options.onEnd?.(counts)
  })
  for (const client of clients)
    test(`${client.name} writes with every codec it has`, () => produceAll(client, bootstrap))
  for (const client of clients)
    test(`${client.name} reads what all have written`, async () => {
      counts.set(client.name, await readAll(client, clients, bootstrap))
    })
  let positions = new Map<number, number>()
  for (const [n, client] of clients.entries())
    test(`${client.name} resumes a group where the one before left it`, async () => {
      if (n === 0) await fillChain(client, clients.length, bootstrap)
      positions = await takeShare(client, positions, bootstrap)
    })
  test('all have taken all', () => {
    const end = chainEnd(clients.length)
    assert.deepEqual(
      [...positions].sort(([one], [two]) => one - two),
      Array.from({ length: partitions }, (_, partition) => [partition, end]),
    )
  })
}
