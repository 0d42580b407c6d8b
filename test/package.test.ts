import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makePackage } from '../scripts/package.ts'
import { temporaryDirectory } from './storage/harness.ts'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))

const program = `
import { startCluster, type TestCluster } from 'millrace/testing'
const cluster: TestCluster = await startCluster({ topics: [{ name: 'orders' }] })
await cluster.produce('orders', [{ value: 'three apples' }])
console.log((await cluster.records('orders')).map(({ value }) => String(value)).join())
await cluster.stop()
`

test('the package that is published brings the in-process cluster with its types', async (t) => {
  const folder = temporaryDirectory(t)
  mkdirSync(join(folder, 'node_modules'))
  await makePackage(join(folder, 'node_modules/millrace'))
  // What npm would install beside it.
  const { dependencies } = JSON.parse(
    readFileSync(join(folder, 'node_modules/millrace/package.json'), 'utf8'),
  ) as { dependencies: Record<string, string> }
  const places = Object.keys(dependencies).map((name) => name.split('/')[0] ?? '')
  for (const name of new Set([...places, '@types', 'undici-types']))
    symlinkSync(join(modules, name), join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'use.ts'), program)
  const compilerOptions = {
    ...{ module: 'nodenext', strict: true, noEmit: true, skipLibCheck: false },
    ...{ target: 'es2023', lib: ['es2024'], types: ['node'] },
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['use.ts'] }),
  )
  const run = (...args: string[]): string => {
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    return stdout + stderr
  }
  assert.equal(run(join(modules, 'typescript/bin/tsc'), '-p', '.'), '')
  assert.equal(run('use.ts'), 'three apples\n')
})
