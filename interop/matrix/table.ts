/** The part of docs/interop.md that a run of the whole matrix writes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../test/platform/chain.ts'
import type { MatrixClient } from './clients.ts'
import type { ReadCounts } from './tests.ts'

const begin = '<!-- matrix: written by interop/run all -->'
const end = '<!-- end of matrix -->'

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function render(clients: readonly MatrixClient[], counts: ReadCounts): string {
  const names = clients.map(({ name }) => name)
  const written = clients.map(({ name, codecs, headers, hasIdempotence }) =>
    row([name, codecs.join(', '), headers, hasIdempotence ? 'yes' : 'it has none']),
  )
  const read = names.map((reader) => {
    const cells = names.map((writer) => String(counts.get(reader)?.get(writer) ?? 'failed'))
    return row([reader, ...cells])
  })
  return [
    row(['client', 'wrote with', 'headers', 'idempotent']),
    row(['---', '---', '---', '---']),
    ...written,
    '',
    'Records read and compared (reader down, writer across):',
    '',
    row(['', ...names]),
    row(['---', ...names.map(() => '---')]),
    ...read,
  ].join('\n')
}

export function writeTable(clients: readonly MatrixClient[], counts: ReadCounts): void {
  const file = join(root, 'docs', 'interop.md')
  const text = readFileSync(file, 'utf8')
  const [head = '', rest = ''] = text.split(begin)
  const tail = rest.split(end)[1] ?? ''
  writeFileSync(file, `${head}${begin}\n\n${render(clients, counts)}\n\n${end}${tail}`)
}
