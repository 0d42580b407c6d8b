import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import type { JsonObject } from '../../src/kafka/json/values.ts'
import { wire } from '../../src/tools/commands/wire.ts'
import type { MessageVector } from '../wire/support/vectors.ts'
import { vectors } from '../wire/support/vectors.ts'

async function ask(input: string): Promise<{ code: number; answers: JsonObject[] }> {
  const stdout = new PassThrough()
  const chunks: Buffer[] = []
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await wire({
    arguments: [],
    environment: {},
    stdin: Readable.from([input]),
    stdout,
    stderr: new PassThrough(),
    stopRequested: new Promise(() => {}),
  })
  const lines = Buffer.concat(chunks).toString('utf8').split('\n')
  assert.equal(lines.pop(), '')
  return { code, answers: lines.map((line) => JSON.parse(line) as JsonObject) }
}

const lines = (questions: readonly unknown[]): string =>
  questions.map((question) => `${JSON.stringify(question)}\n`).join('')

test('every question is answered by one line, in order, and the exit code is 0', async () => {
  const all = vectors<MessageVector>('wire/1-Fetch.ndjson.gz').slice(0, 200)
  const questions = all.flatMap(({ key, version, kind, hex, body }) => [
    { op: 'decode', key, version, kind, hex },
    { op: 'encode', key, version, kind, body },
  ])
  const { code, answers } = await ask(lines(questions))
  assert.equal(code, 0)
  assert.deepEqual(
    answers,
    all.flatMap(({ hex, body }) => [{ body }, { hex }]),
  )
})

interface FrameVector extends MessageVector {
  readonly header: JsonObject
}

test('frames are taken apart, responses by the key and version given', async () => {
  const frames = vectors<FrameVector>('wire/frames.ndjson.gz')
  const { answers } = await ask(
    lines(frames.map(({ key, version, kind, hex }) => ({ op: 'frame', key, version, kind, hex }))),
  )
  for (const [index, { header, body, api }] of frames.entries()) {
    assert.deepEqual(answers[index]?.['body'], body, api)
    assert.deepEqual(answers[index]?.['header'], header, api)
  }
})

interface BatchVector {
  readonly bytes: string
  readonly batches: JsonObject[]
}

test('records are listed batch by batch', async () => {
  const all = vectors<BatchVector>('records/batches.ndjson.gz')
  const { answers } = await ask(lines(all.map(({ bytes }) => ({ op: 'records', bytes }))))
  assert.deepEqual(
    answers,
    all.map(({ batches }) => ({ batches })),
  )
})

test('what cannot be answered is answered with an error, and the next line is read', async () => {
  const questions = [
    '{"op":"decode"',
    '[]',
    '{"op":"toString"}',
    '{"op":"decode","key":3,"version":0,"kind":"request","hex":"00000000ff"}',
    '{"op":"decode","key":3,"version":0,"kind":"request","hex":"0000"}',
    '{"op":"decode","key":3,"version":0,"kind":"request","hex":"0x"}',
    '{"op":"decode","key":3,"version":99,"kind":"request","hex":""}',
    '{"op":"decode","key":3,"version":0,"kind":"both","hex":""}',
    '{"op":"decode","key":1234,"version":0,"kind":"request","hex":""}',
    '{"op":"encode","key":3,"version":0,"kind":"request","body":{"topics":null}}',
    '{"op":"encode","key":3,"version":0,"kind":"request","body":{"nonsense":1}}',
    '{"op":"encode","key":0,"version":0,"kind":"request","body":{"acks":"1"}}',
    '{"op":"encode","key":0,"version":0,"kind":"request","body":{"acks":70000}}',
    '{"op":"encode","key":0,"version":0,"kind":"request","body":{"topicData":[null]}}',
    '{"op":"frame","kind":"request","hex":"00000004ffff0000"}',
    '{"op":"records","bytes":"AAAAAAAAAAAAAAAAAAAAAAkAAAAAAAAAAAA="}',
    '{"op":"encode","key":3,"version":0,"kind":"request","body":{}}',
  ]
  const { code, answers } = await ask(`${questions.join('\n')}\n`)
  assert.equal(code, 0)
  assert.equal(answers.length, questions.length)
  assert.deepEqual(answers.at(-1), { hex: '00000000' })
  for (const [index, answer] of answers.slice(0, -1).entries()) {
    assert.deepEqual(Object.keys(answer), ['error'], questions[index])
    assert.equal(typeof answer['error'], 'string')
  }
})
