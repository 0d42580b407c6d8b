/** The console tools of every generation on one Millrace: each reads what the one before it wrote. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runTool, toolClass, type ToolResult } from '../support/kafka.ts'
import { type MillraceBroker, startMillrace } from '../support/millrace.ts'

const versions = ['0.10.1.0', '1.1.0', '2.0.0', '3.9.1', '4.1.0']
const directory = mkdtempSync(join(tmpdir(), 'millrace-tools-'))
let broker: MillraceBroker

before(async () => {
  broker = await startMillrace(join(directory, 'broker'))
})
after(async () => {
  await broker.stop()
  rmSync(directory, { recursive: true, force: true })
})

function ok(result: ToolResult): string {
  assert.equal(result.code, 0, `${result.stdout}\n${result.stderr}`)
  return result.stdout
}

/** The way to name a group that all versions know. */
function groupFile(): string {
  const file = join(directory, 'consumer.properties')
  writeFileSync(file, 'group.id=one-after-the-other\n')
  return file
}

for (const [n, version] of versions.entries())
  test(`console tools of ${version} create, write, read, resume a group, describe, delete`, async () => {
    const isOld = /^[012]\./.test(version)
    const run = (tool: string, args: string[], input = '') =>
      runTool(version, toolClass(version, tool), args, input)
    const bootstrap = ['--bootstrap-server', broker.address]
    const admin = isOld ? ['--zookeeper', `127.0.0.1:${broker.coordinationPort}`] : bootstrap
    const shape = ['--partitions', '1', '--replication-factor', '1']
    if (n === 0) ok(await run('topics', [...admin, '--create', '--topic', 'shared', ...shape]))
    const own = `of-${version}`
    ok(await run('topics', [...admin, '--create', '--topic', own, ...shape]))
    const listed = ok(await run('topics', [...admin, '--list'])).split('\n')
    assert.ok(listed.includes(own) && listed.includes('shared'))

    const to = isOld ? ['--broker-list', broker.address] : bootstrap
    const lines = Array.from({ length: 100 }, (_, line) => `${version} wrote line ${line} äöü`)
    const producer = ['--topic', 'shared', '--compression-codec', 'gzip']
    ok(await run('consoleProducer', [...to, ...producer], `${lines.join('\n')}\n`))

    const consumer = [...(version.startsWith('0.') ? ['--new-consumer'] : []), ...bootstrap]
    const whole = ['--topic', 'shared', '--from-beginning', '--max-messages']
    const read = ok(await run('consoleConsumer', [...consumer, ...whole, String((n + 1) * 100)]))
    const writers = read.split('\n').filter((line) => line.includes(' wrote line '))
    assert.deepEqual(writers.slice(-100), lines)
    assert.equal(writers[0], '0.10.1.0 wrote line 0 äöü')

    const member = ['--consumer.config', groupFile(), ...whole, '100']
    const resumed = ok(await run('consoleConsumer', [...consumer, ...member]))
    const seen = resumed.split('\n').filter((line) => line.includes(' wrote line '))
    assert.deepEqual(seen, lines, 'the group goes on where the tools of the version before stopped')

    const described = ok(
      await run('consumerGroups', [
        ...(version.startsWith('0.') ? ['--new-consumer'] : []),
        ...[...bootstrap, '--describe', '--group', 'one-after-the-other'],
      ]),
    )
    const end = String((n + 1) * 100)
    // 0.10.1 prints no offsets of a group without members.
    if (!version.startsWith('0.'))
      assert.match(described, new RegExp(`shared\\s+0\\s+${end}\\s+${end}\\s+0`))
    ok(await run('topics', [...admin, '--delete', '--topic', own]))
    const left = ok(await run('topics', [...admin, '--list'])).split('\n')
    assert.ok(!left.includes(own) || left.includes(`${own} - marked for deletion`))
  })
