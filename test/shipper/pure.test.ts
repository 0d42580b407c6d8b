import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryDisk } from '../../src/memory/disk.ts'
import type { ValueMap } from '../../src/events/values.ts'
import { EventSource } from '../../src/shipper/event.ts'
import { compileFormatString, lookupIn } from '../../src/shipper/format-string.ts'
import { AcknowledgedPosition, type Piece } from '../../src/shipper/inputs/acknowledged.ts'
import { findFiles, matchesPath, parsePathPattern } from '../../src/shipper/inputs/globs.ts'
import { decodeJsonLine } from '../../src/shipper/inputs/json.ts'
import { type Message, MultilineJoiner } from '../../src/shipper/inputs/multiline.ts'
import { compileGoPattern } from '../../src/shipper/inputs/patterns.ts'
import { createPartitioner, fnv1a, quickDraw } from '../../src/shipper/outputs/partitioner.ts'
import type { MultilineSettings } from '../../src/shipper/settings.ts'

test('the acknowledged position moves in order, whatever the order of acknowledgements', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(sizes, fc.infiniteStream(fc.nat()), (counts, choices) => {
      const position = new AcknowledgedPosition(0)
      const pieces: Piece[] = counts.map((events, index) => position.add(index + 1, events))
      const open = pieces.flatMap((piece) => Array<Piece>(piece.unacknowledged).fill(piece))
      for (;;) {
        const blocked = pieces.findIndex((piece) => piece.unacknowledged > 0)
        assert.equal(position.position, blocked < 0 ? counts.length : blocked)
        assert.equal(position.isSettled, blocked < 0)
        if (open.length === 0) return
        const [piece] = open.splice((choices.next().value ?? 0) % open.length, 1)
        if (piece !== undefined) position.acknowledge(piece)
      }
    }),
  )
})

function joined(
  lines: readonly string[],
  settings: Partial<MultilineSettings> & { pattern: RegExp },
  maxBytes = 1000,
): Message[] {
  const complete: MultilineSettings = {
    negate: false,
    match: 'after',
    maxLines: 500,
    timeoutMs: 5000,
    flushPattern: undefined,
    skipNewLine: false,
    ...settings,
  }
  const joiner = new MultilineJoiner(complete, maxBytes)
  const messages: Message[] = []
  let start = 0
  for (const text of lines) {
    const end = start + text.length + 1
    const line = { text, start, end, truncated: false }
    const flushes = complete.flushPattern?.test(text) ?? false
    joiner.add({ line, matches: complete.pattern.test(text), flushes }, messages)
    start = end
  }
  joiner.flush(messages)
  return messages
}

const texts = (messages: readonly Message[]): string[] => messages.map(({ text }) => text)

test("the four ways to join lines, as Filebeat's table of patterns has them", () => {
  const lines = ['x', 'b1', 'b2', 'y', 'b3']
  const pattern = /^b/
  assert.deepEqual(texts(joined(lines, { pattern })), ['x\nb1\nb2', 'y\nb3'])
  assert.deepEqual(texts(joined(lines, { pattern, match: 'before' })), ['x', 'b1\nb2\ny', 'b3'])
  assert.deepEqual(texts(joined(lines, { pattern, negate: true })), ['x', 'b1', 'b2\ny', 'b3'])
  assert.deepEqual(texts(joined(lines, { pattern, negate: true, match: 'before' })), [
    'x\nb1',
    'b2',
    'y\nb3',
  ])
})

test('a flush pattern ends a message, limits cut it, and flags say so', () => {
  const pattern = /^ /
  assert.deepEqual(texts(joined(['a', ' b', ' end', ' c'], { pattern, flushPattern: /end/ })), [
    'a\n b\n end',
    ' c',
  ])
  const [cut] = joined(['a', ' b', ' c'], { pattern, maxLines: 2 })
  assert.deepEqual([cut?.text, cut?.flags, cut?.end], ['a\n b', ['truncated', 'multiline'], 8])
  const [short] = joined(['aaaa', ' bbbb'], { pattern }, 7)
  assert.deepEqual([short?.text, short?.flags], ['aaaa\n b', ['truncated', 'multiline']])
})

test('joined messages cover every line once, in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('', 'a', ' b', 'c')),
      fc.boolean(),
      fc.constantFrom('after' as const, 'before' as const),
      (lines, negate, match) => {
        const messages = joined(lines, { pattern: /^ /, negate, match })
        let end = 0
        for (const message of messages) {
          assert.equal(message.start, end)
          end = message.end
        }
        assert.equal(end, lines.join('\n').length + (lines.length > 0 ? 1 : 0))
        assert.equal(texts(messages).join('').replaceAll('\n', ''), lines.join(''))
      },
    ),
  )
})

test('path patterns find files as Go globs do', () => {
  const disk = new MemoryDisk()
  for (const path of ['/l/a.log', '/l/.hidden.log', '/l/x/b.log', '/l/x/y/c.log', '/l/d.txt']) {
    disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    disk.open(path, 'replace').close()
  }
  const find = (text: string): string[] => {
    const pattern = parsePathPattern(text, true)
    const found = [...findFiles(disk, pattern, { onError: assert.fail, onDirectory() {} })]
    for (const { path } of found) assert.ok(matchesPath(pattern, path), path)
    return found.map(({ path }) => path).toSorted()
  }
  assert.deepEqual(find('/l/*.log'), ['/l/.hidden.log', '/l/a.log'])
  assert.deepEqual(find('/l/*/*.log'), ['/l/x/b.log'])
  assert.deepEqual(find('/l/**/*.log'), [
    '/l/.hidden.log',
    '/l/a.log',
    '/l/x/b.log',
    '/l/x/y/c.log',
  ])
  assert.deepEqual(find('/l/[ad].*'), ['/l/a.log', '/l/d.txt'])
  assert.deepEqual(find('/l/?.txt'), ['/l/d.txt'])
  assert.deepEqual(find('/l/a.log'), ['/l/a.log'])
  assert.deepEqual(find('/l/{a,d}.*'), [])
  assert.deepEqual(find('/nowhere/*'), [])
  assert.deepEqual(find('/l'), [])
})

test("Go's regular expressions are understood", () => {
  assert.ok(compileGoPattern('^[[:space:]]+at\\b').test('\tat x'))
  assert.ok(compileGoPattern('(?i)error').test('ERROR'))
  assert.ok(compileGoPattern('^\\[[0-9]{4}-').test('[2026-11'))
  assert.ok(compileGoPattern('\\Aa(?P<x>b)\\z').test('ab'))
  assert.ok(compileGoPattern('\\Qa.b\\E+').test('a.bb'))
  assert.ok(!compileGoPattern('\\Qa.b\\E').test('axb'))
  assert.ok(compileGoPattern('\\p{Lu}x').test('Äx'))
  assert.ok(compileGoPattern('[]a]').test(']'))
  assert.throws(() => compileGoPattern('[[:nope:]]'), /invalid character class range/)
})

test('format strings take fields, defaults and times', () => {
  const data: ValueMap = { fields: { t: 'app', n: 5 }, list: [1] }
  const at = Date.UTC(2026, 10, 23, 1, 2, 3)
  const render = (text: string): string | undefined =>
    compileFormatString(text).render((path) => lookupIn(data, path), at)
  assert.equal(render('logs'), 'logs')
  assert.equal(render('%{[fields.t]}-%{[fields][n]}'), 'app-5')
  assert.equal(render('%{[nope]:other}-x'), 'other-x')
  assert.equal(render('%{[nope]}'), undefined)
  assert.equal(render('%{[list]}'), undefined)
  assert.equal(render('%{[fields.constructor]:none}'), 'none')
  assert.equal(render('l-%{+yyyy.MM.dd}'), 'l-2026.11.23')
  assert.throws(() => compileFormatString('%{fields}'), SyntaxError)
  assert.throws(() => compileFormatString('%{[fields]'), SyntaxError)
})

test('FNV-1a gives the published values, and keys go where Filebeat sends them', () => {
  assert.equal(fnv1a(Buffer.from('')), 0x811c9dc5)
  assert.equal(fnv1a(Buffer.from('a')), 0xe40c292c)
  assert.equal(fnv1a(Buffer.from('foobar')), 0xbf9cf968)
  const settings = { kind: 'hash', groupEvents: 1, hashFields: [] } as const
  const choose = createPartitioner(settings, quickDraw(1))
  assert.equal(choose(Buffer.from('foobar'), 10), Math.abs(0xbf9cf968 | 0) % 10)
})

test('partitions in turn and at random keep their groups together', () => {
  const turn = createPartitioner({ kind: 'round_robin', groupEvents: 2, hashFields: [] }, () => 1)
  const taken = Array.from({ length: 7 }, () => turn(undefined, 3))
  assert.deepEqual(taken, [1, 1, 2, 2, 0, 0, 1])
  const draws = quickDraw(7)
  const random = createPartitioner({ kind: 'random', groupEvents: 1, hashFields: [] }, draws)
  const counts = [0, 0, 0]
  for (let count = 0; count < 3000; count += 1) {
    const partition = random(undefined, 3)
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  for (const count of counts) assert.ok(count > 800, counts.join(' '))
})

const jsonSettings = {
  keysUnderRoot: true,
  overwriteKeys: false,
  addErrorKey: true,
  messageKey: undefined,
  target: 'json',
}

test("JSON errors are in the words of Go's decoder", () => {
  const cases: Record<string, string> = {
    'not json': "invalid character 'o' in literal null (expecting 'u')",
    plain: "invalid character 'p' looking for beginning of value",
    '': 'EOF',
    '{"a":1': 'unexpected EOF',
    '{"a" 1}': "invalid character '1' after object key",
    '{"a":1 "b"}': "invalid character '\"' after object key:value pair",
    '{a:1}': "invalid character 'a' looking for beginning of object key string",
    '[1 2]': "invalid character '2' after array element",
    '{"a":"\t"}': "invalid character '\\t' in string literal",
    '{"a":"\\x"}': "invalid character 'x' in string escape code",
    '{"a":1.}': "invalid character '}' after decimal point in numeric literal",
    '{"a":-}': "invalid character '}' in numeric literal",
    '[1]': 'json: cannot unmarshal array into Go value of type map[string]interface {}',
  }
  for (const [text, problem] of Object.entries(cases)) {
    const { fields, message } = decodeJsonLine(text, jsonSettings)
    assert.deepEqual(fields['error'], { message: `Error decoding JSON: ${problem}`, type: 'json' })
    assert.equal(message, text)
  }
})

test('any text is decoded or refused, never more', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const { fields } = decodeJsonLine(text, jsonSettings)
      assert.equal(typeof fields, 'object')
    }),
  )
})

test('keys go where the settings say', () => {
  const line =
    '{"message":"hi","log":"x","@timestamp":"2020-01-01T00:00:00Z","big":12345678901234567890}'
  const source = (settings: typeof jsonSettings): Record<string, unknown> => {
    const agent = { name: 'n', hostname: 'h', id: 'i', ephemeralId: 'e' }
    const event = { inputType: 'log', tags: [], fields: {}, rootFields: {} }
    const made = new EventSource(agent, event, { path: '/a', decodes: true, pretty: false })
    const message = { text: line, start: 0, end: 9, flags: [] }
    const text = made.json(message, 5, decodeJsonLine(line, settings))
    assert.ok(text.includes('12345678901234567890'))
    return JSON.parse(text) as Record<string, unknown>
  }
  const kept = source(jsonSettings)
  assert.equal(kept['message'], 'hi')
  assert.deepEqual(kept['log'], { offset: 0, file: { path: '/a' } })
  assert.equal(kept['@timestamp'], '1970-01-01T00:00:00.005Z')
  const over = source({ ...jsonSettings, overwriteKeys: true })
  assert.equal(over['log'], 'x')
  assert.equal(over['@timestamp'], '2020-01-01T00:00:00.000Z')
  const under = source({ ...jsonSettings, keysUnderRoot: false })
  assert.equal((under['json'] as Record<string, unknown>)['message'], 'hi')
})

test('the quick way to make JSON and the careful one agree', () => {
  const agent = { name: 'n"', hostname: 'h', id: 'i', ephemeralId: 'e' }
  const flags = fc.constantFrom<readonly string[]>([], ['multiline'], ['truncated', 'multiline'])
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), flags, fc.nat(), (text, chosen, offset) => {
      const settings = {
        inputType: 'log',
        tags: ['a"b'],
        fields: { x: { y: 1 } },
        rootFields: { z: [text] },
      }
      const source = new EventSource(agent, settings, {
        path: '/a"',
        decodes: false,
        pretty: false,
      })
      const message = { text, start: offset, end: offset + 1, flags: chosen }
      const quick: unknown = JSON.parse(source.json(message, 1234, undefined))
      assert.deepEqual(quick, JSON.parse(JSON.stringify(source.data(message, 1234, undefined))))
    }),
  )
})
