/**
 * Makes dist/package, which is what `npm publish` takes: commands and the in-process cluster as bundles,
 * its types, the pages, launchers and shipped settings, and a package.json of its own. Node does not
 * strip types inside node_modules, so sources are of no use there.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Who only wants a broker in tests need not install them: they are loaded when first used. */
const heavyEngines = ['@duckdb/node-api']

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly [key: string]: unknown
}

/** The package's own description of itself. */
function packageManifest(own: Manifest): Record<string, unknown> {
  const { name, version, description, license, type, engines, dependencies } = own
  const entries = Object.entries(dependencies)
  const scripts = readdirSync(join(root, 'bin'))
  return {
    ...{ name, version, description, license, type, engines },
    bin: Object.fromEntries(scripts.map((file) => [file, `./bin/${file}`])),
    exports: {
      './testing': { types: './types/src/testing/cluster.d.ts', default: './dist/lib/testing.js' },
    },
    dependencies: Object.fromEntries(entries.filter(([one]) => !heavyEngines.includes(one))),
    optionalDependencies: Object.fromEntries(entries.filter(([one]) => heavyEngines.includes(one))),
  }
}

function writeTypes(folder: string): void {
  const project = join(folder, 'tsconfig.json')
  const compilerOptions = {
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true },
    ...{
      rootDir: root,
      outDir: join(folder, 'types'),
      typeRoots: [join(root, 'node_modules/@types')],
    },
  }
  const files = [join(root, 'src/testing/cluster.ts')]
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files }),
  )
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit' })
  rmSync(project)
  if (status !== 0) throw new Error('the types could not be written')
}

/** Makes the package in `folder`, which is emptied first. */
export async function makePackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageManifest(own), null, 2)}\n`)
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    build: {
      ...{ ssr: true, target: 'node22', minify: false, outDir: join(folder, 'dist/lib') },
      emptyOutDir: true,
      rolldownOptions: {
        input: { main: 'src/cli/main.ts', testing: 'src/testing/cluster.ts' },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
  writeTypes(folder)
  for (const name of ['bin', 'config', 'LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, 'dist/package')
  await makePackage(folder)
  await build({ configFile: join(root, 'ui/vite.config.ts') })
  cpSync(join(root, 'dist/ui'), join(folder, 'dist/ui'), { recursive: true })
}
