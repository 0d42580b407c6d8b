/**
 * Builds what runs fast: dist/ui, the pages, and dist/lib, every command in a few files. One file for
 * each module, as the compiler would write them, made a broker start take twice as long.
 */
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

await build({ configFile: join(root, 'ui/vite.config.ts') })
if (!process.argv.includes('--pages')) {
  rmSync(join(root, 'dist/src'), { recursive: true, force: true })
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    build: {
      ssr: true,
      target: 'node22',
      outDir: 'dist/lib',
      emptyOutDir: true,
      // Readable, since stacks and profiles name these files.
      minify: false,
      rolldownOptions: {
        input: { main: 'src/cli/main.ts' },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
}
