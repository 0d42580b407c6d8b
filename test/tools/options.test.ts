// The command line parser that all tools share.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { helpText, nearest, OptionError, parseOptions } from '../../src/tools/options.ts'

const table = {
  topic: { takes: 'name', about: 'The topic.' },
  'topic-id': { takes: 'id', about: 'Its id.' },
  offset: { takes: 'offset', about: 'Where to begin.' },
  list: { about: 'Lists.' },
  partitions: { takes: 'number', about: 'How many.' },
  property: { takes: 'name=value', repeated: true, about: 'A property.' },
  'compression-codec': { takes: 'codec', valueOptional: true, about: 'The codec.' },
  zookeeper: { takes: 'host:port', manyWords: true, about: 'Where.' },
} as const

const refusal = (words: readonly string[]): string => {
  try {
    parseOptions(table, words)
  } catch (error) {
    if (error instanceof OptionError) return error.message
    throw error
  }
  return 'accepted'
}

test('values follow as the next word or behind an equals sign', () => {
  const given = parseOptions(table, ['--topic', 'a=b', '--offset=-2', '--list'])
  assert.equal(given.text('topic'), 'a=b')
  assert.equal(given.text('offset'), '-2')
  assert.equal(given.has('list'), true)
  assert.equal(given.has('partitions'), false)
})

test('an option that needs a value takes the next word though it looks like an option', () => {
  const given = parseOptions(table, ['--offset', '-2', '--topic', '--list'])
  assert.equal(given.text('offset'), '-2')
  assert.equal(given.text('topic'), '--list')
  assert.equal(given.has('list'), false)
})

test('a value that may be left out is not taken from the next option', () => {
  const bare = parseOptions(table, ['--compression-codec', '--topic', 't'])
  assert.equal(bare.has('compression-codec'), true)
  assert.equal(bare.text('compression-codec'), undefined)
  assert.equal(bare.text('topic'), 't')
  const named = parseOptions(table, ['--compression-codec', 'zstd'])
  assert.equal(named.text('compression-codec'), 'zstd')
})

test('options of many words end at the next option', () => {
  const given = parseOptions(table, ['--zookeeper', 'a:1', 'b:2', '--list', 'loose'])
  assert.deepEqual(given.texts('zookeeper'), ['a:1', 'b:2'])
  assert.deepEqual(given.words, ['loose'])
})

test('repeated options keep all values, and single ones refuse a second', () => {
  const given = parseOptions(table, ['--property', 'a=1', '--property', 'b=2', '--topic', 'x'])
  assert.deepEqual(given.texts('property'), ['a=1', 'b=2'])
  const twice = parseOptions(table, ['--topic', 'x', '--topic', 'y'])
  assert.throws(() => twice.text('topic'), {
    message: 'Found multiple arguments for option topic, but you asked for only one',
  })
})

test('an unambiguous beginning of a name will do, as will one hyphen', () => {
  assert.equal(parseOptions(table, ['--parti', '3']).integer('partitions'), 3)
  assert.equal(parseOptions(table, ['-topic', 't']).text('topic'), 't')
  assert.equal(parseOptions(table, ['--topic', 't']).text('topic'), 't')
  assert.equal(
    refusal(['--top', 't']),
    'top is not a recognized option: it may be one of --topic, --topic-id',
  )
})

test('unknown options are refused with the name that was probably meant', () => {
  assert.equal(refusal(['--topik', 'x']), 'topik is not a recognized option; did you mean --topic?')
  assert.equal(refusal(['--nothing-alike']), 'nothing-alike is not a recognized option')
  assert.equal(nearest('partition-s', Object.keys(table)), 'partitions')
})

test('missing and unreadable values are refused in the words of the original', () => {
  assert.equal(refusal(['--topic']), 'Option topic requires an argument')
  const given = parseOptions(table, ['--partitions', 'x'])
  assert.throws(() => given.integer('partitions'), {
    message: "Cannot parse argument 'x' of option partitions",
  })
  assert.throws(() => given.required('topic'), { message: 'Missing required argument "[topic]"' })
})

test('whatever stands behind two hyphens is no option', () => {
  assert.deepEqual(parseOptions(table, ['--list', '--', '--topic', 'x']).words, ['--topic', 'x'])
})

test('any value survives both ways of giving it', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      assert.equal(parseOptions(table, ['--topic', value]).text('topic'), value)
      assert.equal(parseOptions(table, [`--topic=${value}`]).text('topic'), value)
    }),
  )
})

test('help lists every option in order, with what it takes', () => {
  const help = helpText('some-tool', 'Does something.', table)
  assert.ok(help.startsWith('Usage: some-tool OPTIONS\n\nDoes something.\n\n'))
  const names = [...help.matchAll(/^ {2}--(\S+)/gm)].map((match) => match[1])
  assert.deepEqual(names, Object.keys(table).sort())
  assert.match(help, /^ {2}--compression-codec \[codec\]$/m)
  assert.match(help, /^ {2}--property name=value …$/m)
  assert.ok(help.split('\n').every((line) => line.length <= 100))
})
