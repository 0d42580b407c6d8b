import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import { findCompatibility } from '../../src/search/compatibility.ts'
import { Index } from '../../src/search/indices/index.ts'
import { inTransaction } from '../../src/search/storage/duckdb/engine.ts'
import { DiskFullError } from '../../src/search/storage/storage.ts'
import { openAll } from './opened.ts'
import { temporaryDirectory } from './server.ts'

test('a full disk refuses each operation for itself, and later ones are written', async () => {
  const directory = temporaryDirectory()
  try {
    const opened = await openAll(directory, new VirtualClock(), Number.POSITIVE_INFINITY)
    const { storage, definition } = await opened.indices.forWriting('logs')
    const expected = {
      '6.4.1': [403, 'blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];'],
      '7.17': [
        429,
        'index [logs] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage ' +
          'watermark, index has read-only-allow-delete block];',
      ],
    }
    const append = storage.append.bind(storage)
    for (const [version, answer] of Object.entries(expected)) {
      const compatibility = findCompatibility(version)
      assert.ok(compatibility !== undefined)
      const index = new Index(storage, definition, compatibility)
      const operations = ['a', 'b'].map((id) => {
        return { kind: 'index' as const, id: `${version} ${id}`, source: '{"n":1}' }
      })
      storage.append = () => Promise.reject(new DiskFullError('no space left on device'))
      const refused = await index.write(operations)
      assert.deepEqual(
        refused.map((one) => 'error' in one && [one.id, one.error.type, one.error.status]),
        operations.map(({ id }) => [id, 'cluster_block_exception', answer[0]]),
      )
      const [first] = refused
      assert.ok(first !== undefined && 'error' in first)
      assert.equal(first.error.reason, answer[1])
      await assert.rejects(index.putMapping({}), { type: 'cluster_block_exception' })

      storage.append = append
      const written = await index.write(operations)
      assert.ok(written.every((one) => !('error' in one)))
    }
    assert.equal(storage.count, 4)
    await opened.storage.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('a transaction without room is rolled back once, whatever part of it failed', async () => {
  const full = new Error('IO Error: Could not write file "x.wal": No space left on device')
  for (const [failing, statements] of [
    ['INSERT', ['BEGIN', 'INSERT', 'ROLLBACK']],
    ['COMMIT', ['BEGIN', 'INSERT', 'COMMIT']],
  ] as const) {
    const ran: string[] = []
    const connection = {
      run: async (sql: string) => {
        ran.push(sql)
        if (sql === failing) throw full
      },
    }
    const written = inTransaction(connection, () => connection.run('INSERT'))
    await assert.rejects(written, (error: unknown) => {
      return error instanceof DiskFullError && error.cause === full
    })
    assert.deepEqual(ran, statements)
  }
})
