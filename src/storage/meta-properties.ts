/** meta.properties: which broker of which cluster a log directory belongs to. */
import { type Disk, readFileIfThere, replaceFile } from '../runtime/disk.ts'
import { UserError } from '../runtime/service.ts'

export interface MetaProperties {
  readonly brokerId: number
  /** 0.10.1 does not write it. */
  readonly clusterId: string | undefined
}

/** Undefined where there is no file. @throws UserError, DiskError */
export function readMetaProperties(disk: Disk, path: string): MetaProperties | undefined {
  const text = readFileIfThere(disk, path)?.toString('utf8')
  if (text === undefined) return undefined
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match !== null) values.set(match[1] ?? '', match[2] ?? '')
  }
  const version = values.get('version')
  if (version !== '0') {
    throw new UserError(
      version === '1'
        ? `${path} was written by a broker in KRaft mode (version=1)`
        : `${path} has no usable version: ${version ?? 'missing'}`,
    )
  }
  const brokerId = values.get('broker.id') ?? ''
  if (!/^\d{1,10}$/.test(brokerId)) throw new UserError(`${path} has no usable broker.id`)
  return { brokerId: Number(brokerId), clusterId: values.get('cluster.id') }
}

/** @throws DiskError */
export function writeMetaProperties(disk: Disk, path: string, meta: MetaProperties): void {
  const cluster = meta.clusterId === undefined ? '' : `cluster.id=${meta.clusterId}\n`
  replaceFile(disk, path, `broker.id=${meta.brokerId}\nversion=0\n${cluster}`)
}

/**
 * Reads the file, or writes it where it is missing or lacks the cluster's id.
 * @throws UserError where it belongs to another broker or cluster, DiskError
 */
export function claimDirectory(
  disk: Disk,
  path: string,
  wanted: { brokerId: number; clusterId: string },
): void {
  const found = readMetaProperties(disk, path)
  if (found !== undefined && found.brokerId !== wanted.brokerId) {
    throw new UserError(
      `Configured broker.id ${wanted.brokerId} doesn't match stored broker.id ${found.brokerId} ` +
        `in ${path}. If you moved your data, make sure your configured broker.id matches. If you ` +
        `intend to create a new broker, you should remove all data in your data directories.`,
    )
  }
  if (found?.clusterId !== undefined && found.clusterId !== wanted.clusterId) {
    throw new UserError(
      `The Cluster ID ${wanted.clusterId} doesn't match stored clusterId ${found.clusterId} in ` +
        `${path}. The broker is trying to join the wrong cluster. Configured zookeeper.connect ` +
        'may be wrong.',
    )
  }
  if (found?.clusterId === undefined) writeMetaProperties(disk, path, wanted)
}
