// Method: answers are compared with those that an Apache ZooKeeper 3.8.4 gave in the same state.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminAnswer, jsonText, primaryNames } from '../../src/zookeeper/server/admin-commands.ts'
import { World } from './world.ts'

async function started() {
  const world = new World()
  const server = await world.startServer()
  const client = await world.client('a')
  await world.wait(client.makePath('/q/a'))
  await world.wait(client.create('/q/e', Buffer.from('x'), { ephemeral: true }))
  for (const path of ['/q', '/q/a']) await world.wait(client.getData(path, () => {}))
  await world.wait(client.getChildren('/q', () => {}))
  const ask = (name: string, parameters: Record<string, string> = {}): string => {
    const view = server.shown()
    assert.ok(view)
    return adminAnswer(name, view, new Map(Object.entries(parameters)))
  }
  return { world, client, ask }
}

test('short answers are those of the original to the letter', async () => {
  const { client, ask } = await started()
  const end = (name: string): string => `  "command" : "${name}",\n  "error" : null\n}`
  assert.equal(
    ask('wchs'),
    `{\n  "num_connections" : 1,\n  "num_paths" : 2,\n  "num_total_watches" : 2,\n${end('watch_summary')}`,
  )
  assert.equal(
    ask('wchc'),
    `{\n  "session_id_to_watched_paths" : {\n    "${client.sessionId}" : [ "/q", "/q/a" ]\n  },\n${end('watches')}`,
  )
  assert.equal(ask('isro'), `{\n  "read_only" : false,\n${end('is_read_only')}`)
  assert.equal(ask('voting_view'), `{\n  "current_config" : { },\n${end('voting_view')}`)
  assert.equal(ask('hash'), `{\n  "digests" : [ ],\n${end('hash')}`)
  assert.equal(ask('gtmk'), `{\n  "tracemask" : 306,\n${end('get_trace_mask')}`)
})

test('sessions, ephemerals and connections are told by id', async () => {
  const { client, ask } = await started()
  const dump: unknown = JSON.parse(ask('dump').replaceAll(/\[ (\d+) \]/g, '["$1"]'))
  const id = String(client.sessionId)
  assert.ok(typeof dump === 'object' && dump !== null && 'session_id_to_ephemeral_paths' in dump)
  assert.deepEqual(dump.session_id_to_ephemeral_paths, { [id]: ['/q/e'] })
  assert.match(ask('cons'), new RegExp(`"session_id" : ${id},\n    "last_operation" : "GETC",`))
  assert.match(ask('lsnp'), /"zxid" : "0",\n {2}"timestamp" : \d+,/)
})

test('statistics begin anew when they are reset', async () => {
  const { ask } = await started()
  assert.match(ask('srvr'), /"packets_received" : [1-9]/)
  ask('srst')
  assert.match(ask('srvr'), /"packets_sent" : 0,\n {4}"packets_received" : 0,/)
  assert.match(ask('cons'), /"packets_received" : [1-9]/)
  ask('crst')
  assert.match(ask('cons'), /"packets_received" : 0,\n {4}"packets_sent" : 0,/)
})

test('every command answers with its primary name, whatever name it is asked by', async () => {
  const { ask } = await started()
  assert.ok(primaryNames.length >= 24)
  for (const name of primaryNames) {
    const answer: unknown = JSON.parse(ask(name))
    assert.ok(typeof answer === 'object' && answer !== null && 'command' in answer)
    assert.equal(answer.command, name)
  }
  assert.match(ask('stmk'), /"error" : "setTraceMask requires long traceMask argument"/)
  assert.match(ask('stmk', { traceMask: 'x' }), /"error" : "setTraceMask requires.*, got x"/)
})

test('numbers of 64 bits keep all their digits', () => {
  assert.equal(jsonText({ id: 117663753778036740n }), '{\n  "id" : 117663753778036740\n}')
})
