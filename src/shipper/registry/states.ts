// Pure. The state of one file as Filebeat records it, for inputs of type log and filestream.

import type { State } from './format.ts'

export interface FilePosition {
  readonly inode: number
  readonly device: number
  readonly source: string
  readonly offset: number
  readonly timestampMs: number
}

const filestreamTtlNanos = 1_800_000_000_000

export function nativeIdentity(inode: number, device: number): string {
  return `native::${inode}-${device}`
}

/** `filebeat::logs::native::1-2`, `filestream::ID::native::1-2` */
export function registryKeyPrefix(kind: 'log' | 'filestream', id: string): string {
  return kind === 'log' ? 'filebeat::logs::' : `filestream::${id}::`
}

export function stateOf(kind: 'log' | 'filestream', position: FilePosition): State {
  const { inode, device, source, offset, timestampMs } = position
  const time = [(timestampMs % 1000) * 1_000_000, Math.floor(timestampMs / 1000)]
  if (kind === 'filestream') {
    return {
      ttl: filestreamTtlNanos,
      updated: time,
      cursor: { offset },
      meta: { source, identifier_name: 'native' },
    }
  }
  return {
    id: nativeIdentity(inode, device),
    prev_id: '',
    source,
    offset,
    timestamp: time,
    ttl: -1,
    type: 'log',
    FileStateOS: { inode, device },
    identifier_name: 'native',
  }
}

/** How far the file was acknowledged. A filestream that was only seen has no cursor yet: 0. */
export function offsetOf(state: State): number {
  const cursor = state['cursor']
  const holder = typeof cursor === 'object' && cursor !== null ? cursor : state
  const offset: unknown = Reflect.get(holder, 'offset')
  return typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0 ? offset : 0
}

export function sourceOf(state: State): string | undefined {
  const meta = state['meta']
  const holder = typeof meta === 'object' && meta !== null ? meta : state
  const source: unknown = Reflect.get(holder, 'source')
  return typeof source === 'string' ? source : undefined
}
