// The table of commands: names, Java classes, and the scripts that lead to them.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { commands } from '../../src/cli/commands.ts'

const bin = new URL('../../bin/', import.meta.url)

test('no two commands share a name or a class', () => {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases])
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) < index),
    [],
  )
})

test('each script of a tool is executable and names a command that is there', () => {
  const known = new Set(commands.flatMap(({ name, aliases }) => [name, ...aliases]))
  const scripts = readdirSync(bin).filter((name) => name.endsWith('.sh'))
  const led = scripts.flatMap((script) => {
    assert.notEqual(statSync(new URL(script, bin)).mode & 0o111, 0, script)
    const text = readFileSync(new URL(script, bin), 'utf8')
    const command = /\/millrace" ([\w-]+) "\$@"\s*$/.exec(text)?.[1]
    return command === undefined || command === 'run-class' ? [] : [[script, command] as const]
  })
  for (const [script, command] of led) {
    assert.equal(known.has(command), true, script)
    assert.equal(script, `${command}.sh`)
  }
  const tools = commands.filter(({ name }) => /^(?:kafka|zookeeper)-/.test(name))
  assert.deepEqual(
    tools.map(({ name }) => `${name}.sh`).filter((script) => !scripts.includes(script)),
    [],
  )
})

test('every tool loads', async () => {
  for (const { name, load } of commands) {
    if (/^(?:kafka|zookeeper)-/.test(name)) assert.equal(typeof (await load()), 'function', name)
  }
})
