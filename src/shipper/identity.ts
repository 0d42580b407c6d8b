// The shipper's own identity: path.data/meta.json, as Filebeat keeps it.

import { readFileIfThere, replaceFile } from '../runtime/disk.ts'
import { uuidText } from '../runtime/random.ts'
import type { Ports } from '../runtime/service.ts'

/** The uuid of this data directory; made at the first start. @throws DiskError */
export function persistentId(
  ports: Pick<Ports, 'clock' | 'disk' | 'random'>,
  dataDirectory: string,
): string {
  const path = `${dataDirectory}/meta.json`
  const text = readFileIfThere(ports.disk, path)?.toString('utf8')
  const found = text === undefined ? undefined : uuidIn(text)
  if (found !== undefined) return found
  const uuid = uuidText(ports.random)
  const firstStart = new Date(ports.clock.now()).toISOString()
  replaceFile(ports.disk, path, `${JSON.stringify({ uuid, first_start: firstStart })}\n`)
  return uuid
}

function uuidIn(text: string): string | undefined {
  return /"uuid"\s*:\s*"([0-9a-f-]{36})"/i.exec(text)?.[1]
}
