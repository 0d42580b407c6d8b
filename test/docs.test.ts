import assert from 'node:assert/strict'
import { test } from 'node:test'
import { staleDocuments } from '../scripts/docs.ts'

test('the generated documents are what the declarations say now', () => {
  assert.deepEqual(staleDocuments(), [])
})
