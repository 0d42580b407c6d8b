// Quotas in ZooKeeper's shell: nodes below /zookeeper/quota that the server reads.
import { isZooKeeperError, type ZooKeeperClient } from '../../zookeeper/client/client.ts'
import type { ShellOutput } from './output.ts'
import { parseQuota, type Quota, quotaText } from './texts.ts'
import { ShellError } from './words.ts'

const root = '/zookeeper/quota'
const limitsName = 'zookeeper_limits'
const statsName = 'zookeeper_stats'
const none: Quota = { count: -1, bytes: -1, countHard: -1, bytesHard: -1 }

/** Flags of the shell by what they limit. */
const limits = { n: 'count', b: 'bytes', N: 'countHard', B: 'bytesHard' } as const

type Flags = ReadonlyMap<string, string>

export async function listQuota(
  session: ZooKeeperClient,
  path: string,
  { line, note }: Pick<ShellOutput, 'line' | 'note'>,
): Promise<void> {
  note(`absolute path is ${root}${path}/${limitsName}`)
  try {
    const quota = await session.getData(`${root}${path}/${limitsName}`)
    line(`Output quota for ${path} ${quota.data.toString('utf8')}`)
    const stats = await session.getData(`${root}${path}/${statsName}`)
    line(`Output stat for ${path} ${stats.data.toString('utf8')}`)
  } catch (error) {
    if (!isZooKeeperError(error, 'NONODE')) throw error
    note(`quota for ${path} does not exist.`)
  }
}

export async function setQuota(
  session: ZooKeeperClient,
  path: string,
  flags: Flags,
): Promise<void> {
  if (flags.size === 0) throw new ShellError('setquota -n|-b|-N|-B val path')
  if ((await session.exists(path)) === null) throw new ShellError(`Node does not exist: ${path}`)
  const quota = { ...((await quotaOf(session, path)) ?? none) }
  for (const [flag, name] of Object.entries(limits)) {
    const text = flags.get(flag)
    if (text === undefined) continue
    if (!/^\d+$/.test(text)) throw new ShellError(`For input string: "${text}"`)
    quota[name] = Number(text)
  }
  await write(session, path, quota)
}

/** Without a flag the whole quota goes. */
export async function deleteQuota(
  session: ZooKeeperClient,
  path: string,
  flags: Flags,
): Promise<void> {
  const quota = await quotaOf(session, path)
  if (quota === undefined) throw new ShellError(`quota does not exist for ${path}`)
  if (flags.size > 0) {
    const changed = { ...quota }
    for (const [flag, name] of Object.entries(limits)) if (flags.has(flag)) changed[name] = -1
    return write(session, path, changed)
  }
  await session.delete(`${root}${path}/${limitsName}`)
  await session.delete(`${root}${path}/${statsName}`)
  // Parents that nobody else needs go too.
  for (let parent = path; parent !== ''; parent = parent.slice(0, parent.lastIndexOf('/'))) {
    try {
      await session.delete(root + parent)
    } catch (error) {
      if (isZooKeeperError(error, 'NOTEMPTY')) return
      throw error
    }
  }
}

async function quotaOf(session: ZooKeeperClient, path: string): Promise<Quota | undefined> {
  try {
    const { data } = await session.getData(`${root}${path}/${limitsName}`)
    return parseQuota(data.toString('utf8'))
  } catch (error) {
    if (isZooKeeperError(error, 'NONODE')) return undefined
    throw error
  }
}

async function write(session: ZooKeeperClient, path: string, quota: Quota): Promise<void> {
  const data = Buffer.from(quotaText(quota))
  const node = `${root}${path}/${limitsName}`
  if ((await session.exists(node)) !== null) {
    await session.setData(node, data)
    return
  }
  await session.makePath(root + path)
  await session.create(node, data, { stat: false })
  const stats = Buffer.from(quotaText({ ...none, count: 0, bytes: 0 }))
  await session.create(`${root}${path}/${statsName}`, stats, { stat: false })
}
