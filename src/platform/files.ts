/** What `up` is given that lies on the disk: the user's configuration, and the files to ship. */
import { DiskError, type DiskLock, readFile } from '../runtime/disk.ts'
import { UserError, type Ports } from '../runtime/service.ts'
import type { UpSettings } from './arguments.ts'
import { configFiles, type ConfigFile } from './stages.ts'

/** The files of the user's own that are there. @throws UserError that names what cannot be read. */
export function ownFiles(up: UpSettings, { disk }: Pick<Ports, 'disk'>): ConfigFile[] {
  const folder = up.configDirectory
  if (folder === undefined) return []
  const names = configFiles(up).map(({ name }) => name)
  return naming(`--config ${folder}`, () => {
    if (disk.stat(folder)?.kind !== 'directory')
      throw new UserError(`up: --config ${folder}: there is no such directory`)
    const present = names.filter((name) => disk.stat(`${folder}/${name}`) !== undefined)
    if (present.length === 0)
      throw new UserError(`up: --config ${folder} holds none of ${names.join(', ')}`)
    return present.map((name) => {
      const text = readFile(disk, `${folder}/${name}`).toString('utf8')
      return { name, text }
    })
  })
}

/** The data directory, with its folders, for this process alone. @throws UserError that names it. */
export function lockData(up: UpSettings, { disk }: Pick<Ports, 'disk'>): DiskLock {
  const { dataDirectory } = up
  try {
    for (const folder of ['config', 'logs']) disk.makeDirectory(`${dataDirectory}/${folder}`)
    return disk.lock(`${dataDirectory}/up.lock`)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (error.code === 'ELOCKED')
      throw new UserError(`up: ${dataDirectory} is in use; --data DIR gives another place`)
    throw new UserError(`up: ${dataDirectory} cannot be written: ${error.code}`, { cause: error })
  }
}

/** Of the files to ship, those that do not exist. @throws UserError that names one of no use. */
export function missingFiles(up: UpSettings, { disk }: Pick<Ports, 'disk'>): string[] {
  const named = up.files.filter((file) => !/[*?[]/.test(file))
  return named.filter((file) => {
    const kind = naming(file, () => {
      const status = disk.stat(file)
      if (status?.kind === 'file') disk.open(file, 'read').close()
      return status?.kind
    })
    if (kind === 'directory')
      throw new UserError(`up: ${file} is a directory: name its files, as in '${file}/*.log'`)
    return kind === undefined
  })
}

function naming<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new UserError(`up: ${what} cannot be read: ${error.code}`, { cause: error })
  }
}
