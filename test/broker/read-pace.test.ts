import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadPace } from '../../src/broker/read-pace.ts'

const megabyte = 1_048_576

test('old records are read on the loop after some reads as fast as the page cache', () => {
  const pace = new ReadPace()
  const trusted = [1, 2, 3].map(() => {
    pace.note(megabyte, 0.4)
    return pace.seemsCached
  })
  assert.deepEqual(trusted, [false, false, true])
})

test('one read at the speed of a disk ends that', () => {
  const pace = new ReadPace()
  for (let count = 0; count < 10; count += 1) pace.note(megabyte, 0.4)
  pace.note(megabyte, 8)
  assert.equal(pace.seemsCached, false)
  pace.note(4096, 2)
  assert.equal(pace.seemsCached, false)
})
