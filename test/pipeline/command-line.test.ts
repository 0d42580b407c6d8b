// Goal: the command behaves as Logstash's does to a shell. Method: real processes.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function start(...given: string[]): ChildProcess {
  return spawn(process.execPath, [entry, 'pipeline', ...given], { stdio: 'pipe' })
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly log: string
}

function ended(child: ChildProcess): Promise<Ended> {
  let out = ''
  let log = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, log })))
}

async function run(input: string, ...given: string[]): Promise<Ended> {
  const child = start('--api.enabled', 'false', ...given)
  child.stdin?.end(input)
  return ended(child)
}

test('standard input is read to its end, standard output holds the outputs and nothing else', async () => {
  const result = await run(
    'a 1\nb 2',
    '-e',
    'filter { grok { match => { "message" => "%{WORD:w} %{INT:n:int}" } } mutate { remove_field => ["@timestamp", "host"] } } output { stdout { codec => json_lines } }',
  )
  assert.equal(result.code, 0)
  assert.deepEqual(
    result.out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
    [
      { '@version': '1', message: 'a 1', type: 'stdin', w: 'a', n: 1 },
      { '@version': '1', message: 'b 2', type: 'stdin', w: 'b', n: 2 },
    ],
  )
  assert.match(result.log, /Pipeline terminated: 2 events in, 2 out/)
})

test('a refused configuration ends with code 1 before anything is read', async () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['filter { if [a] == true { } }', /Expected one of .* at line 1, column 25 \(byte 25\) after/],
    ['filter { mutate { foo => 1 } }', /Unknown setting 'foo' for mutate/],
    ['filter { nope { } }', /Couldn't find any filter plugin named 'nope'/],
    ['filter { grok { match => { "m" => "%{NOPE}" } } }', /pattern %\{NOPE\} not defined/],
  ]
  for (const [config, message] of refused) {
    const result = await run('never read\n', '-e', config)
    assert.equal(result.code, 1)
    assert.equal(result.out, '')
    assert.match(result.log, message)
  }
})

test('-t checks, -f reads files in order of their names, flags may follow an equals sign', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, '20.conf'), 'output { stdout { codec => line { format => "%{x}" } } }')
  writeFileSync(
    join(folder, '10.conf'),
    'input { stdin {} } filter { mutate { replace => { "x" => "a\\tb" } } }',
  )
  writeFileSync(join(folder, 'x.txt'), 'no configuration')
  const result = await run(
    '1\n',
    '-f',
    `${folder}/*.conf`,
    '--config.support_escapes',
    '--pipeline.workers=1',
  )
  assert.deepEqual([result.code, result.out], [0, 'a\tb\n'])
  const checked = await run('1\n', '-t', '-f', `${folder}/10.conf`)
  assert.deepEqual([checked.code, checked.out], [0, ''])
  const missing = await run('', '-f', `${folder}/none*`)
  assert.equal(missing.code, 1)
  assert.match(missing.log, /No config files found/)
  const unknown = await run('', '--moo')
  assert.match(unknown.log, /Unrecognised option '--moo'/)
})

test('a mistake is told in one line, with the file and the line in it; so is a useless data directory', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, '10.conf'), 'input {\n  stdin {}\n}\n')
  writeFileSync(join(folder, '20.conf'), 'output { stdout {} }\nfilter {\n  if [a] = 1 { }\n}\n')
  const refused = await run('', '-f', `${folder}/*.conf`)
  assert.equal(refused.code, 1)
  assert.match(
    refused.log,
    /^millrace: [^\n]*\/20\.conf:3: The given configuration is invalid[^\n]*\n$/,
  )
  const useless = await run('', '-e', '', '--path.data', `${folder}/10.conf/data`)
  assert.equal(useless.code, 1)
  assert.match(
    useless.log,
    /^millrace: path\.data: Path "[^"]*\/10\.conf\/data" must be a writable directory[^\n]*\n$/,
  )
})

test('SIGTERM drains and ends with 0; the API answers until then', async () => {
  const child = start(
    '--api.http.port',
    '0',
    '-e',
    'input { stdin {} } output { stdout { codec => line { format => "got %{message}" } } }',
  )
  const end = ended(child)
  const address = new Promise<string>((resolve) => {
    let log = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      const found = /:address=>"([^"]+)"/.exec(log)?.[1]
      if (found !== undefined && log.includes('Pipeline started')) resolve(found)
    })
  })
  const url = `http://${await address}`
  const printed = new Promise((resolve) => child.stdout?.once('data', resolve))
  child.stdin?.write('one\n')
  await printed
  const stats: unknown = await (await fetch(`${url}/_node/stats`)).json()
  assert.equal(Reflect.get(Object(Reflect.get(Object(stats), 'events')), 'out'), 1)
  const root: unknown = await (await fetch(url)).json()
  assert.equal(Reflect.get(Object(root), 'status'), 'green')
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  assert.equal((await fetch(`${url}/nothing`)).status, 404)
  child.kill('SIGTERM')
  const { code, out } = await end
  assert.deepEqual([code, out], [0, 'got one\n'])
})
