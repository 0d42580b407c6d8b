// The events a real Filebeat 7.17.28 sent, against ours of the same files and configuration.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { World } from './support/world.ts'

const folder = new URL('../golden/shipper/', import.meta.url)
const golden = (name: string): string => readFileSync(new URL(name, folder), 'utf8')

interface Sent {
  readonly key: string | undefined
  readonly event: Record<string, unknown>
}

function comparable(json: string): Record<string, unknown> {
  const event = JSON.parse(json) as Record<string, unknown> & { agent: Record<string, unknown> }
  assert.match(String(event['@timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  delete event['@timestamp']
  for (const name of ['hostname', 'ephemeral_id', 'id']) {
    assert.equal(typeof event.agent[name], 'string')
    event.agent[name] = 'differs'
  }
  return event
}

function sorted(events: readonly Sent[]): Sent[] {
  const text = ({ event }: Sent): string => JSON.stringify([event['input'], event['log'], event])
  return events.toSorted((left, right) => (text(left) < text(right) ? -1 : 1))
}

/** Field order differs from event to event in the original. */
function inFieldOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(entries.map(([key, child]) => [key, inFieldOrder(child)]))
}

test('every event is the one Filebeat 7.17.28 sent, apart from field order, time and ids', async () => {
  const world = new World()
  world.disk.makeDirectory('/var/log/test')
  for (const name of ['access.log', 'app.log', 'j.log']) {
    world.append(`/var/log/test/${name}`, golden(name))
  }
  await world.start(golden('filebeat.yml'))
  await world.run(15_000)
  const expected = golden('topic.txt')
    .trimEnd()
    .split('\n')
    .map((line): Sent => {
      const [, , , key, json = ''] = line.split('\t')
      return { key, event: inFieldOrder(comparable(json)) as Sent['event'] }
    })
  const found = world.kept.map(({ key, json }): Sent => {
    return { key, event: inFieldOrder(comparable(json)) as Sent['event'] }
  })
  assert.equal(expected.length, 11)
  assert.deepEqual(sorted(found), sorted(expected))
})

test('the registry ends at the offsets Filebeat recorded', async () => {
  const world = new World()
  world.disk.makeDirectory('/var/log/test')
  for (const name of ['access.log', 'app.log', 'j.log']) {
    world.append(`/var/log/test/${name}`, golden(name))
  }
  await world.start(golden('filebeat.yml'))
  await world.run(15_000)
  await world.stop()
  const offsets = Object.entries(world.registry()).map(([key, offset]) => {
    return `${key.replace(/native::.*/, 'native')} ${offset}`
  })
  assert.deepEqual(
    new Set(offsets),
    new Set([
      'filebeat::logs::native 147',
      'filebeat::logs::native 52',
      'filebeat::logs::native 585',
      'filestream::fs1::native 585',
    ]),
  )
})

test('the record time is the event time', async () => {
  const world = new World()
  world.append('/logs/a.log', 'one\n')
  await world.start('filebeat.inputs: [{ type: log, paths: [/logs/*.log] }]\n')
  await world.run(1000)
  const [kept] = world.kept
  const event = JSON.parse(kept?.json ?? '{}') as Record<string, string>
  assert.equal(kept?.timestamp, Date.parse(event['@timestamp'] ?? ''))
})
