// Frames as the tap sees them, and the answers it makes itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Errors } from '../../src/kafka/errors.ts'
import { decodeResponse, encodeRequest } from '../../src/kafka/header.ts'
import { CreateTopics } from '../../src/kafka/messages/create-topics.ts'
import { Fetch } from '../../src/kafka/messages/fetch.ts'
import { FindCoordinator } from '../../src/kafka/messages/find-coordinator.ts'
import { Heartbeat } from '../../src/kafka/messages/heartbeat.ts'
import { apis } from '../../src/kafka/messages/index.ts'
import { LeaveGroup } from '../../src/kafka/messages/leave-group.ts'
import { OffsetFetch } from '../../src/kafka/messages/offset-fetch.ts'
import { Produce } from '../../src/kafka/messages/produce.ts'
import { canRefuse, refusalFrame } from '../../src/testing/error-answers.ts'
import { FrameSplitter, isAnswered, requestBody, requestHeader } from '../../src/testing/frames.ts'
import { TopicNames } from '../../src/testing/topic-names.ts'
import { defaults } from '../../src/wire/schema.ts'

const identity = { correlationId: 7, clientId: 'c' }

function frameOf(body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

test('frames come out whole and in order, however the stream is cut', () => {
  const bodies = fc.array(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 8 },
  )
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(bodies, cuts, (contents, lengths) => {
      const stream = Buffer.concat(contents.map(frameOf))
      const splitter = new FrameSplitter()
      const found: string[] = []
      for (let at = 0, cut = 0; at < stream.length; cut += 1) {
        const length = lengths[cut % lengths.length] ?? 1
        const chunk = Buffer.from(stream.subarray(at, at + length))
        for (const frame of splitter.push(chunk)) found.push(frame.toString('hex'))
        // The network reads into the same memory again.
        chunk.fill(0xee)
        at += length
      }
      assert.deepEqual(
        found,
        contents.map((body) => frameOf(body).toString('hex')),
      )
    }),
  )
})

test('a stream whose sizes make no sense is passed on as it comes', () => {
  const splitter = new FrameSplitter()
  assert.deepEqual(splitter.push(Buffer.from('GET / HTTP/1.1')).map(String), ['GET / HTTP/1.1'])
  assert.equal(splitter.isBroken, true)
  assert.deepEqual(splitter.push(Buffer.from('ab')).map(String), ['ab'])
})

test('header and body of every request in every version are found', () => {
  for (const api of apis) {
    for (let version = api.versions.min; version <= api.versions.max; version += 1) {
      const frame = encodeRequest(api, version, identity, defaults(api.request))
      const header = requestHeader(frame)
      assert.ok(header)
      assert.equal(header.apiKey, api.key)
      assert.equal(header.apiVersion, version)
      assert.equal(header.correlationId, 7)
      assert.deepEqual(requestBody(api, frame, header), defaults(api.request))
    }
  }
})

test('tagged fields of a header are passed over', () => {
  const frame = encodeRequest(Heartbeat, 4, identity, { groupId: 'g', memberId: 'm' })
  const plain = requestHeader(frame)
  assert.ok(plain)
  const at = plain.bodyStart
  // One field: tag 5, two bytes.
  const tagged = Buffer.concat([
    frame.subarray(4, at - 1),
    Buffer.from([1, 5, 2, 0xaa, 0xbb]),
    frame.subarray(at),
  ])
  const longer = frameOf(tagged)
  const header = requestHeader(longer)
  assert.ok(header)
  assert.equal(header.bodyStart, at + 4)
  assert.equal(requestBody(Heartbeat, longer, header)?.groupId, 'g')
})

test('a request that cannot be read has no body', () => {
  const frame = encodeRequest(Heartbeat, 0, identity, { groupId: 'group', memberId: 'm' })
  const header = requestHeader(frame)
  assert.ok(header)
  assert.equal(requestBody(Heartbeat, frame.subarray(0, frame.length - 3), header), undefined)
  assert.equal(requestHeader(Buffer.alloc(9)), undefined)
})

test('only Produce with acks 0 is not answered', () => {
  for (let version = 3; version <= 11; version += 1) {
    for (const transactionalId of [null, 'some-id']) {
      for (const acks of [-1, 0, 1]) {
        const frame = encodeRequest(Produce, version, identity, { acks, transactionalId })
        const header = requestHeader(frame)
        assert.ok(header)
        assert.equal(isAnswered(frame, header), acks !== 0, `version ${version}`)
      }
    }
  }
})

test('every API that can carry an error is refused in every version', () => {
  let refused = 0
  for (const api of apis.filter(canRefuse)) {
    for (let version = api.versions.min; version <= api.versions.max; version += 1) {
      const refusal = { apiVersion: version, correlationId: 9, errorCode: 3 }
      const frame = refusalFrame(api, defaults(api.request), refusal)
      assert.equal(decodeResponse(api, version, frame).correlationId, 9)
      refused += 1
    }
  }
  assert.ok(refused > 150)
})

test('a refusal repeats what was asked for, with the code at every part', () => {
  const refusal = { apiVersion: 9, correlationId: 1, errorCode: Errors.NOT_LEADER_OR_FOLLOWER }
  const request = {
    ...defaults(Produce.request),
    topicData: [
      { name: 't', topicId: '', partitionData: [{ index: 4, records: null }] },
      { name: 'u', topicId: '', partitionData: [] },
    ],
  }
  const { body } = decodeResponse(Produce, 9, refusalFrame(Produce, request, refusal))
  assert.deepEqual(
    body.responses.map(({ name, partitionResponses }) => ({
      name,
      parts: partitionResponses.map(({ index, errorCode, baseOffset }) => {
        return { index, errorCode, baseOffset }
      }),
    })),
    [
      { name: 't', parts: [{ index: 4, errorCode: 6, baseOffset: -1 }] },
      { name: 'u', parts: [] },
    ],
  )
  const creation = { ...defaults(CreateTopics.request), topics: [{ name: 'x' }] }
  const refused = refusalFrame(CreateTopics, creation, { ...refusal, apiVersion: 7 })
  assert.equal(decodeResponse(CreateTopics, 7, refused).body.topics[0]?.errorCode, 6)
})

test('a refusal stands where its version has it', () => {
  const refusal = { correlationId: 1, errorCode: Errors.COORDINATOR_NOT_AVAILABLE }
  const single = { ...defaults(FindCoordinator.request), key: 'g' }
  const old = refusalFrame(FindCoordinator, single, { ...refusal, apiVersion: 3 })
  assert.equal(decodeResponse(FindCoordinator, 3, old).body.errorCode, 15)
  const many = { ...defaults(FindCoordinator.request), coordinatorKeys: ['g', 'h'] }
  const recent = refusalFrame(FindCoordinator, many, { ...refusal, apiVersion: 4 })
  const { coordinators } = decodeResponse(FindCoordinator, 4, recent).body
  assert.deepEqual(
    coordinators.map(({ key, errorCode }) => [key, errorCode]),
    [
      ['g', 15],
      ['h', 15],
    ],
  )
  const asked = { ...defaults(OffsetFetch.request), groups: [{ groupId: 'g', topics: null }] }
  const grouped = refusalFrame(OffsetFetch, asked, { ...refusal, apiVersion: 8 })
  assert.equal(decodeResponse(OffsetFetch, 8, grouped).body.groups[0]?.errorCode, 15)
  const left = refusalFrame(LeaveGroup, defaults(LeaveGroup.request), { ...refusal, apiVersion: 3 })
  assert.equal(decodeResponse(LeaveGroup, 3, left).body.errorCode, 15)
})

test('the topics of a request are named, by their ids where it has only those', () => {
  const names = new TopicNames()
  assert.deepEqual(names.namedIn({ topicData: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] }), [
    'a',
    'b',
  ])
  assert.deepEqual(names.namedIn({ topicNames: ['a'] }), ['a'])
  assert.deepEqual(names.namedIn({ groups: [{ groupId: 'g', topics: [{ name: 'a' }] }] }), ['a'])
  assert.deepEqual(names.namedIn({ groups: ['g'] }), [])
  const fetch = { ...defaults(Fetch.request), topics: [{ topic: '', topicId: 'some-id' }] }
  assert.deepEqual(names.namedIn(fetch), ['some-id'])
})
