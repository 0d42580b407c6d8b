// The commands of zookeeper-shell: their flags, usage and work, in the words of ZooKeeper 3.8.
import type { ZooKeeperClient } from '../../zookeeper/client/client.ts'
import { isZooKeeperError } from '../../zookeeper/client/client.ts'
import type { ShellOutput } from './output.ts'
import { deleteQuota, listQuota, setQuota } from './quota-commands.ts'
import { aclLines, parseAcl, statLines } from './texts.ts'
import { subtree } from './tree.ts'
import { type ParsedWords, ShellError } from './words.ts'

export interface ShellCommand {
  /** What follows the name in help. */
  readonly usage: string
  /** Flags, and whether each takes a value. */
  readonly flags?: Readonly<Record<string, boolean>>
  /** How many words there must be behind the flags. */
  readonly words: readonly [least: number, most: number]
  readonly run: (session: ZooKeeperClient, given: ParsedWords, out: ShellOutput) => Promise<void>
}

function version(given: ParsedWords): number {
  const text = given.flags.get('v')
  if (text === undefined) return -1
  if (/^-?\d+$/.test(text)) return Number(text)
  throw new ShellError(`For input string: "${text}"`)
}

const [first, second, third] = [0, 1, 2].map((index) => (given: ParsedWords) => {
  return given.rest[index] ?? ''
}) as [Word, Word, Word]
type Word = (given: ParsedWords) => string

/** By name, sorted as help shows them. */
export const shellCommands: Readonly<Record<string, ShellCommand>> = {
  addWatch: {
    usage:
      '[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE',
    flags: { m: true },
    words: [1, 1],
    run: async (session, given, { watcher }) => {
      const mode = given.flags.get('m') ?? 'PERSISTENT_RECURSIVE'
      if (mode !== 'PERSISTENT' && mode !== 'PERSISTENT_RECURSIVE') {
        throw new ShellError(`No enum constant org.apache.zookeeper.AddWatchMode.${mode}`)
      }
      const kind = mode === 'PERSISTENT' ? 'persistent' : 'recursive'
      await session.addWatch(first(given), kind, watcher)
    },
  },
  addauth: {
    usage: 'scheme auth',
    words: [1, 2],
    run: (session, given) => session.addAuth(first(given), Buffer.from(second(given))),
  },
  config: {
    usage: '[-c] [-w] [-s]',
    flags: { c: false, w: false, s: false },
    words: [0, 0],
    run: async (session, { flags }, { line, watcher }) => {
      const path = '/zookeeper/config'
      const { data, stat } = await session.getData(path, flags.has('w') ? watcher : undefined)
      line(data.toString('utf8'))
      if (flags.has('s')) for (const text of statLines(stat)) line(text)
    },
  },
  create: {
    usage: '[-s] [-e] [-c] [-t ttl] path [data] [acl]',
    flags: { s: false, e: false, c: false, t: true },
    words: [1, 3],
    run: create,
  },
  delete: {
    usage: '[-v version] path',
    flags: { v: true },
    words: [1, 1],
    run: (session, given) => session.delete(first(given), version(given)),
  },
  deleteall: {
    usage: 'path [-b batch size]',
    flags: { b: true },
    words: [1, 1],
    run: deleteAll,
  },
  delquota: {
    usage: '[-n|-b|-N|-B] path',
    flags: { n: false, b: false, N: false, B: false },
    words: [1, 1],
    run: (session, given) => deleteQuota(session, first(given), given.flags),
  },
  get: {
    usage: '[-s] [-w] path',
    flags: { s: false, w: false },
    words: [1, 1],
    run: async (session, given, { line, watcher }) => {
      const watch = given.flags.has('w') ? watcher : undefined
      const { data, stat } = await session.getData(first(given), watch)
      line(data.length === 0 ? 'null' : data.toString('utf8'))
      if (given.flags.has('s')) for (const text of statLines(stat)) line(text)
    },
  },
  getAcl: {
    usage: '[-s] path',
    flags: { s: false },
    words: [1, 1],
    run: async (session, given, { line }) => {
      const { acl, stat } = await session.getAcl(first(given))
      for (const text of aclLines(acl)) line(text)
      if (given.flags.has('s')) for (const text of statLines(stat)) line(text)
    },
  },
  getAllChildrenNumber: {
    usage: 'path',
    words: [1, 1],
    run: async (session, given, { line }) => {
      line(String(await session.getAllChildrenNumber(first(given))))
    },
  },
  getEphemerals: {
    usage: 'path',
    words: [0, 1],
    run: async (session, given, { line }) => {
      line(listText(await session.getEphemerals(given.rest[0] ?? '/')))
    },
  },
  listquota: {
    usage: 'path',
    words: [1, 1],
    run: (session, given, out) => listQuota(session, first(given), out),
  },
  ls: {
    usage: '[-s] [-w] [-R] path',
    flags: { s: false, w: false, R: false },
    words: [1, 1],
    run: list,
  },
  removewatches: {
    usage: 'path [-c|-d|-a] [-l]',
    flags: { c: false, d: false, a: false, l: false },
    words: [1, 1],
    run: (session, given) => {
      const kind = given.flags.has('c') ? 'children' : given.flags.has('d') ? 'data' : 'any'
      return session.removeWatches(first(given), kind)
    },
  },
  set: {
    usage: '[-s] [-v version] path data',
    flags: { s: false, v: true },
    words: [2, 2],
    run: async (session, given, { line }) => {
      const stat = await session.setData(first(given), Buffer.from(second(given)), version(given))
      if (given.flags.has('s')) for (const text of statLines(stat)) line(text)
    },
  },
  setAcl: {
    usage: '[-s] [-v version] [-R] path acl',
    flags: { s: false, v: true, R: false },
    words: [2, 2],
    run: async (session, given, { line }) => {
      const acl = parseAcl(second(given))
      const paths = given.flags.has('R') ? await subtree(session, first(given)) : [first(given)]
      for (const path of paths) {
        const stat = await session.setAcl(path, acl, version(given))
        if (given.flags.has('s')) for (const text of statLines(stat)) line(text)
      }
    },
  },
  setquota: {
    usage: '-n|-b|-N|-B val path',
    flags: { n: true, b: true, N: true, B: true },
    words: [1, 1],
    run: (session, given) => setQuota(session, first(given), given.flags),
  },
  stat: {
    usage: '[-w] path',
    flags: { w: false },
    words: [1, 1],
    run: async (session, given, { line, watcher }) => {
      const path = first(given)
      const stat = await session.exists(path, given.flags.has('w') ? watcher : undefined)
      if (stat === null) throw new ShellError(`Node does not exist: ${path}`)
      for (const text of statLines(stat)) line(text)
    },
  },
  sync: {
    usage: 'path',
    words: [1, 1],
    run: async (session, given, { line }) => {
      await session.sync(first(given))
      line('Sync is OK')
    },
  },
  whoami: {
    usage: '',
    words: [0, 0],
    run: async (session, _given, { line }) => {
      line('Auth scheme: User')
      for (const { scheme, user } of await session.whoAmI()) line(`${scheme}: ${user}`)
    },
  },
}

/** Under their names in ZooKeeper 3.4. */
export const oldShellCommands: Readonly<Record<string, readonly string[]>> = {
  ls2: ['ls', '-s'],
  rmr: ['deleteall'],
}

function listText(names: readonly string[]): string {
  return `[${names.join(', ')}]`
}

async function create(
  session: ZooKeeperClient,
  given: ParsedWords,
  { note }: ShellOutput,
): Promise<void> {
  const { flags, rest } = given
  const ttl = flags.get('t')
  if (flags.has('c') && (flags.has('e') || flags.has('s'))) {
    throw new ShellError(
      '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.',
    )
  }
  if (ttl !== undefined && flags.has('e')) {
    throw new ShellError('TTLs cannot be used with Ephemeral znodes')
  }
  const acl = rest[2] === undefined ? {} : { acl: parseAcl(third(given)) }
  const { path } = await session.create(first(given), Buffer.from(second(given)), {
    ephemeral: flags.has('e'),
    sequential: flags.has('s'),
    container: flags.has('c'),
    ...(ttl === undefined ? {} : { ttlMs: Number(ttl) }),
    ...acl,
    stat: false,
  })
  note(`Created ${path}`)
}

async function deleteAll(session: ZooKeeperClient, given: ParsedWords): Promise<void> {
  const paths = await subtree(session, first(given))
  for (const path of paths.reverse()) {
    try {
      await session.delete(path)
    } catch (error) {
      // Somebody else was quicker.
      if (!isZooKeeperError(error, 'NONODE')) throw error
    }
  }
}

async function list(
  session: ZooKeeperClient,
  given: ParsedWords,
  { line, watcher }: ShellOutput,
): Promise<void> {
  const { flags } = given
  if (flags.has('R')) {
    for (const path of await subtree(session, first(given))) line(path)
    return
  }
  const watch = flags.has('w') ? watcher : undefined
  const { children, stat } = await session.getChildren(first(given), watch)
  line(listText(children.sort()))
  if (flags.has('s')) for (const text of statLines(stat)) line(text)
}
