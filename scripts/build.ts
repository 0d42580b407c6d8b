/** Builds what is published and what the console serves: dist/ from the sources, dist/ui from the pages. */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function run(what: string, script: string, ...args: string[]): void {
  const result = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  if (result.status === 0) return
  console.error(`build: ${what} failed`)
  process.exit(1)
}

const isPagesOnly = process.argv.includes('--pages')
run('the pages', 'node_modules/vite/bin/vite.js', 'build', '--config', 'ui/vite.config.ts')
if (!isPagesOnly) run('the sources', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
