/** Unpacks a .tar.gz of plain and of sparse files (ustar, GNU) into a directory, leaving out its first path element. */
import fs from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'

export function untar(archive: URL, target: string): void {
  const bytes = gunzipSync(fs.readFileSync(archive))
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const text = (from: number, length: number) =>
      bytes.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '')
    const size = Number.parseInt(text(124, 12).trim(), 8)
    const name = path.join(text(345, 155), text(0, 100))
    const file = path.join(target, name.split('/').slice(1).join('/'))
    const type = text(156, 1)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    if (type === '5') fs.mkdirSync(file, { recursive: true })
    else if (type === '' || type === '0') {
      fs.writeFileSync(file, bytes.subarray(at + 512, at + 512 + size))
    } else if (type === 'S') {
      unpackSparse(file, bytes.subarray(at, at + 512), bytes.subarray(at + 512, at + 512 + size))
    } else throw new Error(`${name}: no support for tar entries of type ${type}`)
    at += 512 + Math.ceil(size / 512) * 512
  }
}

/** A map of four pieces at most: offset and length of each, twelve octal digits; then the real size. */
function unpackSparse(file: string, header: Buffer, content: Buffer): void {
  const number = (from: number) =>
    Number.parseInt(header.toString('latin1', from, from + 12).replace(/\0.*$/s, ''), 8)
  if (header[482] === 1) throw new Error(`${file}: more than four pieces`)
  const descriptor = fs.openSync(file, 'w')
  let taken = 0
  for (let at = 386; at < 386 + 4 * 24 && header[at] !== 0; at += 24) {
    const length = number(at + 12)
    fs.writeSync(descriptor, content, taken, length, number(at))
    taken += length
  }
  fs.ftruncateSync(descriptor, number(483))
  fs.closeSync(descriptor)
}
