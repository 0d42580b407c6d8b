// Goal: the notation's rules, as its documentation tells them. Method: a text and its fields each.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileDissect, DissectError } from '../../src/text/dissect.ts'

function cut(mapping: string, text: string): unknown {
  const fields = compileDissect(mapping).dissect(text)
  return fields === undefined ? undefined : Object.fromEntries(fields)
}

test('fields are what stands between the delimiters', () => {
  assert.deepEqual(cut('%{a} %{b}', 'one two three'), { a: 'one', b: 'two three' })
  assert.deepEqual(cut('<%{a}>: %{b};', '<1>: x;'), { a: '1', b: 'x' })
  assert.equal(cut('%{a};', 'no end'), undefined)
  assert.equal(cut('[%{a}', 'x[y'), undefined)
})

test('an arrow takes repeated delimiters, an empty name and ? keep nothing', () => {
  assert.deepEqual(cut('%{a->} %{b}', 'one     two'), { a: 'one', b: 'two' })
  assert.deepEqual(cut('%{} %{?x} %{c}', '1 2 3'), { c: '3' })
  assert.deepEqual(cut('%{->},%{c}', '1,,,3'), { c: '3' })
})

test('+ appends with the delimiter before it, in the order of the numbers', () => {
  assert.deepEqual(cut('%{t} %{+t} %{m}', 'Nov 23 x'), { t: 'Nov 23', m: 'x' })
  assert.deepEqual(cut('%{+a/2} %{+a/1} %{+a/4} %{+a/3}', '1 2 3 go'), { a: '2 1 go 3' })
})

test('& names a field by the text of another', () => {
  assert.deepEqual(cut('%{?key}=%{&key}', 'color=red'), { color: 'red' })
})

test('a mapping without fields, or with two in a row, is refused', () => {
  assert.throws(() => compileDissect('nothing'), DissectError)
  assert.throws(() => compileDissect('%{a}%{b}'), DissectError)
})
