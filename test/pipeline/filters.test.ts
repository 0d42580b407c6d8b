// Goal: filters do what the recorded cases do not show. Method: one event through one filter.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { ConfigurationError } from '../../src/pipeline/grammar/parse.ts'
import { replaceFile } from '../../src/runtime/disk.ts'
import { testPorts } from './support/ports.ts'
import { prepare } from './support/run.ts'

async function filtered(filter: string, data: Record<string, unknown>, disk = new MemoryDisk()) {
  const ports = testPorts({ disk })
  ports.stdin.end(`${JSON.stringify({ '@timestamp': '2026-11-01T00:00:00Z', ...data })}\n`)
  const config = `input { stdin { codec => json } } filter { ${filter} } output { stdout { codec => json_lines } }`
  await prepare(config, ports).run()
  const lines = ports.written().trim().split('\n')
  assert.equal(lines.length, 1)
  const { '@version': _version, host: _host, ...rest } = JSON.parse(lines[0] ?? '')
  if (rest['@timestamp'] === '2026-11-01T00:00:00.000Z') delete rest['@timestamp']
  return rest
}

test('mutate runs its operations in its own order, not in that of the file', async () => {
  assert.deepEqual(
    await filtered(
      'mutate { copy => { "b" => "c" } uppercase => ["b"] rename => { "a" => "b" } }',
      {
        a: 'x',
      },
    ),
    { b: 'X', c: 'X' },
  )
})

test('mutate replaces by expressions with groups, names and plain dollars', async () => {
  assert.deepEqual(
    await filtered(
      'mutate { gsub => ["a", "(\\w)(\\d)", "\\2\\1", "b", "(?<k>x)", "<\\k<k>\\0>", "c", "o", "$&"] }',
      { a: 'x1y2', b: 'axa', c: 'foo', l: ['q'] },
    ),
    { a: '1x2y', b: 'a<xx>a', c: 'f$&$&', l: ['q'] },
  )
})

test('mutate merges lists and objects, converts, strips and splits', async () => {
  assert.deepEqual(
    await filtered(
      `mutate {
        merge => { "l" => "s" "o" => "p" "new" => "s" }
        convert => { "t" => "boolean" "eu" => "float_eu" "n" => "string" "w" => "float" "d" => "float" }
        strip => ["st"] split => { "sp" => " " } lowercase => ["low"]
      }`,
      {
        l: [1],
        s: 'x',
        o: { a: 1 },
        p: { b: 2 },
        t: 'yes',
        eu: '1.234,5',
        n: 1e21,
        w: '7',
        d: 7,
        st: ' a ',
        sp: ' a  b ',
        low: ['A', 1],
      },
    ),
    {
      l: [1, 'x'],
      s: 'x',
      o: { a: 1, b: 2 },
      p: { b: 2 },
      new: ['x'],
      t: true,
      eu: 1234.5,
      n: '1.0e+21',
      w: 7,
      d: 7,
      st: 'a',
      sp: ['a', 'b'],
      low: ['a', 1],
    },
  )
})

test('floats stay floats on their way out', async () => {
  const ports = testPorts()
  ports.stdin.end('{"a":"3","b":3.0,"c":3}\n')
  await prepare(
    'input { stdin { codec => json } } filter { mutate { convert => { "a" => "float" } remove_field => ["host", "@timestamp", "@version"] } } output { stdout { codec => json_lines } }',
    ports,
  ).run()
  assert.equal(ports.written(), '{"a":3.0,"b":3.0,"c":3}\n')
})

test('json expands into the event or a target, and tags what it cannot read', async () => {
  assert.deepEqual(await filtered('json { source => "m" target => "t" }', { m: '[1,{"a":2}]' }), {
    m: '[1,{"a":2}]',
    t: [1, { a: 2 }],
  })
  assert.deepEqual(
    await filtered('json { source => "m" remove_field => ["m"] add_tag => ["ok"] }', {
      m: '{"a":{"b":1},"@timestamp":"2026-12-01T00:00:00Z"}',
    }),
    { a: { b: 1 }, '@timestamp': '2026-12-01T00:00:00.000Z', tags: ['ok'] },
  )
  assert.deepEqual((await filtered('json { source => "m" }', { m: '{' }))['tags'], [
    '_jsonparsefailure',
  ])
})

test('json takes hostile names as names', async () => {
  const result = await filtered('json { source => "m" remove_field => ["m"] }', {
    m: '{"__proto__":{"x":1},"constructor":"c"}',
  })
  assert.deepEqual(Object.keys(result).toSorted(), ['__proto__', 'constructor'])
  assert.equal(Reflect.get({}, 'x'), undefined)
})

test('grok reads pattern files, writes below a target, and takes lists', async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/patterns')
  replaceFile(disk, '/patterns/mine', '# mine\nTAIL [0-9]{3}\n')
  assert.deepEqual(
    await filtered(
      'grok { patterns_dir => ["/patterns"] target => "g" match => { "l" => "%{TAIL:[x][y]:int}$" } }',
      { l: ['a123', 'b'] },
      disk,
    ),
    { l: ['a123', 'b'], g: { x: { y: 123 } } },
  )
})

test('a hostile text costs its own event a tag, and the others nothing', async () => {
  const ports = testPorts()
  const texts = ['aaa', `${'a'.repeat(60)}b`, 'aa']
  ports.stdin.end(texts.map((text) => `${text}\n`).join(''))
  await prepare(
    'input { stdin {} } filter { grok { timeout_millis => 100 match => { "message" => "^(?<x>(a+)+)$" } } } output { stdout { codec => line { format => "%{x} %{tags}" } } }',
    ports,
  ).run()
  assert.equal(ports.written(), 'aaa %{tags}\n%{x} _groktimeout\naa %{tags}\n')
})

test('date takes its zone from the event, and several fields of a list', async () => {
  assert.deepEqual(
    await filtered('date { match => ["t", "yyyy-MM-dd HH:mm"] timezone => "%{z}" target => "u" }', {
      t: '2026-07-01 12:00',
      z: 'America/New_York',
    }),
    { t: '2026-07-01 12:00', z: 'America/New_York', u: '2026-07-01T16:00:00.000Z' },
  )
})

test('mistakes in options are found before anything runs', () => {
  for (const filter of [
    'date { match => ["t"] }',
    'date { match => ["t", "yyyy-QQ"] }',
    'date { match => ["t", "ISO8601"] timezone => "Mars/Base" }',
    'mutate { convert => { "a" => "colour" } }',
    'mutate { gsub => ["a", "b"] }',
    'mutate { gsub => ["a", "(", "b"] }',
    'grok { break_on_match => "maybe" match => { } }',
    'json { source => ["a", "b"] }',
    'if [a] =~ /(/ { drop { } }',
    'mutate { add_field => { "a" => "%{[x}" } }',
  ]) {
    assert.throws(
      () => prepare(`input { stdin { } } filter { ${filter} } output { null { } }`, testPorts()),
      ConfigurationError,
      filter,
    )
  }
})

test('the output file appends to paths that depend on the event, and to no others', async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/logs')
  const ports = testPorts({ disk })
  ports.stdin.end('{"n":"a"}\n{"n":"b/c"}\n{"n":"../../etc/x"}\n{"n":"a"}\n')
  await prepare(
    'input { stdin { codec => json } } output { file { path => "/logs/%{n}.log" codec => line { format => "%{n}" } } }',
    ports,
  ).run()
  const text = (path: string) => {
    const file = disk.open(path, 'read')
    const content = Buffer.alloc(file.size())
    file.readNow(content, 0, content.length, 0)
    return content.toString()
  }
  assert.equal(text('/logs/a.log'), 'a\na\n')
  assert.equal(text('/logs/b/c.log'), 'b/c\n')
  assert.equal(text('/logs/_filepath_failures'), '../../etc/x\n')
})

test('a moment that no calendar has is no date, and the event goes on', async () => {
  for (const t of ['-99999999999999', '8640000000001', '1e300']) {
    assert.deepEqual(await filtered('date { match => ["t", "UNIX"] }', { t }), {
      t,
      tags: ['_dateparsefailure'],
    })
  }
})

test('the json filter tags what is nested too deep', async () => {
  const m = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  assert.deepEqual(await filtered('json { source => "m" target => "o" }', { m }), {
    m,
    tags: ['_jsonparsefailure'],
  })
})
