import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tidy } from '../scripts/tidy.ts'

test('the layer table, the bans and the size ratchets hold', () => {
  assert.deepEqual(tidy(), [])
})
