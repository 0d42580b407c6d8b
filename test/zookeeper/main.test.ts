// Method: the entry runs in this process on real ports and a temporary directory.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createNodeNetwork } from '../../src/node/network.ts'
import { systemClock } from '../../src/node/clock.ts'
import { systemRandom } from '../../src/node/random.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { ZooKeeperSession } from '../../src/zookeeper/client/session.ts'
import { main } from '../../src/zookeeper/main.ts'

const BINDING = /INFO binding to port \S+:(\d+) /

/** Runs the entry until `use` is through; `use` gets what the awaited line of the log tells. */
async function run(
  file: string,
  awaited: RegExp,
  use: (match: RegExpExecArray) => Promise<void>,
): Promise<number> {
  const stdout = new PassThrough()
  const stop = Promise.withResolvers<string>()
  const ended = main({
    arguments: ['org.apache.zookeeper.server.quorum.QuorumPeerMain', file],
    environment: {},
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
    stopRequested: stop.promise,
  })
  let text = ''
  for await (const chunk of stdout) {
    text += String(chunk)
    const match = awaited.exec(text)
    if (match === null) continue
    await use(match)
    break
  }
  stop.resolve('SIGTERM')
  return ended
}

async function withClient(
  port: number,
  use: (client: ZooKeeperSession) => Promise<void>,
): Promise<void> {
  const client = new ZooKeeperSession(
    {
      clock: systemClock,
      network: createNodeNetwork(),
      random: systemRandom,
      logger: silentLogger,
    },
    { connect: `127.0.0.1:${port}`, sessionTimeoutMs: 6000, connectTimeoutMs: 5000 },
  )
  // The clock's timers do not keep a process alive.
  const alive = setInterval(() => {}, 1000)
  try {
    await client.start()
    await use(client)
    await client.close()
  } finally {
    clearInterval(alive)
  }
}

test('a server started from a file keeps its nodes over a restart and stops with code 0', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-zookeeper-'))
  try {
    const file = join(directory, 'zoo.cfg')
    const address = 'clientPort=0\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n'
    writeFileSync(file, `dataDir=${directory}/data\n${address}`)
    const first = await run(file, BINDING, ([, port]) =>
      withClient(Number(port), async (client) => {
        await client.makePath('/a/b', Buffer.from('kept'))
      }),
    )
    assert.equal(first, 0)
    const second = await run(file, BINDING, ([, port]) =>
      withClient(Number(port), async (client) => {
        assert.equal((await client.getData('/a/b')).data.toString(), 'kept')
      }),
    )
    assert.equal(second, 0)
    const names = readdirSync(join(directory, 'data', 'version-2')).toSorted()
    assert.deepEqual(names, ['log.1', 'log.5', 'snapshot.0'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the admin server answers commands by HTTP, and masks secrets', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-zookeeper-'))
  try {
    const file = join(directory, 'zoo.cfg')
    const lines = [
      `dataDir=${directory}/data`,
      'clientPort=0',
      'clientPortAddress=127.0.0.1',
      'admin.serverPort=0',
      'admin.serverAddress=127.0.0.1',
      'DigestAuthenticationProvider.superDigest=super:abc=',
    ]
    writeFileSync(file, lines.join('\n'))
    const started = /Started AdminServer on address (\S+) and command URL \/commands/
    const code = await run(file, started, async (match) => {
      const get = async (path: string): Promise<Record<string, unknown>> => {
        const answer = await fetch(`${match[1]}${path}`)
        assert.equal(answer.headers.get('content-type'), 'application/json')
        const body: unknown = await answer.json()
        assert.ok(typeof body === 'object' && body !== null)
        return { ...body }
      }
      assert.deepEqual(await get('/commands/ruok'), { command: 'ruok', error: null })
      const monitor = await get('/commands/mntr')
      assert.equal(monitor['command'], 'monitor')
      assert.equal(monitor['znode_count'], 5)
      assert.equal((await get('/commands/stat'))['node_count'], 5)
      assert.deepEqual(await get('/commands/stmk?traceMask=10'), {
        tracemask: 10,
        command: 'set_trace_mask',
        error: null,
      })
      assert.equal((await get('/commands/none'))['error'], 'Unknown command: none')
      const shown = String((await get('/commands/icfg'))['initial_configuration'])
      assert.match(shown, /superDigest=\[hidden\]/)
      assert.doesNotMatch(shown, /abc/)
      const list = await (await fetch(`${match[1]}/commands`)).text()
      assert.match(list, /<a href="\/commands\/watch_summary">watch_summary<\/a>/)
    })
    assert.equal(code, 0)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

async function refused(...given: string[]): Promise<{ code: number; told: string }> {
  const output = new PassThrough()
  const context = { stdin: new PassThrough(), stdout: output, stderr: output, environment: {} }
  const code = await main({ ...context, arguments: given, stopRequested: new Promise(() => {}) })
  return { code, told: String(output.read()) }
}

test('what keeps a server from starting is one line, with the exit code of the original', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-zookeeper-'))
  const file = join(directory, 'zoo.cfg')
  const ofText = (text: string): ReturnType<typeof refused> => {
    writeFileSync(file, `clientPort=0\nadmin.enableServer=false\n${text}`)
    return refused(file)
  }
  try {
    const invalid = 'millrace: Invalid config, exiting abnormally:'
    assert.deepEqual(await refused(join(directory, 'none')), {
      code: 2,
      told: `${invalid} ${directory}/none: the file is missing\n`,
    })
    assert.deepEqual(await ofText(''), {
      code: 2,
      told: `${invalid} ${file}: dataDir is not set\n`,
    })
    assert.deepEqual(await ofText(`dataDir=${directory}/d\ntickTime=soon\n`), {
      code: 2,
      told: `${invalid} ${file}: Invalid value soon for configuration tickTime: Not a number of type INT\n`,
    })
    const usage = await refused()
    assert.equal(usage.code, 2)
    assert.match(
      usage.told,
      /^millrace: Invalid arguments, .* Usage: ZooKeeperServerMain configfile/,
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a data directory that is a file, and a taken admin port, end with codes 3 and 4', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-zookeeper-'))
  const file = join(directory, 'zoo.cfg')
  const taken = createServer()
  try {
    const address = 'clientPort=0\nclientPortAddress=127.0.0.1\nadmin.serverAddress=127.0.0.1\n'
    writeFileSync(file, `dataDir=${file}\nadmin.enableServer=false\n${address}`)
    const noDirectory = await refused(file)
    assert.equal(noDirectory.code, 3)
    assert.match(
      noDirectory.told,
      /^millrace: Unable to access datadir, .*: ENOTDIR: .*zoo\.cfg\n$/m,
    )
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const held = taken.address()
    assert.ok(held !== null && typeof held === 'object')
    writeFileSync(file, `dataDir=${directory}/d\nadmin.serverPort=${held.port}\n${address}`)
    const noAdmin = await refused(file)
    assert.equal(noAdmin.code, 4)
    assert.match(noAdmin.told, /^millrace: Unable to start AdminServer, .*EADDRINUSE.*\n$/m)
  } finally {
    taken.close()
    rmSync(directory, { recursive: true })
  }
})
