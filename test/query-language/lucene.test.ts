import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseLucene } from '../../src/query-language/lucene.ts'
import { parseSimple } from '../../src/query-language/simple.ts'
import { QuerySyntaxError, type QueryTree } from '../../src/query-language/tree.ts'

const text = (word: string, field?: string): QueryTree => ({ kind: 'text', field, text: word })

test('a single word is that word', () => {
  assert.deepEqual(parseLucene('checkout'), text('checkout'))
  assert.deepEqual(parseLucene('status:404'), text('404', 'status'))
})

test('words in a row are one text, an operator after the last cuts it off', () => {
  assert.deepEqual(parseLucene('a b c'), text('a b c'))
  assert.deepEqual(parseLucene('a b AND c'), {
    kind: 'boolean',
    clauses: [
      { occur: 'must', query: text('b') },
      { occur: 'must', query: text('c') },
    ].toSpliced(0, 0, { occur: 'should', query: text('a') }),
  })
})

test('AND binds both sides and OR has no precedence', () => {
  assert.deepEqual(parseLucene('a OR b AND c'), {
    kind: 'boolean',
    clauses: [
      { occur: 'should', query: text('a') },
      { occur: 'must', query: text('b') },
      { occur: 'must', query: text('c') },
    ],
  })
})

test('exclusions: minus, bang and NOT', () => {
  for (const query of ['a -b', 'a !b', 'a NOT b', 'a && !b']) {
    const tree = parseLucene(query)
    assert.equal(tree.kind, 'boolean', query)
    if (tree.kind !== 'boolean') continue
    assert.deepEqual(tree.clauses[1], { occur: 'mustNot', query: text('b') }, query)
  }
})

test('ranges of all kinds', () => {
  const range = { kind: 'range', field: 'n', includeLower: true, includeUpper: true }
  assert.deepEqual(parseLucene('n:[1 TO 5]'), { ...range, lower: '1', upper: '5' })
  assert.deepEqual(parseLucene('n:{1 TO *]'), {
    ...range,
    lower: '1',
    upper: undefined,
    includeLower: false,
  })
  assert.deepEqual(parseLucene('n:>=5'), { ...range, lower: '5', upper: undefined })
  assert.deepEqual(parseLucene('n:<5'), {
    ...range,
    lower: undefined,
    upper: '5',
    includeUpper: false,
  })
})

test('phrases, patterns, fuzzy words, regular expressions, boosts', () => {
  assert.deepEqual(parseLucene('"a b"~2'), {
    kind: 'phrase',
    field: undefined,
    text: 'a b',
    slop: 2,
  })
  assert.deepEqual(parseLucene('che*'), { kind: 'pattern', field: undefined, pattern: 'che*' })
  assert.deepEqual(parseLucene('a\\*b'), text('a*b'))
  assert.deepEqual(parseLucene('word~1'), {
    kind: 'fuzzy',
    field: undefined,
    text: 'word',
    distance: 1,
  })
  assert.deepEqual(parseLucene('m:/a(b|c)/'), { kind: 'regex', field: 'm', pattern: 'a(b|c)' })
  assert.deepEqual(parseLucene('a^3'), { kind: 'boost', boost: 3, query: text('a') })
  assert.deepEqual(parseLucene('_exists_:f'), { kind: 'exists', field: 'f' })
  assert.deepEqual(parseLucene('*:*'), { kind: 'everything' })
  assert.deepEqual(parseLucene(''), { kind: 'nothing' })
})

test('a field before a group holds for all of it', () => {
  assert.deepEqual(parseLucene('f:(a OR b)'), {
    kind: 'boolean',
    clauses: [
      { occur: 'should', query: text('a', 'f') },
      { occur: 'should', query: text('b', 'f') },
    ],
  })
})

test('broken queries say where', () => {
  for (const [query, position] of [
    ['(a', 2],
    ['a)', 1],
    ['f:', 2],
    ['"a', 0],
    ['[a', 0],
    ['AND a', 0],
  ] as const) {
    assert.throws(
      () => parseLucene(query),
      (error) => error instanceof QuerySyntaxError && error.position === position,
      query,
    )
  }
})

const wild = fc.string({
  unit: fc.constantFrom(...'ab :()[]{}"\\/*?~^+-!&|<>=. TOANDR'.split('')),
  maxLength: 60,
})

test('any text is a tree or a syntax error, never anything else', () => {
  fc.assert(
    fc.property(wild, (query) => {
      try {
        parseLucene(query)
      } catch (error) {
        assert.ok(error instanceof QuerySyntaxError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('the simple syntax never fails', () => {
  fc.assert(
    fc.property(wild, (query) => {
      assert.equal(typeof parseSimple(query).kind, 'string')
    }),
    { numRuns: 2000 },
  )
})

test('very deep nesting is refused, not a crash', () => {
  const deep = '('.repeat(100_000)
  assert.throws(() => parseLucene(deep), QuerySyntaxError)
  assert.equal(parseSimple(deep).kind, 'nothing')
})

/** Words that a query can hold without being escaped. */
const word = fc.string({
  unit: fc.constantFrom(...'abcxyz019.'.split('')),
  minLength: 1,
  maxLength: 8,
})

test('what is escaped comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 20 }), (raw) => {
      const escaped = raw.replace(/[^a-z0-9]/gi, '\\$&')
      assert.deepEqual(parseLucene(`f:x${escaped}`), text(`x${raw}`, 'f'))
    }),
  )
})

test('words joined by AND are all demanded, in order', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 2, maxLength: 6 }), (words) => {
      const tree = parseLucene(words.join(' AND '))
      assert.deepEqual(tree, {
        kind: 'boolean',
        clauses: words.map((one) => ({ occur: 'must', query: text(one) })),
      })
    }),
  )
})
