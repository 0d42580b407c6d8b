import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GuardedRequest, refuseRequest } from '../../src/console/guard.ts'

const plain: GuardedRequest = {
  host: '127.0.0.1:5601',
  origin: undefined,
  fetchSite: undefined,
  isApi: true,
}
const settings = { allowedHosts: ['logs.example.org'] }

function passes(changes: Partial<GuardedRequest>): boolean {
  return refuseRequest({ ...plain, ...changes }, settings) === undefined
}

test('addresses, localhost and configured names may be asked', () => {
  const hosts = [
    '127.0.0.1',
    '10.1.2.3:80',
    '[::1]:5601',
    'localhost:5601',
    'LOGS.example.org:5601',
  ]
  for (const host of hosts) assert.equal(passes({ host }), true, host)
})

test('a name that is not ours is refused, as a rebinding attack would use it', () => {
  const hosts = ['evil.example', 'logs.example.org.evil.example:5601', '127.0.0.1.evil.example', '']
  for (const host of hosts) assert.equal(passes({ host }), false, host)
  assert.equal(passes({ host: undefined }), false)
  assert.equal(passes({ host: 'a b' }), false)
  assert.match(
    refuseRequest({ ...plain, host: 'evil.example' }, settings) ?? '',
    /--allowed-host evil\.example/,
  )
})

test('a page of another origin is refused, one of ours passes', () => {
  assert.equal(passes({ origin: 'http://127.0.0.1:5601', fetchSite: 'same-origin' }), true)
  assert.equal(passes({ origin: 'http://127.0.0.1:8080' }), false)
  assert.equal(passes({ origin: 'https://evil.example' }), false)
  assert.equal(passes({ origin: 'null' }), false)
  assert.equal(passes({ fetchSite: 'cross-site' }), false)
  assert.equal(passes({ fetchSite: 'same-site' }), false)
})

test('a link on another site may lead to a page but not to data', () => {
  assert.equal(passes({ fetchSite: 'cross-site', isApi: false }), true)
  assert.equal(passes({ fetchSite: 'none', isApi: true }), true)
})
