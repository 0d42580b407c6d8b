/** One broker of ours and one original in a cluster, under producers, as leaders and the controller move (issue 5, C5). */
import { test } from 'node:test'
import { until } from '../../test/platform/chain.ts'
import { Metadata } from '../../src/kafka/messages/metadata.ts'
import type { Journal } from '../endurance/journal.ts'
import { startJava, startOurs } from '../endurance/streams.ts'
import { ask } from '../replication/cluster.ts'
import { makeController, moveLeaders } from '../replication/control.ts'
import { compareJournals, PlainStream } from '../replication/history.ts'
import { assertSameLogs } from '../replication/logs.ts'
import { type Pair, startPair } from '../replication/pair.ts'

const names = ['ours', 'an original'] as const

/** Ours has heard of both, so that topics may have two replicas. */
async function knowsBoth(pair: Pair): Promise<void> {
  await until('both brokers are known', 60_000, async () => {
    const { brokers } = await ask(pair.portOf(0), Metadata, 1, { topics: [] })
    return brokers.length === 2 ? true : undefined
  })
}

/** Every partition acknowledges more than it has. */
async function goOn(journals: readonly Journal[]): Promise<void> {
  const from = journals.map(({ acknowledged }) => acknowledged)
  const gained = (): number[] =>
    journals.map(({ acknowledged }, n) => acknowledged - (from[n] ?? 0))
  await until('every partition takes records', 60_000, () =>
    gained().every((count) => count > 10) ? true : undefined,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${gained().join(', ')}`)
  })
}

test('with 3.9.1, either one controller: leaders move and either is killed; nothing is lost or twice, and logs are equal', async (t) => {
  const pair = await startPair(t, '3.9.1')
  await knowsBoth(pair)
  const topics = ['by-ours', 'by-java']
  await pair.createTopics(topics)
  await pair.areInSync(topics)
  const streams = [
    startOurs(pair.bootstrap, 'by-ours'),
    startJava(pair.bootstrap, 'by-java', '3.9.1'),
  ]
  t.after(() => Promise.allSettled(streams.map((stream) => stream.abandon())))
  const journals = streams.flatMap((stream) => stream.journals)
  await goOn(journals)
  for (const controller of [0, 1] as const) {
    t.diagnostic(`${names[controller]} is the controller`)
    await makeController(pair.zookeeper, controller, pair.portOf(1 - controller))
    const under = { bootstrap: pair.bootstrap, count: 3, port: pair.portOf(controller) }
    for (const leader of [1, 0, 1, 0])
      for (const topic of topics) {
        await moveLeaders({ ...under, topic }, leader)
        await goOn(journals)
      }
    for (const victim of [controller, 1 - controller]) {
      await pair.stop(victim, 'SIGKILL')
      await pair.isLedBy(1 - victim, topics)
      await goOn(journals)
      await pair.start(victim)
      await goOn(journals)
      await compareJournals(pair.bootstrap, journals)
      await pair.areInSync(topics)
    }
    for (const asked of [0, 1]) {
      await pair.stop(asked)
      await pair.isLedBy(1 - asked, topics)
      await pair.start(asked)
      await pair.areInSync(topics)
    }
  }
  for (const stream of streams) await stream.stop()
  await compareJournals(pair.bootstrap, journals)
  for (const topic of topics)
    for (const partition of [0, 1, 2]) await assertSameLogs('3.9.1', pair.logsOf(topic, partition))
})

test('with 0.10.1.0 and ours the controller: leaders move and either is killed; nothing is lost, and logs are equal', async (t) => {
  const pair = await startPair(t, '0.10.1.0')
  await knowsBoth(pair)
  const topics = ['plain']
  await pair.createTopics(topics)
  await pair.areInSync(topics)
  const stream = new PlainStream(pair.bootstrap, 'plain')
  t.after(() => stream.abandon())
  const goOnPlain = async (): Promise<void> => {
    const from = stream.acknowledged
    await until('records are taken', 60_000, () =>
      stream.acknowledged > from + 30 ? true : undefined,
    )
  }
  for (const victim of [1, 0] as const) {
    await makeController(pair.zookeeper, 0, pair.portOf(1))
    const under = { bootstrap: pair.ours.address, topic: 'plain', count: 3, port: pair.portOf(0) }
    for (const leader of [1, 0]) {
      await moveLeaders(under, leader)
      await pair.areInSync(topics)
      await goOnPlain()
    }
    await pair.stop(victim, 'SIGKILL')
    await pair.isLedBy(1 - victim, topics)
    await goOnPlain()
    await pair.start(victim)
    await goOnPlain()
    await stream.compare(pair.bootstrap)
    await pair.areInSync(topics)
  }
  await stream.stop()
  await stream.compare(pair.bootstrap)
  for (const partition of [0, 1, 2])
    await assertSameLogs('0.10.1.0', pair.logsOf('plain', partition))
})
