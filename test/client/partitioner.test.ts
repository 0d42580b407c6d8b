// The partition of a record must be the one Java's clients choose, or keys move when clients
// change.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  murmur2,
  murmur2Partitioner,
  partitionForKey,
  StickyChoice,
} from '../../src/client/producer/partitioner.ts'
import { golden } from './support/golden.ts'

interface Placement {
  readonly key: string
  readonly murmur2: number
  readonly partitions: Readonly<Record<string, number>>
}

test('keys hash and land as in Kafka 3.9.1', () => {
  const placements = golden<Placement>('partitioner')
  assert.equal(placements.length, 600)
  for (const { key, murmur2: hash, partitions } of placements) {
    const bytes = Buffer.from(key, 'base64')
    assert.equal(murmur2(bytes), hash, key)
    for (const [count, partition] of Object.entries(partitions)) {
      assert.equal(partitionForKey(bytes, Number(count)), partition)
    }
  }
})

test('a record without a key is left to the sticky choice, one with an empty key is not', () => {
  assert.equal(murmur2Partitioner({ topic: 't', value: null }, 7), undefined)
  assert.equal(murmur2Partitioner({ topic: 't', value: null, key: null }, 7), undefined)
  assert.equal(
    typeof murmur2Partitioner({ topic: 't', value: null, key: Buffer.alloc(0) }, 7),
    'number',
  )
})

test('the sticky choice stays for a batch, then draws among partitions with a leader', () => {
  const sticky = new StickyChoice(100)
  const first = sticky.choose(60, 3, [1, 2], () => 1)
  assert.equal(first, 2)
  assert.equal(
    sticky.choose(60, 3, [1, 2], () => 0),
    2,
  )
  assert.equal(
    sticky.choose(60, 3, [1, 2], () => 0),
    1,
  )
})

test('the sticky choice is a partition of the topic, whatever is available', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 50 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 9 }), fc.nat(), (records, count, seed) => {
      const sticky = new StickyChoice(1000)
      const available = Array.from({ length: count }, (_, index) => index).filter(
        (n) => n % 2 === 0,
      )
      let draw = seed
      for (const bytes of records) {
        const choice = sticky.choose(bytes, count, available, (bound) => draw++ % bound)
        assert.ok(available.includes(choice))
      }
    }),
  )
})
