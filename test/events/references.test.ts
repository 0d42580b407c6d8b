// Goal: fields are read, set and removed by reference, whatever their names. Method: examples, and
// random data against a plain walk.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PipelineEvent, TagsTypeError, setNamedField } from '../../src/events/event.ts'
import {
  FieldReferenceError,
  getField,
  hasField,
  reference,
  removeField,
  setField,
} from '../../src/events/references.ts'
import { Timestamp, type ValueMap } from '../../src/events/values.ts'

const now = new Timestamp(1_793_491_200_000)

function eventOf(data: ValueMap): PipelineEvent {
  return PipelineEvent.ofData(data, now)
}

test('a bare name and a bracketed one mean the same field', () => {
  const event = eventOf({ a: { b: ['x', 'y'] } })
  assert.deepEqual(getField(event, reference('a')), { b: ['x', 'y'] })
  assert.deepEqual(getField(event, reference('[a]')), { b: ['x', 'y'] })
  assert.equal(getField(event, reference('[a][b][1]')), 'y')
  assert.equal(getField(event, reference('[a][b][-1]')), 'y')
  assert.equal(getField(event, reference('[a][b][2]')), undefined)
  assert.equal(getField(event, reference('[a][b][x]')), undefined)
})

test('references that are not well formed are refused', () => {
  for (const text of ['[x', 'x]', 'a[b]', '[a]b', '[]', '[a][', '[[a]b]']) {
    assert.throws(() => reference(text), FieldReferenceError, text)
  }
})

test('metadata is apart from the data', () => {
  const event = eventOf({ a: 1, '@metadata': { m: 'meta' } })
  assert.equal(getField(event, reference('[@metadata][m]')), 'meta')
  setField(event, reference('[@metadata][n]'), 2)
  assert.deepEqual(event.metadata, { m: 'meta', n: 2 })
  assert.equal(JSON.stringify(event.data).includes('meta'), false)
})

test('names that every object inherits are fields like any other', () => {
  const event = eventOf({})
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.equal(getField(event, reference(name)), undefined)
    setField(event, reference(`[o][${name}]`), 1)
    setField(event, reference(name), 'v')
    assert.equal(getField(event, reference(name)), 'v')
    assert.equal(getField(event, reference(`[o][${name}]`)), 1)
    assert.equal(removeField(event, reference(name)), 'v')
    assert.equal(hasField(event, reference(name)), false)
  }
  assert.equal(Object.getPrototypeOf(event.data), Object.prototype)
})

test('what was set at a random path is found there, and is gone once removed', () => {
  const key = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[[\]]/.test(text))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(key, { minLength: 1, maxLength: 4 }), fc.integer()), {
        maxLength: 8,
      }),
      fc.array(key, { minLength: 1, maxLength: 4 }),
      fc.integer(),
      (others, path, value) => {
        const event = eventOf({})
        for (const [other, number] of others) {
          setField(event, reference(`[o]${other.map((part) => `[${part}]`).join('')}`), number)
        }
        const field = reference(`[o]${path.map((part) => `[${part}]`).join('')}`)
        setField(event, field, value)
        assert.equal(getField(event, field), value)
        assert.equal(removeField(event, field), value)
        assert.equal(hasField(event, field), false)
      },
    ),
  )
})

test('an array does not grow by a huge index', () => {
  const event = eventOf({ l: [1] })
  setField(event, reference('[l][3]'), 4)
  assert.deepEqual(event.data['l'], [1, null, null, 4])
  assert.throws(() => setField(event, reference('[l][99999999]'), 1), FieldReferenceError)
})

test('tags take texts only, and a bad timestamp is kept aside with a tag', () => {
  const event = eventOf({ '@timestamp': 'yesterday', tags: ['a'] })
  assert.deepEqual(event.data['tags'], ['a', '_timestampparsefailure'])
  assert.equal(event.data['_@timestamp'], 'yesterday')
  assert.equal(event.timestamp, now)
  assert.throws(() => setNamedField(event, 'tags', { x: 1 }), TagsTypeError)
  const bad = eventOf({ tags: { x: 1 } })
  assert.deepEqual(bad.data['tags'], ['_tagsparsefailure'])
  assert.deepEqual(bad.data['_tags'], [{ x: 1 }])
})
