// Goal: every configuration of the language is read as it is written. Method: random trees are printed
// and read back; the generated parser must be that of the grammar.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { generatePipelineParser } from '../../scripts/generate-pipeline-grammar.ts'
import { readConfiguration } from '../../src/pipeline/configuration.ts'
import { ConfigurationError, parseConfiguration } from '../../src/pipeline/grammar/parse.ts'
import { withDefaults } from '../../src/pipeline/sources.ts'

const options = { environment: {}, supportEscapes: false }

test('the generated parser is fresh', () => {
  const path = new URL('../../src/pipeline/grammar/generated/parser.ts', import.meta.url)
  assert.equal(readFileSync(path, 'utf8'), generatePipelineParser())
})

const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{1,6}$/)
const text = fc.string({ maxLength: 6 }).filter((value) => !/["\\$]/.test(value))

const value = fc.letrec<{ value: { shown: string; tree: unknown } }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text.map((content) => ({ shown: `"${content}"`, tree: { kind: 'string', raw: content } })),
    fc.integer().map((number) => ({
      shown: String(number),
      tree: { kind: 'number', text: String(number) },
    })),
    word.map((content) => ({ shown: content, tree: { kind: 'bareword', text: content } })),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => ({
      shown: `[ ${items.map((item) => item.shown).join(' , ')} ]`,
      tree: { kind: 'array', items: items.map((item) => item.tree) },
    })),
    fc
      .uniqueArray(fc.tuple(word, tie('value')), { selector: ([key]) => key, maxLength: 3 })
      .map((entries) => ({
        shown: `{ # comment\n${entries.map(([key, item]) => `"${key}" => ${item.shown}`).join('\n')} }`,
        tree: {
          kind: 'hash',
          entries: entries.map(([key, item]) => ({
            key: { kind: 'string', raw: key },
            value: item.tree,
          })),
        },
      })),
  ),
})).value

function withoutPlaces(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree, (key, item: unknown) => (key === 'at' ? undefined : item)))
}

test('what is printed from a random tree is read as that tree', () => {
  const attribute = fc.tuple(word, value)
  const plugin = fc.tuple(word, fc.array(attribute, { maxLength: 3 }))
  fc.assert(
    fc.property(fc.array(plugin, { maxLength: 3 }), (plugins) => {
      const shown = plugins
        .map(([name, attributes]) => {
          const lines = attributes.map(([key, item]) => `  ${key} => ${item.shown}`)
          return `${name} {\n${lines.join('\n')}\n}`
        })
        .join(' ')
      const [section] = parseConfiguration(`filter { ${shown} }`)
      assert.deepEqual(
        withoutPlaces(section?.body),
        plugins.map(([name, attributes]) => ({
          kind: 'plugin',
          name,
          attributes: attributes.map(([key, item]) => ({ name: key, value: item.tree })),
        })),
      )
    }),
    { numRuns: 200 },
  )
})

test('and binds tighter than or; longer chains with xor are refused', () => {
  const read = (condition: string) =>
    readConfiguration(`filter { if ${condition} { drop {} } }`, options).filter[0]
  const shape = (condition: string): string => {
    const statement = read(condition)
    assert.ok(statement?.kind === 'branch')
    return JSON.stringify(statement.condition, (key, item: unknown) =>
      key === 'operand' ? undefined : item,
    )
  }
  assert.equal(shape('[a] or [b] and [c]'), shape('[a] or ([b] and [c])'))
  assert.equal(shape('[a] and [b] or [c]'), shape('([a] and [b]) or [c]'))
  assert.throws(() => read('[a] xor [b] xor [c]'), ConfigurationError)
})

test('variables come from the environment, from their default, or are missed', () => {
  const read = (config: string) =>
    readConfiguration(config, { environment: { A: 'x', L: '["a", b]' }, supportEscapes: false })
  const [plugin] = read('filter { f { a => "${A}y" l => "${L}" d => "${NO:1}" } }').filter
  assert.ok(plugin?.kind === 'plugin')
  assert.deepEqual(Object.fromEntries(plugin.attributes), { a: 'xy', l: ['a', 'b'], d: '1' })
  assert.throws(() => read('filter { f { a => "${NO}" } }'), /`NO` is not defined/)
})

test('deep nesting is refused, not a crash', () => {
  const deep = `filter { f { a => ${'['.repeat(50_000)} } }`
  assert.throws(() => parseConfiguration(deep), ConfigurationError)
})

test('-e gets an input and an output where it names none', () => {
  assert.match(withDefaults('').text, /stdin[^]*stdout/)
  assert.doesNotMatch(withDefaults('input { generator {} } output { null {} }').text, /std/)
  assert.match(withDefaults('# input { }\noutput { null {} }').text, /stdin/)
})
