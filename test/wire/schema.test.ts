import assert from 'node:assert/strict'
import { test } from 'node:test'
import { structFromJson, structToJson } from '../../src/kafka/json/values.ts'
import { InitProducerId } from '../../src/kafka/messages/init-producer-id.ts'
import { compile } from '../../src/wire/compile.ts'
import { describe, describeApi } from '../../src/wire/describe.ts'
import { WireError } from '../../src/wire/errors.ts'
import { interpret } from '../../src/wire/interpret.ts'
import { Reader } from '../../src/wire/reader.ts'
import type { Schema, TypeOf } from '../../src/wire/schema.ts'
import {
  array,
  bigint64,
  bool,
  bytes,
  defaults,
  float64,
  int32,
  int64,
  jute,
  record,
  string,
  struct,
} from '../../src/wire/schema.ts'
import { Writer } from '../../src/wire/writer.ts'
import { vectors } from './support/vectors.ts'

// A few of ZooKeeper's records, declared here to test the dialect.
const id = { scheme: string({ nullable: true }), id: string({ nullable: true }) }
const acl = { perms: int32(), id: struct(id) }
const stat = {
  czxid: bigint64(),
  mzxid: bigint64(),
  ctime: bigint64(),
  mtime: bigint64(),
  version: int32(),
  cversion: int32(),
  aversion: int32(),
  ephemeralOwner: bigint64(),
  dataLength: int32(),
  numChildren: int32(),
  pzxid: bigint64(),
}
const juteSchemas: Readonly<Record<string, Schema>> = {
  Id: jute('Id', id),
  ACL: jute('ACL', acl),
  Stat: jute('Stat', stat),
  CreateRequest: jute('CreateRequest', {
    path: string({ nullable: true }),
    data: bytes({ nullable: true, default: null }),
    acl: array(acl, { nullable: true, default: null }),
    flags: int32(),
  }),
  GetDataRequest: jute('GetDataRequest', { path: string({ nullable: true }), watch: bool() }),
  GetDataResponse: jute('GetDataResponse', {
    data: bytes({ nullable: true }),
    stat: struct(stat),
  }),
  GetChildren2Response: jute('GetChildren2Response', {
    children: array(string({ nullable: true }), { nullable: true }),
    stat: struct(stat),
  }),
}

interface JuteVector {
  readonly record: string
  readonly case: string
  readonly body: never
  readonly hex: string
}

test('records of ZooKeeper are read and written byte by byte in the jute dialect', () => {
  let count = 0
  for (const { record: name, body, hex } of vectors<JuteVector>('wire/jute-records.ndjson.gz')) {
    const schema = juteSchemas[name]
    if (schema === undefined) continue
    for (const codec of [compile<Schema>(schema, 0), interpret<Schema>(schema, 0)]) {
      const writer = new Writer()
      codec.encode(structFromJson(name, schema.fields, body), writer)
      assert.equal(writer.bytes().toString('hex'), hex, name)
      const reader = new Reader(Buffer.from(hex, 'hex'))
      const value: Record<string, unknown> = codec.decode(reader)
      assert.deepEqual(structToJson(schema.fields, 0, value), body, name)
      assert.equal(reader.remaining, 0)
    }
    count += 1
  }
  assert.ok(count > 40, String(count))
})

test('an id of 64 bits is always a bigint where it is declared so', () => {
  const schema = jute('Session', { id: bigint64(), time: int64() })
  const writer = new Writer()
  compile(schema, 0).encode({ id: 5, time: 5n }, writer)
  const value: TypeOf<typeof schema> = compile(schema, 0).decode(new Reader(writer.bytes()))
  assert.deepEqual(value, { id: 5n, time: 5 })
})

const sample = record({
  name: 'Sample',
  versions: '0-2',
  flexible: '2+',
  fields: {
    always: string(),
    later: int32({ versions: '1+', default: -1 }),
    dropped: int32({ versions: '1+', ignorable: true }),
    inner: struct({ ratio: float64() }, { versions: '2+', nullable: '2+', default: null, tag: 3 }),
    list: array({ name: string() }, { versions: '2+', tag: 1 }),
  },
})

test('tagged fields are written in tag order among unknown ones, and only when not default', () => {
  const writer = new Writer()
  const codec = compile(sample, 2)
  codec.encode({ always: 'a' }, writer)
  assert.equal(writer.bytes().toString('hex'), '0261' + 'ffffffff' + '00000000' + '00')
  writer.reset()
  const data = Buffer.from('x')
  codec.encode(
    {
      inner: { ratio: 1 },
      list: [{ name: 'n' }],
      _unknownTaggedFields: [
        { tag: 9, data },
        { tag: 2, data },
      ],
    },
    writer,
  )
  const tags = '04' + '010402026e00' + '020178' + '030a' + '013ff000000000000000' + '090178'
  assert.equal(writer.bytes().toString('hex'), '01' + 'ffffffff' + '00000000' + tags)
  const value = codec.decode(new Reader(writer.bytes()))
  assert.deepEqual(value.list, [{ name: 'n' }])
  assert.deepEqual(
    value._unknownTaggedFields?.map(({ tag }) => tag),
    [2, 9],
  )
})

test('an unknown tag that is known, or stands twice, is refused', () => {
  for (const codecOf of [compile, interpret]) {
    const codec = codecOf(sample, 2)
    const data = Buffer.alloc(0)
    const known = { _unknownTaggedFields: [{ tag: 3, data }] }
    assert.throws(() => codec.encode(known, new Writer()), WireError)
    const twice = { _unknownTaggedFields: [7, 7].map((tag) => ({ tag, data })) }
    assert.throws(() => codec.encode(twice, new Writer()), WireError)
  }
})

test('a tagged field must have the size it states', () => {
  const bytesWithWrongSize = Buffer.from('01ffffffff00000000' + '01' + '010502026e00ff', 'hex')
  for (const codecOf of [compile, interpret]) {
    const codec = codecOf(sample, 2)
    assert.throws(() => codec.decode(new Reader(bytesWithWrongSize)), WireError)
  }
})

test('fields that a version lacks are refused or dropped, and read as their default', () => {
  const writer = new Writer()
  assert.throws(() => compile(sample, 0).encode({ later: 5 }, writer), /Sample.later cannot/)
  writer.reset()
  compile(sample, 0).encode({ always: 'z', later: -1, dropped: 9 }, writer)
  const value = compile(sample, 0).decode(new Reader(writer.bytes()))
  assert.deepEqual(value, { ...defaults(sample), always: 'z' })
})

test('wrong shapes are refused by name', () => {
  const wrong = structFromJson('Sample', { always: string(), list: array(int32()) }, { always: 7 })
  assert.throws(() => compile(sample, 0).encode(wrong, new Writer()), /7 is not a valid string/)
  const list: unknown = 'no list'
  for (const codecOf of [compile, interpret]) {
    const codec = codecOf<Schema>(sample, 2)
    assert.throws(() => codec.encode({ list }, new Writer()), /Sample.list is not an array/)
  }
})

test('a declaration is described as a table', () => {
  const text = describe(sample)
  assert.match(text, /\| `later` \| int32 \| 1\+ \|  \|  \| -1 \|/)
  assert.match(text, /\| `inner` \| struct \| 2\+ \| 3 \| 2\+ \| null \|/)
  assert.match(text, /\| &nbsp;&nbsp;`name` \| string \| 0\+ \|/)
  assert.match(describeApi(InitProducerId), /^## InitProducerId \(key 22\)/)
})
