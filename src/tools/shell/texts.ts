// Pure.
// How ZooKeeper's shell shows stats, access lists, quotas and errors.
import type { Acl, Stat, WatchEvent, ZooKeeperError } from '../../zookeeper/client/client.ts'
import { javaDate } from '../java-dates.ts'
import { ShellError } from './words.ts'

export function statLines(stat: Stat): string[] {
  const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`
  return [
    `cZxid = ${hex(stat.czxid)}`,
    `ctime = ${javaDate(Number(stat.ctime))}`,
    `mZxid = ${hex(stat.mzxid)}`,
    `mtime = ${javaDate(Number(stat.mtime))}`,
    `pZxid = ${hex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${hex(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ]
}

const permissions = [
  ['c', 4],
  ['d', 8],
  ['r', 1],
  ['w', 2],
  ['a', 16],
] as const

export function aclLines(acl: readonly Acl[]): string[] {
  return acl.flatMap(({ perms, id }) => {
    const letters = permissions.filter(([, bit]) => (perms & bit) !== 0).map(([letter]) => letter)
    return [`'${id.scheme},'${id.id}`, `: ${letters.join('')}`]
  })
}

/** `scheme:id:perms,…`, where the id may have colons. @throws ShellError */
export function parseAcl(text: string): Acl[] {
  return text.split(',').map((one) => {
    const first = one.indexOf(':')
    const last = one.lastIndexOf(':')
    if (first < 0 || first === last)
      throw new ShellError(`${one} does not have the form scheme:id:perm`)
    let perms = 0
    for (const letter of one.slice(last + 1)) {
      const bit = permissions.find(([known]) => known === letter)?.[1]
      if (bit === undefined) throw new ShellError(`Unknown perm type: ${letter}`)
      perms |= bit
    }
    return { perms, id: { scheme: one.slice(0, first), id: one.slice(first + 1, last) } }
  })
}

const errorTexts: Readonly<Record<string, (path: string) => string>> = {
  NONODE: (path) => `Node does not exist: ${path}`,
  NOCHILDRENFOREPHEMERALS: (path) => `Ephemerals cannot have children: ${path}`,
  NODEEXISTS: (path) => `Node already exists: ${path}`,
  NOTEMPTY: (path) => `Node not empty: ${path}`,
  BADVERSION: (path) => `version No is not valid : ${path}`,
  INVALIDACL: (path) => `Acl is not valid : ${path}`,
  NOAUTH: (path) => `Insufficient permission : ${path}`,
  BADARGUMENTS: (path) => `Arguments are not valid : ${path}`,
  SESSIONMOVED: () => 'Session moved',
  NOWATCHER: (path) => `KeeperErrorCode = No such watcher for ${path}`,
}

/** The names of codes as Java's exceptions have them, where they are not the code's in camel case. */
const codeNames: Readonly<Record<string, string>> = {
  CONNECTIONLOSS: 'ConnectionLoss',
  SESSIONEXPIRED: 'Session expired',
  AUTHFAILED: 'AuthFailed',
  UNIMPLEMENTED: 'Unimplemented',
  QUOTAEXCEEDED: 'Quota has exceeded',
  MARSHALLINGERROR: 'MarshallingError',
  OPERATIONTIMEOUT: 'OperationTimeout',
}

export function errorText({ name, path }: ZooKeeperError, asked: string | undefined): string {
  const place = path ?? asked
  const known = errorTexts[name]
  if (known !== undefined) return known(place ?? 'null')
  return `KeeperErrorCode = ${codeNames[name] ?? name}${place === undefined ? '' : ` for ${place}`}`
}

const eventNames = {
  created: 'NodeCreated',
  deleted: 'NodeDeleted',
  dataChanged: 'NodeDataChanged',
  childrenChanged: 'NodeChildrenChanged',
} as const

export function eventText({ type, path }: WatchEvent): string {
  return `\nWATCHER::\n\nWatchedEvent state:SyncConnected type:${eventNames[type]} path:${path}\n`
}

export const connectedText = '\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n'

export interface Quota {
  readonly count: number
  readonly bytes: number
  readonly countHard: number
  readonly bytesHard: number
}

/** -1 stands for none. */
export function quotaText({ count, bytes, countHard, bytesHard }: Quota): string {
  return `count=${count},bytes=${bytes}=;byteHardLimit=${bytesHard};countHardLimit=${countHard}`
}

export function parseQuota(text: string): Quota {
  const number = (name: string): number => {
    return Number(new RegExp(`(?:^|[,;])${name}=(-?\\d+)`).exec(text)?.[1] ?? -1)
  }
  return {
    count: number('count'),
    bytes: number('bytes'),
    countHard: number('countHardLimit'),
    bytesHard: number('byteHardLimit'),
  }
}
