import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { spawnEntry, spawnSearch } from './process.ts'
import { lines, temporaryDirectory } from './server.ts'

const batchSize = 200

/** Bulks one after another until the server is gone; the numbers of those that were acknowledged. */
async function writeUntilKilled(
  url: string,
  first: number,
  kill: (done: number) => void,
): Promise<number[]> {
  const acknowledged: number[] = []
  for (let batch = first; ; batch++) {
    const body = Array.from({ length: batchSize }, (_, at) =>
      lines({ create: { _id: `b${batch}-${at}` } }, { batch, at, message: `word${batch} common` }),
    ).join('')
    try {
      const answer = await fetch(`${url}/logs/_bulk`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-ndjson' },
      })
      const json: unknown = await answer.json()
      assert.equal(answer.status, 200)
      assert.ok(typeof json === 'object' && json !== null && 'errors' in json)
      assert.equal(json.errors, false)
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      return acknowledged
    }
    acknowledged.push(batch)
    kill(acknowledged.length)
  }
}

async function batchCounts(url: string): Promise<Map<number, number>> {
  const answer = await fetch(`${url}/logs/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ size: 0, aggs: { b: { terms: { field: 'batch', size: 10_000 } } } }),
  })
  const json = (await answer.json()) as {
    aggregations: { b: { buckets: { key: number; doc_count: number }[] } }
  }
  return new Map(json.aggregations.b.buckets.map((one) => [one.key, one.doc_count]))
}

test('a server that is killed loses no acknowledged bulk and keeps no part of another', async () => {
  const directory = temporaryDirectory()
  const all: number[] = []
  try {
    for (let round = 0; round < 3; round++) {
      const server = await spawnSearch('--path.data', directory)
      const first = 1000 * round
      const written = writeUntilKilled(server.url, first, (done) => {
        // In the middle of the bulk that follows at once.
        if (done === 8 + round) setImmediate(() => server.child.kill('SIGKILL'))
      })
      all.push(...(await written))
      assert.equal(await server.ended, 'SIGKILL')
    }
    const server = await spawnSearch('--path.data', directory)
    const counts = await batchCounts(server.url)
    for (const batch of all) assert.equal(counts.get(batch), batchSize, `batch ${batch}`)
    for (const [batch, count] of counts) assert.equal(count, batchSize, `batch ${batch}`)
    assert.ok(counts.size - all.length <= 3, 'at most one unacknowledged bulk a round')
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('a create of an id that is there conflicts, also after a restart', async () => {
  const directory = temporaryDirectory()
  const body = lines({ create: { _index: 'a', _id: 'x' } }, { n: 1 })
  const bulk = async (url: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/x-ndjson' }
    const answer = await fetch(`${url}/_bulk?filter_path=items.*.status`, {
      method: 'POST',
      body,
      headers,
    })
    return await answer.json()
  }
  try {
    for (const status of [201, 409]) {
      const server = await spawnSearch('--path.data', directory)
      assert.deepEqual(await bulk(server.url), { items: [{ create: { status } }] })
      server.child.kill('SIGTERM')
      assert.equal(await server.ended, 0)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('a taken port ends the start with one line and code 1', async () => {
  const directory = temporaryDirectory()
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  const address = holder.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    const server = spawnEntry('-E', `http.port=${port}`, '--path.data', directory)
    assert.equal(await server.ended, 1)
    assert.equal(
      server.errorText(),
      `millrace: cannot listen on 127.0.0.1:${port}: the port is in use\n`,
    )
  } finally {
    holder.close()
    rmSync(directory, { recursive: true, force: true })
  }
})

test('a data directory that another server holds is refused', async () => {
  const directory = temporaryDirectory()
  const server = await spawnSearch('--path.data', directory)
  try {
    const second = spawnEntry('-E', 'http.port=0', '--path.data', directory)
    assert.equal(await second.ended, 1)
    assert.equal(
      second.errorText(),
      `millrace: data directory ${directory} is in use by another process\n`,
    )
  } finally {
    server.child.kill('SIGTERM')
    await server.ended
    rmSync(directory, { recursive: true, force: true })
  }
})

test('an unknown version is refused with what is allowed', async () => {
  const server = spawnEntry('-E', 'compatibility.version=5.6')
  assert.equal(await server.ended, 1)
  assert.equal(
    server.errorText(),
    'millrace: compatibility.version is 5.6: it must be 6.4.1, 7.17 or 8\n',
  )
})

test('security settings that nothing acts on are refused', async () => {
  const server = spawnEntry('-E', 'xpack.security.enabled=true')
  assert.equal(await server.ended, 1)
  assert.match(server.errorText(), /^millrace: xpack\.security\.enabled is not built/)
})
