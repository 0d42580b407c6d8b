// The output file: appends events to files whose path may depend on the event.

import type { PipelineEvent } from '../../events/event.ts'
import type { Disk, DiskFile } from '../../runtime/disk.ts'
import { defineOutput } from '../plugin.ts'

/** Files kept open at a time; the one unused longest is closed first. */
const OPEN_FILES_MAX = 256

export const file = defineOutput({
  name: 'file',
  options: {
    path: { type: 'string', required: true },
    codec: { type: 'codec', default: 'json_lines' },
    create_if_deleted: { type: 'boolean', default: true, idle: true },
    flush_interval: { type: 'number', default: 2, idle: true },
    filename_failure: { type: 'string', default: '_filepath_failures' },
    write_behavior: { type: ['append'], default: 'append' },
    gzip: { type: ['false'], default: 'false' },
    dir_mode: { type: 'number', idle: true },
    file_mode: { type: 'number', idle: true },
  },
  build({ options, ports, template, codec }) {
    const path = template(options.path)
    const root = fixedDirectory(options.path)
    const { encode } = codec(options.codec)
    const files = new AppendedFiles(ports.disk)
    const pathOf = (event: PipelineEvent): string => {
      const rendered = path.render(event)
      const escapes = path.dynamic && rendered.split('/').includes('..')
      return escapes ? `${root}/${options.filename_failure}` : rendered
    }
    return {
      write(events) {
        const texts = new Map<string, string>()
        for (const event of events) {
          const target = pathOf(event)
          texts.set(target, (texts.get(target) ?? '') + encode(event))
        }
        for (const [target, text] of texts) files.append(target, Buffer.from(text))
        return undefined
      },
      close() {
        files.close()
        return Promise.resolve()
      },
    }
  },
})

/** The part of a path in front of the first part that depends on the event. */
function fixedDirectory(path: string): string {
  const dynamic = path.indexOf('%{')
  const fixed = dynamic < 0 ? path : path.slice(0, dynamic)
  return fixed.slice(0, Math.max(fixed.lastIndexOf('/'), 0)) || '.'
}

class AppendedFiles {
  readonly #disk: Disk
  readonly #open = new Map<string, { readonly file: DiskFile; size: number }>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** @throws DiskError */
  append(path: string, bytes: Buffer): void {
    const entry = this.#open.get(path) ?? this.#opened(path)
    this.#open.delete(path)
    this.#open.set(path, entry)
    entry.file.write(bytes, 0, bytes.length, entry.size)
    entry.size += bytes.length
  }

  close(): void {
    for (const { file } of this.#open.values()) file.close()
    this.#open.clear()
  }

  #opened(path: string): { readonly file: DiskFile; size: number } {
    const [oldest] = this.#open
    if (oldest !== undefined && this.#open.size >= OPEN_FILES_MAX) {
      oldest[1].file.close()
      this.#open.delete(oldest[0])
    }
    const slash = path.lastIndexOf('/')
    if (slash > 0) this.#disk.makeDirectory(path.slice(0, slash))
    const file = this.#disk.open(path, 'readWrite')
    return { file, size: file.size() }
  }
}
